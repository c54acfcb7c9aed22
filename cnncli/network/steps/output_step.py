"""What ends the chain: from the logit z to the answer A and the loss L, and back in closed form.

L and dL/dz are computed from the logit and never from A, so that nothing is lost when A saturates. A and both factors
of dL/dz are shown all the same.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels
from cnncli.network.tensors import LOSS, Tensor
from cnncli.network.terms import Factor, Index, Made, Reader, Values


@dataclass(frozen=True)
class OutputStep(ABC):
    """A = forward(z), L = mean of losses(z, y)."""

    source: Tensor  # z
    output: Tensor  # A
    loss: Tensor = LOSS

    kind: ClassVar[str] = "output"
    signature: ClassVar[str] = "loss_backward(z2, y)"
    contract: ClassVar[str] = "dz2: the derivative of L for the logit."
    FORMULAS: ClassVar[tuple[str, str]]  # of A and L, with places {z} and {A} for the names
    DERIVATIVE_FORMULAS: ClassVar[tuple[str, str, str]]  # of dL/dA, dA/dz and dL/dz

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "OutputStep":
        """The end of the chain behind the dense layer."""
        A = Tensor(f"A{block}", "value", source.axes, source.shape, block)
        return cls(source, A)

    @property
    @abstractmethod
    def description(self) -> str:
        """What it is, in a few words."""

    @property
    @abstractmethod
    def local_derivative(self) -> Tensor:
        """dA/dz."""

    @abstractmethod
    def forward(self, z: Array) -> Array:
        """A: (m, K) → (m, K)."""

    @abstractmethod
    def class_probabilities(self, z: Array) -> Array:
        """The probability of every class: logits (m, K) → (m, classes), the first class first."""

    @abstractmethod
    def losses(self, z: Array, y: Labels, smoothing: float = 0.0) -> Array:
        """The loss of each image, from the logits: (m, K), (m,) → (m,).

        It is the cross-entropy with q = (1 − smoothing)·onehot(y) + smoothing/classes.
        """

    @abstractmethod
    def dL_dA(self, z: Array, y: Labels) -> Array:
        """dL/dA for the mean loss: (m, K)."""

    @abstractmethod
    def dA_dz(self, z: Array) -> Array:
        """dA/dz: (m, 1) for the sigmoid, (m, K, K) for the softmax."""

    @abstractmethod
    def dL_dz(self, z: Array, y: Labels, smoothing: float = 0.0) -> Array:
        """dL/dz = (A − q)/m for the mean loss, with q as in `losses`: (m, K)."""

    @abstractmethod
    def explain(self, name: str, place: Index, values: Values) -> Made:
        """How an entry of A, L, dL/dA, dA/dz or dL/dz was made.

        The formulas are the note's. Where rounding would eat them once A saturates, their value is taken from the
        logit, as the network does, and the reason says so.
        """

    def predict(self, z: Array) -> Labels:
        """The most probable class of each image, of equals the first: logits (m, K) → (m,)."""
        label: Labels = self.class_probabilities(z).argmax(axis=1)
        return label

    @property
    def values(self) -> tuple[tuple[Tensor, str], ...]:
        """A and L with their formulas."""
        return self._name_formulas((self.output, self.loss), self.FORMULAS)

    @property
    def derivatives(self) -> tuple[tuple[Tensor, str], ...]:
        """dL/dA, dA/dz and dL/dz with their formulas, in the order in which they are taken."""
        tensors = (self.output.gradient, self.local_derivative, self.source.gradient)
        return self._name_formulas(tensors, self.DERIVATIVE_FORMULAS)

    def reads_at_once(self, values: Values) -> bool:
        """Whether A saturates, so that its two links are 1/0 and 0, whose product is known in closed form."""
        dL_dA, dA_dz = values[self.output.gradient.name], values[self.local_derivative.name]
        return not np.isfinite(dL_dA).all() or not dA_dz.any()

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """The entries of A that read a logit, and L that reads A; where A saturates, L reads the logit."""
        if name == self.output.name:
            factor = Factor.of(values, self.output.gradient.name, place)
            yield Reader((), factor.value, "the cross-entropy", factor)
        elif self.reads_at_once(values):
            factor = Factor.of(values, self.source.gradient.name, place)
            yield Reader((), factor.value, "both links at once: A is 0 or 1 to the last bit", factor)
        else:
            K = self.source.shape[0]
            jacobian = values[self.local_derivative.name].reshape(K, K)  # the sigmoid's is one number
            reason = self.DERIVATIVE_FORMULAS[1].format(A=self.output.name) if K == 1 else "from the softmax"
            for j in np.flatnonzero(values[self.output.gradient.name]).tolist():
                yield Reader((j,), float(jacobian[(j, *place)]), reason)

    def _name_formulas(self, tensors: tuple[Tensor, ...], formulas: tuple[str, ...]) -> tuple[tuple[Tensor, str], ...]:
        names = {"z": self.source.name, "A": self.output.name}
        return tuple((tensor, formula.format(**names)) for tensor, formula in zip(tensors, formulas, strict=True))


def slope(A: float, again: float) -> float:
    """A·(1 − A), as an explanation writes it, with A in two places."""
    return A * (1 - again)
