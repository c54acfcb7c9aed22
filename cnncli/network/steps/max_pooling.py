"""P = maxpool(A), and the way back: the gradient goes to each window's first maximum alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels
from cnncli.network.products import Products
from cnncli.network.steps.pooling import Windows, lay_windows
from cnncli.network.steps.step import KinkedStep
from cnncli.network.tensors import Tensor
from cnncli.network.terms import ZERO, Factor, Index, Made, Reader, Term, Values, Window


@dataclass(frozen=True)
class MaxPooling(KinkedStep):
    """P[n,i,j] = max over a, b < s of A[n, t·i+a, t·j+b], t = s unless said; a rest that fills no window is dropped."""

    windows: Windows = field(default_factory=Windows)

    kind = "max pooling"
    signature = "maxpool_backward(A1, dP1, pool)"
    contract = "dA1; of equal maxima the first, row by row, takes the gradient. Rows that fill no window get 0."
    options = ("pool", "pool_stride")
    convention = "of equal maxima the first takes the gradient"
    selects = True
    ties: ClassVar = {"windows": "pooling windows with equal maxima", "dead_windows": "with all numbers 0"}

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "MaxPooling":
        """The pooling of a block. Raises ArchitectureError where the window is larger than what it reads."""
        windows = lay_windows(architecture)
        return cls(source, windows.pool(source, block), windows=windows)

    @property
    def formula(self) -> str:
        """maxpool(A1)."""
        return f"maxpool({self.source.name})"

    @property
    def gradient_formulas(self) -> tuple[str]:
        """Of A."""
        summed = ", summed where windows overlap" if self.windows.overlap else ""
        return (f"{self.output.gradient.name} at each window's first maximum, else 0{summed}",)

    @property
    def description(self) -> str:
        """maxpool 2×2."""
        return f"maxpool {self.windows.description}"

    @property
    def overlaps(self) -> bool:
        """Whether an entry of A may be the maximum of several windows."""
        return self.windows.overlap

    def forward(self, source: Array, *_: Array) -> Array:
        """A (m, N, h, w) → P (m, N, p, q)."""
        return np.take_along_axis(self.candidates(source), self._winners(source)[..., None], axis=-1)[..., 0]

    def backward(self, gradient: Array, source: Array, *_: Array) -> tuple[Array]:
        """dL/dA: the dL/dP of the windows that an entry wins, else 0; dP (m, N, p, q) → as A."""
        return (self.windows.put_back(self._route(gradient, source), source.shape),)

    def products(self, gradient: Array, source: Array, *_: Array) -> tuple[Products]:
        """dP times the share of each place of its window."""
        share = self._route(np.ones_like(gradient), source)  # (m, N, p, q, s²)
        places = self.windows.take(np.arange(source[0, 0].size).reshape(1, 1, *source.shape[2:]))[0, 0]  # (p, q, s²)
        names = (self.output.gradient.name, "the maximum's share")
        return (Products("mnij,mnija->mnija", names, (gradient, share), "mnrs", source.shape, places),)

    def carry_strongest(self, gradient: Array, source: Array, *_: Array) -> Array:
        """The largest gradient of the windows that an entry wins."""
        return self.windows.put_back(self._route(gradient, source), source.shape, np.maximum)

    def candidates(self, source: Array) -> Array:
        """The numbers of every window, row by row: (m, N, h, w) → (m, N, p, q, s²)."""
        return self.windows.take(source)

    def count_ties(self, tied: NDArray[np.bool_], empty: NDArray[np.bool_]) -> dict[str, int]:
        """Windows with equal positive maxima, and those with nothing but 0, where relu's mask removes the gradient."""
        return {"windows": int((tied & ~empty).sum()), "dead_windows": int((tied & empty).sum())}

    def explain(self, place: Index, values: Values) -> Made:
        """The largest of a window."""
        factors, winner = self._window(place, values)
        equals = sum(factor.value == factors[winner].value for factor in factors)
        reason = f"the winner is {factors[winner].label}"
        if equals > 1:
            reason += f", the first of {equals} equal ones"
        template = "max(" + ", ".join("{}" for _ in factors) + ")"
        return Made("", [Term(template, factors, factors[winner].value, lambda *A: max(A))], reason)

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """The windows of which it is the winner; none for all others."""
        for window in self._windows_around(place):
            if self._winner(window, values) == place:
                yield Reader(window, 1.0, "the window's maximum")

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """Why it takes the gradient of its window, or why not."""
        A = Factor.of(values, name, place)
        around = list(self._windows_around(place))
        if not around:
            return Made("", [ZERO], f"{A.label} lies in {self.windows.outside}: nobody read it")
        if terms:
            windows = "its window" if len(terms) == 1 else f"{len(terms)} windows"
            return Made("", terms, f"{A.label} is the maximum of {windows}")
        factors, number = self._window(around[0], values)
        winner = factors[number]
        why = (
            f"equals the maximum of its window, but {winner.label} comes first and takes all"
            if winner.value == A.value
            else f"is not the maximum of its window, {winner.label} is"
        )
        others = f" (nor of the {len(around) - 1} others that hold it)" if len(around) > 1 else ""
        return Made("", [ZERO], f"{A.label} {why}{others}")

    def window_of(self, name: str, place: Index, values: Values) -> Window | None:
        """The window of an entry of P or dL/dA: of several one that it wins, none in a rest that fills none."""
        if name == self.output.name:
            return self._window(place, values)
        around = sorted(self._windows_around(place), key=lambda window: self._winner(window, values) != place)
        return self._window(around[0], values) if around else None

    def state_choice(self, name: str, place: Index, values: Values) -> Term | None:
        """Of dL/dA, as the window decides."""
        if name != self.source.gradient.name:
            return None
        around = list(self._windows_around(place))
        if not around:
            return Term("0, it lies in no window", (), 0.0)
        A = Factor.of(values, self.source.name, place)
        gradients = [Factor.of(values, self.output.gradient.name, window) for window in around]
        if len(around) == 1:
            return Term("{} if {} is the first maximum of its window, else 0", (gradients[0], A), 0.0)
        template = "the sum of those of " + ", ".join("{}" for _ in around) + " in whose window {} is the first maximum"
        return Term(template, (*gradients, A), 0.0)

    def _route(self, gradient: Array, A: Array) -> Array:
        """The gradient of each window at its winner, 0 at the others: (m, N, p, q) → (m, N, p, q, s²)."""
        routed = np.zeros((*gradient.shape, self.windows.s**2), gradient.dtype)
        np.put_along_axis(routed, self._winners(A)[..., None], gradient[..., None], axis=-1)
        return routed

    def _winners(self, A: Array) -> Labels:
        """The place of each window's maximum, counted row by row from 0; of several equal ones the first.

        Complex numbers are compared by their real part: np.argmax alone would let the imaginary part break ties.

        A (m, N, h, w) → (m, N, p, q), each in 0 … s²-1.
        """
        place: Labels = self.candidates(A.real).argmax(axis=-1)
        return place

    def _window(self, window: Index, values: Values) -> Window:
        factors = tuple(Factor.of(values, self.source.name, place) for place in self.windows.places(window))
        return Window(factors, max(range(len(factors)), key=lambda number: factors[number].value))

    def _winner(self, window: Index, values: Values) -> Index:
        factors, winner = self._window(window, values)
        return factors[winner].entry.place

    def _windows_around(self, place: Index) -> Iterator[Index]:
        """The windows that hold an entry of A."""
        return self.windows.around(place, *self.output.shape[1:])
