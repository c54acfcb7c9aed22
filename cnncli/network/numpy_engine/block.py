"""One block of the NumPy engine: conv → relu → maxpool for some images at once, and the way back.

Five ideas make it fast; the numbers are the textbook's but for float32 rounding.

1. The image is the innermost axis: a block reads X (H, C, W, m) and leaves P (p, N, q, m), which the next block reads.
   Every long loop runs over memory in its order, whatever the stride of a pooling window.

2. Only columns are copied. The columns of kernel and pooling window, b + v, are laid out once in `lowered`; the rows
   need no copy, because k rows of `lowered` that follow each other already are the patches of one row of Z.
   k = 3, s = 2, one channel; each letter is one row of X, with the columns that tap v of an even column of Z reads:

        lowered[b=0]                   patches of Z row 0    of row 1     of row 2
        a  v=0 │ 0 2 4 6 … │  ─┐            a ┐
           v=1 │ 1 3 5 7 … │   │              │                b ┐
           v=2 │ 2 4 6 8 … │   │ one row      ├ k·k·C          │
        b  v=0 │ 0 2 4 6 … │   │ of Z       b │ lines,         ├            c ┐
           v=1 │ 1 3 5 7 … │   │              │ seen, not    c │              ├  …
           v=2 │ 2 4 6 8 … │   │            c ┘ copied         │            d │
        c  v=0 │ 0 2 4 6 … │   │                             d ┘              │
           …                  ─┘                                            e ┘

   Z[b] = w · patches[b]: one matrix product for each row of Z, no arithmetic beyond the definition's, and k copies of
   a pixel where im2col makes k². Before that the columns of X are sorted by their `phase`, column mod s: the copies
   then are of whole runs. (A patch for each pooling window instead of each pixel is ((k+s-1)/k)² times the arithmetic:
   it took between 0.9 and 1.7 times as long, docs/performance.md.)

3. Pool before bias and relu: maxpool(relu(Z + b)) = relu(maxpool(Z) + b), as both are monotone. They work on P alone.

4. The first of several equal winners wins by comparisons alone. The s columns of a window are s equally long arrays,
   and so are then its s rows: walking forward, `leads` notes which one beat all before it; walking back, the last
   leader takes the gradient and leaves 0 to the others. Z becomes the maxima in place, and dL/dP becomes dL/dZ.

5. Strips: a few rows of windows go through all of it before the next ones, while their Z is in the cache. The first
   block, which has most of it, never holds more of Z than a strip.
"""

from collections.abc import Iterator
from functools import reduce
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from cnncli.network.arrays import Array
from cnncli.network.tensors import Shape

STRIP_BYTES = 2 << 20  # of Z, and of products, unless one row of windows has more: with less, calls are too short
CACHE_LINE = 64  # bytes


class Strip(NamedTuple):
    """Some rows of pooling windows, r of them, and views of what belongs to them."""

    windows: slice  # of the p rows of windows
    unread: slice  # of the rows of X, those that no strip above has read
    phases: list[Array]  # of the unread rows: the columns 0, s, 2s …, then 1, s+1 …: s of (…, C, q…, m)
    runs: list[tuple[Array, Array]]  # a part of `lowered`, and the run of a phase that it is a copy of: (…, C, q, m)
    patches: Array  # (s, s·r, k·k·C, q·m)
    Z: Array  # (s, s·r, N, q·m)
    dZ: Array  # noqa: N815  (s, s·r, N, q·m)
    products: Array  # (s, s·r, k·k·C, N), whose sum is dL/dw
    column_leads: Array  # (s-1, s·r, N, q·m)
    row_leads: Array  # (s-1, r, N, q·m)
    P: Array  # (r, N, q·m)


