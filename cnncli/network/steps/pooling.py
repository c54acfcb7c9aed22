"""What all pooling has in common: windows of s×s, t apart, and a rest that fills none of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnncli.errors import ArchitectureError
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.tensors import Shape, Tensor
from cnncli.network.terms import Index


@dataclass(frozen=True)
class Windows:
    """Where the windows of a block lie in A (N, h, w): p×q of them, s×s, from one to the next t.

    They overlap where t < s; where t > s what lies between them is in none.
    """

    s: int = 1
    t: int = 1

    def pool(self, A: Tensor, block: int) -> Tensor:
        """P (N, ⌊(h-s)/t⌋+1, ⌊(w-s)/t⌋+1) of A. Raises ArchitectureError where the window is larger than A."""
        N, h, w = A.shape
        if min(h, w) < self.s:
            raise ArchitectureError(
                f"block {block} does not fit: its {self.s}×{self.s} pooling window is larger than {A.name}, {h}×{w}; "
                "use a larger image, a smaller pool or fewer blocks"
            )
        p, q = ((side - self.s) // self.t + 1 for side in (h, w))
        return Tensor(f"P{block}", "value", "Npq", (N, p, q), block)

    @property
    def overlap(self) -> bool:
        """Whether an entry of A may be in several windows."""
        return self.t < self.s

    @property
    def description(self) -> str:
        """2×2, or 3×3 stride 2."""
        return f"{self.s}×{self.s}" + (f" stride {self.t}" if self.t != self.s else "")

    @property
    def outside(self) -> str:
        """Where an entry of A is that no window holds."""
        return "none of the windows" if self.t > self.s else "the rest that fills no window"

    def take(self, A: Array) -> Array:
        """The numbers of every window, row by row: (m, N, h, w) → (m, N, p, q, s²)."""
        every = np.lib.stride_tricks.sliding_window_view(A, (self.s, self.s), axis=(2, 3))
        apart = every[:, :, :: self.t, :: self.t]  # (m, N, p, q, s, s)
        return apart.reshape(*apart.shape[:4], self.s**2)

    def put_back(self, numbers: Array, shape: Shape, join: np.ufunc = np.add) -> Array:
        """The opposite of `take`: what an entry has in several windows is joined, the rest is 0.

        (m, N, p, q, s²) → (m, N, h, w).
        """
        A = np.zeros(shape, numbers.dtype)  # (m, N, h, w)
        p, q = numbers.shape[2:4]
        for place, (a, b) in enumerate(np.ndindex(self.s, self.s)):
            part = A[:, :, a : a + self.t * p : self.t, b : b + self.t * q : self.t]
            join(part, numbers[..., place], out=part)
        return A

    def places(self, window: Index) -> list[Index]:
        """The entries of A in a window, row by row."""
        n, i, j = window
        return [(n, self.t * i + a, self.t * j + b) for a, b in np.ndindex(self.s, self.s)]

    def around(self, place: Index, p: int, q: int) -> Iterator[Index]:
        """The windows that hold an entry of A, of p×q; none in the rest that fills none."""
        n, r, c = place
        for i in self._along(r, p):
            for j in self._along(c, q):
                yield n, i, j

    def _along(self, at: int, windows: int) -> range:
        first = max(-((self.s - 1 - at) // self.t), 0)  # ⌈(at-s+1)/t⌉
        return range(first, min(at // self.t + 1, windows))


def lay_windows(architecture: Architecture) -> Windows:
    """The windows of an architecture's blocks."""
    return Windows(architecture.pool, architecture.window_stride)
