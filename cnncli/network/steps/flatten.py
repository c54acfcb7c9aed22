"""F = flatten(P): no parameters, it only moves numbers."""

from collections.abc import Iterator
from math import prod

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.products import Products
from cnncli.network.steps.step import Step
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Factor, Index, Made, Reader, Term, Values, product_of


class Flatten(Step):
    """Row-major, filter, row, column: P (N, p, q) → F (D,)."""

    kind = "flatten"
    signature = "flatten_backward(dF, shape)"
    contract = "dP1 (m, *shape); F is P1 row by row: filter, row, column."

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "Flatten":
        """The flatten before the dense layer."""
        return cls(source, Tensor("F", "value", "D", (prod(source.shape),), block))

    @property
    def formula(self) -> str:
        """flatten(P1)."""
        return f"flatten({self.source.name})"

    @property
    def gradient_formulas(self) -> tuple[str]:
        """reshape(dL/dF, P1.shape)."""
        return (f"reshape({self.output.gradient.name}, {self.source.name}.shape)",)

    @property
    def description(self) -> str:
        """flatten."""
        return "flatten"

    def forward(self, source: Array, *_: Array) -> Array:
        """P (m, N, p, q) → F (m, D)."""
        return source.reshape(len(source), prod(source.shape[1:]))

    def backward(self, gradient: Array, source: Array, *_: Array) -> tuple[Array]:
        """dL/dP = dL/dF in the shape of P: dF (m, D) → (m, N, p, q)."""
        return (gradient.reshape(len(gradient), *source.shape[1:]),)

    def products(self, gradient: Array, source: Array, *_: Array) -> tuple[Products]:
        """dF itself."""
        return (Products("md->md", (self.output.gradient.name,), (gradient,), "mnij", source.shape),)

    def explain(self, place: Index, values: Values) -> Made:
        """The entry of P at its place."""
        of_P = tuple(map(int, np.unravel_index(place[0], self.source.shape)))
        return Made("", [product_of((Factor.of(values, self.source.name, of_P),))], "flatten only moves it")

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """The entry of F that it becomes."""
        yield Reader((int(np.ravel_multi_index(place, self.source.shape)),), 1.0, "flatten only moves it")

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """The entry of dL/dF that it became."""
        return Made("", terms, "flatten only moved it")
