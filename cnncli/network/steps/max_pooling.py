"""P = maxpool(A), and the way back: the gradient goes to each window's first maximum alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.pooling import pooled_tensor, put_back, windows
from cnncli.network.steps.step import KinkedStep
from cnncli.network.tensors import Tensor
from cnncli.network.terms import ZERO, Factor, Index, Made, Reader, Term, Values, Window


@dataclass(frozen=True)
class MaxPooling(KinkedStep):
    """P[n,i,j] = max over a, b < s of A[n, s·i+a, s·j+b]; a rest that fills no window is dropped."""

    s: int = 1

    kind = "max pooling"
    signature = "maxpool_backward(A1, dP1, pool)"
    contract = "dA1; of equal maxima the first, row by row, takes the gradient. Rows that fill no window get 0."
    options = ("pool",)
    convention = "of equal maxima the first takes the gradient"
    selects = True
    ties: ClassVar = {"windows": "pooling windows with equal maxima", "dead_windows": "with all numbers 0"}

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "MaxPooling":
        """The pooling of a block. Raises ArchitectureError where the window is larger than what it reads."""
        return cls(source, pooled_tensor(source, architecture.pool, block), s=architecture.pool)

    @property
    def formula(self) -> str:
        """maxpool(A1)."""
        return f"maxpool({self.source.name})"

    @property
    def gradient_formulas(self) -> tuple[str]:
        """Of A."""
        return (f"{self.output.gradient.name} at each window's first maximum, else 0",)

    @property
    def description(self) -> str:
        """maxpool 2×2."""
        return f"maxpool {self.s}×{self.s}"

    def forward(self, source: Array, *_: Array) -> Array:
        """A (m, N, h, w) → P (m, N, ⌊h/s⌋, ⌊w/s⌋)."""
        return np.take_along_axis(windows(source, self.s), self._winners(source)[..., None], axis=-1)[..., 0]

    def backward(self, gradient: Array, source: Array, *_: Array) -> tuple[Array]:
        """dL/dA: dL/dP at each window's winner, 0 elsewhere and in the dropped rest; dP (m, N, p, q) → as A."""
        routed = np.zeros((*gradient.shape, self.s**2), gradient.dtype)  # (m, N, p, q, s²)
        np.put_along_axis(routed, self._winners(source)[..., None], gradient[..., None], axis=-1)
        return (put_back(routed, source.shape),)

    def candidates(self, source: Array) -> Array:
        """The numbers of every window, row by row: (m, N, h, w) → (m, N, p, q, s²)."""
        return windows(source, self.s)

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
        """The window of which it is the winner; none for all others."""
        window = self._window_around(place)
        if window and self._winner(window, values) == self._place_in_window(place):
            yield Reader(window, 1.0, "the window's maximum")

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """Why it takes the gradient of its window, or why not."""
        A = Factor.of(values, name, place)
        window = self._window_around(place)
        if window is None:
            return Made("", [ZERO], f"{A.label} lies in the rest that fills no window: nobody read it")
        if terms:
            return Made("", terms, f"{A.label} is the maximum of its window")
        factors, number = self._window(window, values)
        winner = factors[number]
        why = (
            f"equals the maximum of its window, but {winner.label} comes first and takes all"
            if winner.value == A.value
            else f"is not the maximum of its window, {winner.label} is"
        )
        return Made("", [ZERO], f"{A.label} {why}")

    def window_of(self, name: str, place: Index, values: Values) -> Window | None:
        """The window of an entry of P or dL/dA; none in the rest that fills no window."""
        window = place if name == self.output.name else self._window_around(place)
        return self._window(window, values) if window else None

    def state_choice(self, name: str, place: Index, values: Values) -> Term | None:
        """Of dL/dA, as the window decides."""
        if name != self.source.gradient.name:
            return None
        window = self._window_around(place)
        if window is None:
            return Term("0, it lies in no window", (), 0.0)
        dP = Factor.of(values, self.output.gradient.name, window)
        A = Factor.of(values, self.source.name, place)
        return Term("{} if {} is the first maximum of its window, else 0", (dP, A), 0.0)

    def _winners(self, A: Array) -> Labels:
        """The place of each window's maximum, counted row by row from 0; of several equal ones the first.

        Complex numbers are compared by their real part: np.argmax alone would let the imaginary part break ties.

        A (m, N, h, w) → (m, N, p, q), each in 0 … s²-1.
        """
        place: Labels = windows(A.real, self.s).argmax(axis=-1)
        return place

    def _winner(self, window: Index, values: Values) -> int:
        n, i, j = window
        s = self.s
        return int(values[self.source.name][n, s * i : s * (i + 1), s * j : s * (j + 1)].argmax())

    def _window(self, window: Index, values: Values) -> Window:
        n, i, j = window
        s, A = self.s, self.source.name
        factors = tuple(Factor.of(values, A, (n, s * i + a, s * j + b)) for a in range(s) for b in range(s))
        return Window(factors, self._winner(window, values))

    def _window_around(self, place: Index) -> Index | None:
        """The window that holds an entry of A; None in the rest that fills none."""
        n, r, c = place
        _, p, q = self.output.shape
        return (n, r // self.s, c // self.s) if r < p * self.s and c < q * self.s else None

    def _place_in_window(self, place: Index) -> int:
        return place[1] % self.s * self.s + place[2] % self.s
