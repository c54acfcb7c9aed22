"""One block of the fused engine: conv → relu → maxpool for some images at once, and the way back.

Four ideas make it fast; the numbers are the textbook's but for float32 rounding.

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

   Z[b] = w · patches[b]: one matrix product for each row of Z, no arithmetic beyond the definition's, and k·s/s² = k/s
   copies of a pixel where im2col makes k². (A patch for each pooling window instead of each pixel is ((k+s-1)/k)²
   times the arithmetic: it took between 0.9 and 1.7 times as long, docs/performance.md.)

3. Pool before bias and relu: maxpool(relu(Z + b)) = relu(maxpool(Z) + b), as both are monotone. They work on P alone.

4. The s² candidates of a window are s² equally long arrays. Walking them in row-major order, `leads` notes which one
   beat all before it; walking back, the last leader takes the gradient, and the others find 0 left. So it is the first
   of several equal ones that wins.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnncli.network.arrays import Array, Shape


class FusedBlock:
    """The arrays of one block for m images, allocated once, and the passes over them; all float32.

    `input_shape` is (C, H, W). The parameters come and the gradients go in the engine's own order (`weight_matrix`).
    """

    def __init__(self, input_shape: Shape, N: int, k: int, s: int, m: int) -> None:
        C, H, W = input_shape
        p, q = (H - k + 1) // s, (W - k + 1) // s
        self.k, self.s, self.q = k, s, q
        self.h = s * p  # rows of Z that a window holds; the dropped rest is not computed
        self.rows = self.h + k - 1  # rows of X that reach them
        self.lowered = np.empty((s, self.rows, k, C, q, m), np.float32)
        self.patches = _sliding(self.lowered.reshape(s, self.rows, k * C, q * m), k)  # (s, h, k·k·C, q·m)
        # Above and below Z lie k-1 rows of zeros, which the way back to X reads as dL/dZ.
        padded = np.zeros((s, self.h + 2 * (k - 1), N, q * m), np.float32)
        self.Z = padded[:, k - 1 : k - 1 + self.h]  # (s, h, N, q·m); the way back puts dL/dZ in its place
        self.dZ_patches = _sliding(padded, k)  # (s, rows, k·N, q·m)
        self.candidates = [self.Z[b, a::s] for a in range(s) for b in range(s)]  # s² of (p, N, q·m), row-major
        self.leads = np.empty((s * s - 1, p, N, q * m), np.bool_)
        self.positive = np.empty((p, N, q * m), np.bool_)
        self.P = np.empty((p, N, q, m), np.float32)
        self.dX = np.empty((H, C, W, m), np.float32)

    def forward(self, X: Array, w: Array, b: Array, *, keep: bool) -> Array:
        """P of X (H, C, W, m), w (N, k·k·C), b (N, 1) → (p, N, q, m); `keep` what the way back needs."""
        for column in range(self.s):
            for v in range(self.k):
                self.lowered[column, :, v] = self._columns(X, column + v)
        np.matmul(w, self.patches, out=self.Z)
        P = self.P.reshape(self.positive.shape)  # (p, N, q·m)
        largest = self.candidates[0]
        for lead, Z in zip(self.leads, self.candidates[1:], strict=True):
            if keep:
                np.greater(Z, largest, out=lead)
            largest = np.maximum(largest, Z, out=P)  # a NaN stays one
        np.add(largest, b, out=P)
        np.maximum(P, 0, out=P)
        return self.P

    def backward(self, dP: Array) -> tuple[Array, Array]:
        """dL/dw (k·k·C, N) and dL/db (N,), from dP (p, N, q·m), which is used up; leaves dL/dZ for `backward_to_X`."""
        np.greater(self.P.reshape(dP.shape), 0, out=self.positive)
        dP *= self.positive
        db = dP.sum(axis=(0, 2))
        for lead, dZ in zip(self.leads[::-1], self.candidates[:0:-1], strict=True):
            np.multiply(dP, lead, out=dZ)
            dP -= dZ
        self.candidates[0][...] = dP
        dw = np.matmul(self.patches, self.Z.swapaxes(2, 3))  # (s, h, k·k·C, N)
        return dw.sum(axis=(0, 1)), db

    def backward_to_X(self, turned: Array) -> Array:
        """dL/dX (H, C, W, m), after `backward`; turned (k·C, k·N) is w with its rows turned round."""
        rows = self.lowered.shape[:2]
        np.matmul(turned, self.dZ_patches, out=self.lowered.reshape(*rows, len(turned), -1))
        self.dX.fill(0)
        for column in range(self.s):
            for v in range(self.k):
                dX = self._columns(self.dX, column + v)
                dX += self.lowered[column, :, v]
        return self.dX

    def _columns(self, X: Array, first: int) -> Array:
        """Every s-th column, one for each window, of the rows that are read: (H, C, W, m) → (rows, C, q, m)."""
        return X[: self.rows, :, first : first + self.s * (self.q - 1) + 1 : self.s]


def weight_matrix(w: Array) -> Array:
    """w (N, C, k, k) in the order of the patches: (N, k·k·C)."""
    return np.ascontiguousarray(w.transpose(0, 2, 3, 1)).reshape(len(w), -1)


def weight_gradient(dw: Array, shape: Shape) -> Array:
    """The way back of `weight_matrix`: dw (k·k·C, N), shape (N, C, k, k) → that shape."""
    N, C, k, _ = shape
    return np.ascontiguousarray(dw.reshape(k, k, C, N).transpose(3, 2, 0, 1))


def turned_weights(w: Array) -> Array:
    """w with its rows turned round, for the full correlation with dL/dZ: (N, C, k, k) → (k·C, k·N)."""
    N, C, k, _ = w.shape
    return np.ascontiguousarray(w[:, :, ::-1].transpose(3, 1, 2, 0)).reshape(k * C, k * N)


def _sliding(rows: Array, k: int) -> Array:
    """k rows that follow each other as one, for every start, as a view: (s, R, c, n) → (s, R-k+1, k·c, n)."""
    s, R, c, n = rows.shape
    return as_strided(rows, (s, R - k + 1, k * c, n), rows.strides)
