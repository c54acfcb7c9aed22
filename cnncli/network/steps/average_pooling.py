"""P = avgpool(A): the mean of each window; and the way back, where every place gets an equal share."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.products import Products
from cnncli.network.steps.pooling import Windows, lay_windows
from cnncli.network.steps.step import Step
from cnncli.network.tensors import Tensor
from cnncli.network.terms import ZERO, Factor, Index, Made, Reader, Term, Values


@dataclass(frozen=True)
class AveragePooling(Step):
    """P[n,i,j] = (1/s²) Σ_a Σ_b A[n, t·i+a, t·j+b], t = s unless said; it has no kink.

    A rest that fills no window is dropped.
    """

    windows: Windows = field(default_factory=Windows)
    divisor: int = 1  # s²

    kind = "average pooling"
    signature = "avgpool_backward(A1, dP1, pool)"
    contract = "dA1; every place of a window gets an equal share. Rows that fill no window get 0."
    options = ("pool", "pool_stride")

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "AveragePooling":
        """The pooling of a block. Raises ArchitectureError where the window is larger than what it reads."""
        windows = lay_windows(architecture)
        return cls(source, windows.pool(source, block), windows=windows, divisor=windows.s**2)

    @property
    def formula(self) -> str:
        """avgpool(A1)."""
        return f"avgpool({self.source.name})"

    @property
    def gradient_formulas(self) -> tuple[str]:
        """Of A."""
        summed = ", summed where windows overlap" if self.windows.overlap else ""
        return (f"{self.output.gradient.name} / {self.divisor} at each place of its window, else 0{summed}",)

    @property
    def description(self) -> str:
        """avgpool 2×2."""
        return f"avgpool {self.windows.description}"

    @property
    def with_unit_derivatives(self) -> "AveragePooling":
        """The sum of each window."""
        return replace(self, divisor=1)

    def forward(self, source: Array, *_: Array) -> Array:
        """A (m, N, h, w) → P (m, N, p, q)."""
        mean: Array = self.windows.take(source).sum(axis=-1) / self.divisor
        return mean

    def backward(self, gradient: Array, source: Array, *_: Array) -> tuple[Array]:
        """dL/dA: dL/dP / s² of each window that holds an entry, 0 in the dropped rest; dP (m, N, p, q) → as A."""
        return (self.windows.put_back(self._share_out(gradient), source.shape),)

    def products(self, gradient: Array, source: Array, *_: Array) -> tuple[Products]:
        """dP times the share of each place of its window."""
        share = self._share_out(np.ones_like(gradient))  # (m, N, p, q, s²)
        places = self.windows.take(np.arange(source[0, 0].size).reshape(1, 1, *source.shape[2:]))[0, 0]  # (p, q, s²)
        names = (self.output.gradient.name, "1/s²")
        return (Products("mnij,mnija->mnija", names, (gradient, share), "mnrs", source.shape, places),)

    def carry_strongest(self, gradient: Array, source: Array, *_: Array) -> Array:
        """The largest share that an entry has."""
        return self.windows.put_back(self._share_out(gradient), source.shape, np.maximum)

    def explain(self, place: Index, values: Values) -> Made:
        """The shares of a window's entries."""
        n, i, j = place
        t, A = self.windows.t, self.source.name
        factors = [Factor.of(values, A, at) for at in self.windows.places(place)]
        terms = [Term(self._template, (factor,), self._share(factor.value), self._share) for factor in factors]
        return Made(
            f"(1/{self.divisor}) Σ_a Σ_b {A}[{n},{_from(t * i, 'a')},{_from(t * j, 'b')}]", terms, "the window's mean"
        )

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """The windows around it; none for the dropped rest."""
        for window in self.windows.around(place, *self.output.shape[1:]):
            yield Reader(window, 1 / self.divisor, f"1/{self.divisor}: the window's mean", template=self._template)

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """Its share of the gradient of its window."""
        A = Factor.of(values, name, place)
        if not terms:
            return Made("", [ZERO], f"{A.label} lies in {self.windows.outside}: nobody read it")
        windows = "its window" if len(terms) == 1 else f"each of {len(terms)} windows"
        return Made("", terms, f"{A.label} is one of the {self.divisor} of {windows}")

    def _share_out(self, gradient: Array) -> Array:
        """The same for every place of a window: (m, N, p, q) → (m, N, p, q, s²)."""
        return np.repeat((gradient / self.divisor)[..., None], self.windows.s**2, axis=-1)

    def _share(self, number: float) -> float:
        return number / self.divisor

    @property
    def _template(self) -> str:
        return f"{{}}/{self.divisor}" if self.divisor > 1 else "{}"


def _from(first: int, letter: str) -> str:
    """An index that starts at a number: "a", "2+a"."""
    return f"{first}+{letter}" if first else letter
