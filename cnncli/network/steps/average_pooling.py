"""P = avgpool(A): the mean of each window; and the way back, where every place gets an equal share."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.steps.pooling import pooled_tensor, put_back, windows
from cnncli.network.steps.step import Step
from cnncli.network.tensors import Tensor
from cnncli.network.terms import ZERO, Factor, Index, Made, Reader, Term, Values


@dataclass(frozen=True)
class AveragePooling(Step):
    """P[n,i,j] = (1/s²) Σ_a Σ_b A[n, s·i+a, s·j+b]; a rest that fills no window is dropped. It has no kink."""

    s: int = 1
    divisor: int = 1  # s²

    kind = "average pooling"
    signature = "avgpool_backward(A1, dP1, pool)"
    contract = "dA1; every place of a window gets an equal share. Rows that fill no window get 0."
    options = ("pool",)

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "AveragePooling":
        """The pooling of a block. Raises ArchitectureError where the window is larger than what it reads."""
        s = architecture.pool
        return cls(source, pooled_tensor(source, s, block), s=s, divisor=s * s)

    @property
    def formula(self) -> str:
        """avgpool(A1)."""
        return f"avgpool({self.source.name})"

    @property
    def gradient_formulas(self) -> tuple[str]:
        """Of A."""
        return (f"{self.output.gradient.name} / {self.divisor} at each place of its window, else 0",)

    @property
    def description(self) -> str:
        """avgpool 2×2."""
        return f"avgpool {self.s}×{self.s}"

    @property
    def with_unit_derivatives(self) -> "AveragePooling":
        """The sum of each window."""
        return replace(self, divisor=1)

    def forward(self, source: Array, *_: Array) -> Array:
        """A (m, N, h, w) → P (m, N, ⌊h/s⌋, ⌊w/s⌋)."""
        mean: Array = windows(source, self.s).sum(axis=-1) / self.divisor
        return mean

    def backward(self, gradient: Array, source: Array, *_: Array) -> tuple[Array]:
        """dL/dA = dL/dP / s² at each of a window's s² places, 0 in the dropped rest; dP (m, N, p, q) → as A."""
        shares = np.repeat((gradient / self.divisor)[..., None], self.s**2, axis=-1)  # (m, N, p, q, s²)
        return (put_back(shares, source.shape),)

    def explain(self, place: Index, values: Values) -> Made:
        """The shares of a window's entries."""
        n, i, j = place
        s, A = self.s, self.source.name
        factors = [Factor.of(values, A, (n, s * i + a, s * j + b)) for a in range(s) for b in range(s)]
        terms = [Term(self._template, (factor,), self._share(factor.value), self._share) for factor in factors]
        return Made(
            f"(1/{self.divisor}) Σ_a Σ_b {A}[{n},{_from(s * i, 'a')},{_from(s * j, 'b')}]", terms, "the window's mean"
        )

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """The window around it; none for the dropped rest."""
        n, r, c = place
        _, p, q = self.output.shape
        if r < p * self.s and c < q * self.s:
            window = (n, r // self.s, c // self.s)
            yield Reader(window, 1 / self.divisor, f"1/{self.divisor}: the window's mean", template=self._template)

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """Its share of the gradient of its window."""
        A = Factor.of(values, name, place)
        if not terms:
            return Made("", [ZERO], f"{A.label} lies in the rest that fills no window: nobody read it")
        return Made("", terms, f"{A.label} is one of the {self.divisor} of its window")

    def _share(self, number: float) -> float:
        return number / self.divisor

    @property
    def _template(self) -> str:
        return f"{{}}/{self.divisor}" if self.divisor > 1 else "{}"


def _from(first: int, letter: str) -> str:
    """An index that starts at a number: "a", "2+a"."""
    return f"{first}+{letter}" if first else letter