class Block:
    """The arrays of one block for m images, allocated once, and the passes over them; all float32.

    `input_shape` is (C, H, W). The `first` block has no dL/dX. With padding the block works on a copy of its input that
    has zeros around it.
    """

    def __init__(self, input_shape: Shape, N: int, k: int, s: int, m: int, *, padding: int, first: bool) -> None:
        C, H, W = input_shape
        self.inside = slice(padding, padding + H), slice(None), slice(padding, padding + W)
        H, W = H + 2 * padding, W + 2 * padding
        self.padded = np.zeros((H, C, W, m), np.float32) if padding else None
        p, q = (H - k + 1) // s, (W - k + 1) // s
        self.k, self.s, self.q = k, s, q
        h = s * p  # rows of Z that a window holds; the dropped rest is not computed
        rows = h + k - 1  # rows of X that reach them
        row_bytes = 4 * s * s * N * max(q * m, k * k * C)  # of one row of windows
        strip = min(p, max(1, STRIP_BYTES // row_bytes))  # rows of windows
        self.strip_rows = s * strip + k - 1  # rows of X that a strip reads, at most
        self.phases = [empty((self.strip_rows, C, q + (s + k - 2 - phase) // s, m)) for phase in range(s)]
        self.lowered = empty((s, rows, k, C, q, m))
        patches = _sliding(self.lowered.reshape(s, rows, k * C, q * m), k)  # (s, h, k·k·C, q·m)
        Z = empty((s, s * strip, N, q * m))  # of one strip after the other
        products = empty((s, s * strip, k * k * C, N))  # likewise
        column_leads = empty((s - 1, h, N, q * m), np.bool_)
        self.row_leads = empty((s - 1, p, N, q * m), np.bool_)
        self.P = empty((p, N, q, m))
        self.zeros, self.ones = np.zeros(q * m, np.float32), np.ones(q * m, np.float32)
        if not first:
            # Above and below dL/dZ lie k-1 rows of zeros, which the way back to X reads.
            padded = empty((s, h + 2 * (k - 1), N, q * m))
            padded[:, : k - 1], padded[:, k - 1 + h :] = 0, 0
            dZ = padded[:, k - 1 : k - 1 + h]  # (s, h, N, q·m)
            self.dZ_patches = _sliding(padded, k)  # (s, rows, k·N, q·m)
            self.dX = np.zeros((H, C, W, m), np.float32)  # what no window reaches stays 0
        self.strips = list(self._cut(patches, Z, None if first else dZ, products, column_leads, strip))

    def _cut(
        self, patches: Array, Z: Array, dZ: Array | None, products: Array, column_leads: Array, rows: int
    ) -> Iterator[Strip]:
        """Strips of so many rows of windows; without a dZ of its own the block takes Z, which has done its work."""
        p, N = self.P.shape[:2]
        read = 0  # rows of X
        for top in range(0, p, rows):
            windows = slice(top, min(top + rows, p))
            of_Z = slice(self.s * windows.start, self.s * windows.stop)
            unread = slice(read, of_Z.stop + self.k - 1)
            phases = [phase[: unread.stop - unread.start] for phase in self.phases]
            here = slice(of_Z.stop - of_Z.start)
            yield Strip(
                windows,
                unread,
                phases,
                self._runs(self.lowered[:, unread], phases),
                patches[:, of_Z],
                Z[:, here],
                Z[:, here] if dZ is None else dZ[:, of_Z],
                products[:, here],
                column_leads[:, of_Z],
                self.row_leads[:, windows],
                self.P[windows].reshape(windows.stop - windows.start, N, -1),
            )
            read = unread.stop

    def forward(self, X: Array, w: Array, b: Array, *, keep: bool) -> Array:
        """P of X (H, C, W, m), w (N, k·k·C), b (N, 1) → (p, N, q, m); `keep` what the way back needs."""
        if self.padded is not None:
            self.padded[self.inside] = X
            X = self.padded
        for strip in self.strips:
            for phase, X_phase in zip(strip.phases, self._phases(X[strip.unread]), strict=True):
                phase[...] = X_phase
            for lowered, run in strip.runs:
                lowered[...] = run
            np.matmul(w, strip.patches, out=strip.Z)
            _keep_largest(strip.Z, strip.column_leads if keep else None)
            _keep_largest(self._by_row(strip.Z[0]), strip.row_leads if keep else None)
            np.add(strip.Z[0, :: self.s], b, out=strip.P)
            np.maximum(strip.P, self.zeros, out=strip.P)  # with the number 0 NumPy takes five times as long
        return self.P

    def backward(self, dP: Array) -> tuple[Array, Array]:
        """dL/dw (k·k·C, N) and dL/db (N,), from dP (p, N, q·m), which is used up; leaves dL/dZ for `backward_to_X`."""
        dP *= self.P.reshape(dP.shape) > 0
        db = (dP @ self.ones).sum(axis=0)  # (N,)
        dw = []  # of each strip (k·k·C, N)
        for strip in self.strips:
            _give_to_winner(dP[strip.windows], self._by_row(strip.dZ[0]), strip.row_leads)
            _give_to_winner(strip.dZ[0], strip.dZ, strip.column_leads)
            np.matmul(strip.patches, strip.dZ.swapaxes(2, 3), out=strip.products)
            dw.append(strip.products.sum(axis=(0, 1)))
        return reduce(np.add, dw), db

    def backward_to_X(self, turned: Array) -> Array:
        """dL/dX (H, C, W, m), after `backward`; turned (k·C, k·N) is w with its rows turned round."""
        s, rows = self.lowered.shape[:2]
        for top in range(0, rows, self.strip_rows):
            here = slice(top, min(top + self.strip_rows, rows))
            r = here.stop - top
            dlowered = self.lowered[:, :r]  # (s, r, k, C, q, m): the patches have done their work
            np.matmul(turned, self.dZ_patches[:, here], out=dlowered.reshape(s, r, len(turned), -1))
            phases = [phase[:r] for phase in self.phases]
            for phase in phases:
                phase.fill(0)
            for part, run in self._runs(dlowered, phases):
                run += part
            for phase, X_phase in zip(phases, self._phases(self.dX[here]), strict=True):
                X_phase[...] = phase
        return self.dX[self.inside]

    def _phases(self, X: Array) -> list[Array]:
        """The phases of some rows of X (r, C, W, m), as far as windows reach."""
        ends = [phase + self.s * (of.shape[2] - 1) + 1 for phase, of in enumerate(self.phases)]
        return [X[:, :, phase : end : self.s] for phase, end in enumerate(ends)]

    def _runs(self, lowered: Array, phases: list[Array]) -> list[tuple[Array, Array]]:
        """For column b of a window and tap v of the kernel: their part of `lowered`, and the run that they read."""
        runs = []
        for b in range(self.s):
            for v in range(self.k):
                first, phase = divmod(b + v, self.s)
                runs.append((lowered[b, :, v], phases[phase][:, :, first : first + self.q]))
        return runs

    def _by_row(self, Z: Array) -> Array:
        """The rows of windows as candidates: (s·r, N, q·m) → (s, r, N, q·m)."""
        return Z.reshape(-1, self.s, *Z.shape[1:]).swapaxes(0, 1)


def _keep_largest(candidates: Array, leads: Array | None) -> None:
    """The largest of candidates (s, …) in place of the first; leads (s-1, …) tells who beat all before."""
    largest = candidates[0]
    for i, candidate in enumerate(candidates[1:]):
        if leads is not None:
            np.greater(candidate, largest, out=leads[i])
        np.maximum(largest, candidate, out=largest)  # a NaN stays one


def _give_to_winner(gradient: Array, candidates: Array, leads: Array) -> None:
    """The way back of `_keep_largest`: the gradient goes to the last that took the lead, and the others get 0."""
    first = candidates[0]
    if not len(leads):
        first[...] = gradient
    for lead, candidate in zip(leads[::-1], candidates[:0:-1], strict=True):
        np.multiply(gradient, lead, out=candidate)
        gradient = np.subtract(gradient, candidate, out=first)


def empty(shape: Shape, dtype: DTypeLike = np.float32) -> Array:
    """As np.empty, but from the beginning of a cache line on: a pass takes 3 to 8 % less than on NumPy's 16 bytes."""
    size = prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def _sliding(rows: Array, k: int) -> Array:
    """k rows that follow each other as one, for every start, as a view: (s, R, c, n) → (s, R-k+1, k·c, n)."""
    s, R, c, n = rows.shape
    return as_strided(rows, (s, R - k + 1, k * c, n), rows.strides)
