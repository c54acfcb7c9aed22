"""A = relu(Z), entry by entry, and its derivative. Complex numbers are judged by their real part."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.products import Products
from cnncli.network.steps.step import KinkedStep, LocalDerivative
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Factor, Index, Made, Reader, Term, Values


class Relu(KinkedStep):
    """A = max(Z, 0), any shape; relu′(0) = 0."""

    kind = "relu"
    signature = "relu_backward(Z1, dA1)"
    contract = "dZ1; the derivative at 0 is 0."
    convention = "relu′(0) = 0"
    selects = False
    ties: ClassVar = {"relus": "units with Z = 0"}

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "Relu":
        """The relu of a block."""
        return cls(source, Tensor(f"A{block}", "value", source.axes, source.shape, block))

    @property
    def formula(self) -> str:
        """relu(Z1)."""
        return f"relu({self.source.name})"

    @property
    def gradient_formulas(self) -> tuple[str]:
        """dL/dA1 · dA1/dZ1."""
        return (f"{self.output.gradient.name} · {self._gate.name}",)

    @property
    def description(self) -> str:
        """relu."""
        return "relu"

    @property
    def local_derivative(self) -> LocalDerivative:
        """dA/dZ: 1 where Z > 0, else 0; shape and dtype of Z."""
        return LocalDerivative(
            self._gate, f"1 where {self.source.name} > 0, else 0", _derivative, self._explain_derivative
        )

    def forward(self, source: Array, *_: Array) -> Array:
        """A = max(Z, 0). A NaN stays one, so that a loss made of it shows it."""
        return np.where(source.real <= 0, source.dtype.type(0), source)

    def backward(self, gradient: Array, source: Array, *_: Array) -> tuple[Array]:
        """dL/dZ = dL/dA · dA/dZ, entry by entry."""
        return (gradient * _derivative(source),)

    def products(self, gradient: Array, source: Array, *_: Array) -> tuple[Products]:
        """dA times the gate, entry by entry."""
        names, gate = (self.output.gradient.name, self._gate.name), _derivative(source)
        return (Products("mnij,mnij->mnij", names, (gradient, gate), "mnij", source.shape),)

    def candidates(self, source: Array) -> Array:
        """0 and Z, of which the first of equal ones wins: (…) → (…, 2)."""
        return np.stack([np.zeros_like(source), source], axis=-1)

    def count_ties(self, tied: NDArray[np.bool_], _empty: NDArray[np.bool_]) -> dict[str, int]:
        """Units with Z = 0."""
        return {"relus": int(tied.sum())}

    def explain(self, place: Index, values: Values) -> Made:
        """max(Z, 0)."""
        Z = Factor.of(values, self.source.name, place)
        reason = "it is positive: relu lets it through" if Z.value > 0 else "it is not positive: relu makes it 0"
        return Made("", [Term("max({}, 0)", (Z,), max(Z.value, 0.0), lambda Z: max(Z, 0.0))], reason)

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """The entry of A at the same place."""
        gate = Factor.of(values, self._gate.name, place)
        yield Reader(place, gate.value, f"1 where {name} > 0", gate)

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """The gate, open or shut."""
        Z = Factor.of(values, name, place)
        state = "open: it is positive" if Z.value > 0 else "shut: it is not positive"
        return Made("", terms, f"the gate of {Z.label} is {state}")

    def state_choice(self, name: str, place: Index, values: Values) -> Term | None:
        """Of dA/dZ, as Z decides."""
        if name != self._gate.name:
            return None
        return Term("1 if {} > 0, else 0", (Factor.of(values, self.source.name, place),), 0.0)

    @property
    def _gate(self) -> Tensor:
        return Tensor.derivative(self.output, self.source, like=self.source)

    def _explain_derivative(self, place: Index, values: Values) -> Made:
        Z = Factor.of(values, self.source.name, place)
        if Z.value > 0:
            return Made("", [Term("1, because {} > 0", (Z,), 1.0)])
        return Made("", [Term("0, because {} ≤ 0", (Z,), 0.0)])


def _derivative(Z: Array) -> Array:
    return (Z.real > 0).astype(Z.dtype)
