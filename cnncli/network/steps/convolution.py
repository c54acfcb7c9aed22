"""Z = conv(P, w) + b: cross-correlation, no flip, stride 1, zero padding; and its three derivatives."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnncli.errors import ArchitectureError
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.steps.step import Step
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Factor, Index, Made, Reader, Term, Values, product_of


@dataclass(frozen=True)
class Convolution(Step):
    """Z[n,i,j] = b[n] + Σ_c Σ_u Σ_v X[c,i+u-p,j+v-p]·w[n,c,u,v], where X is 0 outside the image.

    X (C, H, W), w (N, C, k, k), b (N,) → Z (N, H+2p-k+1, W+2p-k+1).
    """

    p: int = 0

    kind = "convolution"
    signature = "conv_backward(X, w1, dZ1)"
    options = ("padding",)
    contract = "Z1[n,i,j] = b1[n] + sum over c, u, v of X[c,i+u,j+v] * w1[n,c,u,v]: nothing is flipped."

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "Convolution":
        """The convolution of a block. Raises ArchitectureError where the kernel is larger than what it reads."""
        C, H, W = source.shape
        N, k, p = architecture.filters[block - 1], architecture.kernel, architecture.padding
        if min(H, W) + 2 * p < k:
            padded = f" with padding {p}" if p else ""
            raise ArchitectureError(
                f"block {block} does not fit: its {k}×{k} kernel is larger than its input {source.name}, "
                f"{H}×{W}{padded}; use a larger image, a smaller kernel or fewer blocks"
            )
        Z = Tensor(f"Z{block}", "value", "Nhw", (N, H + 2 * p - k + 1, W + 2 * p - k + 1), block)
        w = Tensor(f"w{block}", "weight", "NCkk", (N, C, k, k), block)
        return cls(source, Z, (w, Tensor(f"b{block}", "bias", "N", (N,), block)), p=p)

    @property
    def formula(self) -> str:
        """conv(X, w1) + b1."""
        w, b = self.parameters
        return f"conv({self.source.name}, {w.name}) + {b.name}"

    @property
    def gradient_formulas(self) -> tuple[str, str, str]:
        """Of the source, w and b."""
        dZ = self.output.gradient.name
        turned = f"full conv of {dZ} with {self.parameters[0].name} turned by 180°"
        return turned, f"conv({self.source.name}, {dZ})", f"Σ {dZ}"

    @property
    def description(self) -> str:
        """conv 3×3 + bias, padding 1."""
        return f"conv {self._k}×{self._k} + bias" + (f", padding {self.p}" if self.p else "")

    def forward(self, source: Array, *parameters: Array) -> Array:
        """Z (m, N, h, w) of X (m, C, H, W), w (N, C, k, k), b (N,)."""
        w, b = parameters
        return _correlate(pad(source, self.p), w) + b[:, None, None]  # (m, N, h, w)

    def backward(self, gradient: Array, source: Array, *parameters: Array) -> tuple[Array, Array, Array]:
        """From dL/dZ to dL/dX, dL/dw and dL/db, summed over the images.

        dL/dX is the full correlation of dL/dZ with w turned by 180°: X[c,i,j] reached Z[n,i-u+p,j-v+p] through
        w[n,c,u,v]; what falls on the padding is nobody's.
        dL/dw = conv(X, dL/dZ): dL/dw[n,c,u,v] = Σ_i Σ_j dL/dZ[n,i,j]·X[c,i+u-p,j+v-p].
        dL/db[n] = Σ dL/dZ[n]: every position adds b once.

        dZ (m, N, h, w), X (m, C, H, W), w (N, C, k, k) → dX as X, dw as w, db (N,).
        """
        w, k = parameters[0], self._k
        dX = _correlate(pad(gradient, k - 1), w[:, :, ::-1, ::-1].swapaxes(0, 1))  # (m, C, H+2p, W+2p)
        dw = np.tensordot(gradient, _patches(pad(source, self.p), k), axes=([0, 2, 3], [0, 2, 3]))  # (N, C, k, k)
        return unpad(dX, self.p), dw, gradient.sum(axis=(0, 2, 3))

    def carry_strongest(self, gradient: Array, source: Array, *parameters: Array) -> Array:
        """The largest |w|·gradient over all positions that read an entry: (m, N, h, w) → as X."""
        _, N, h, width = gradient.shape
        w = np.abs(parameters[0])  # (N, C, k, k)
        strongest = np.zeros_like(pad(source, self.p))  # (m, C, H+2p, W+2p)
        for n, u, v in np.ndindex(N, self._k, self._k):
            part = strongest[:, :, u : u + h, v : v + width]
            np.maximum(part, w[n, :, u, v, None, None] * gradient[:, n, None], out=part)
        return unpad(strongest, self.p)

    def explain(self, place: Index, values: Values) -> Made:
        """The products of the patch at a position with the filter, and the bias."""
        n, i, j = place
        X, (w, b) = self.source, self.parameters
        C = X.shape[0]
        bias = Factor.of(values, b.name, (n,))
        terms = [
            product_of((Factor.of(values, X.name, (c, *at)), Factor.of(values, w.name, (n, c, u, v))))
            for c, u, v in np.ndindex(C, self._k, self._k)
            if self._holds(at := (i + u - self.p, j + v - self.p))
        ]
        sums, c = ("Σ_c Σ_u Σ_v", "c") if C > 1 else ("Σ_u Σ_v", "0")
        patch = f"{X.name}[{c},{_shift('u', i - self.p)},{_shift('v', j - self.p)}]"
        return Made(f"{sums} {patch}·{w.name}[{n},{c},u,v] + {bias.label}", [*terms, product_of((bias,))])

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """For X the positions whose patch holds it, for w and b every position of their filter."""
        _, h, width = self.output.shape
        X, w = self.source, self.parameters[0]
        if name == X.name:
            c, r, s = place[0], place[1] + self.p, place[2] + self.p
            for n, u, v in np.ndindex(w.shape[0], self._k, self._k):
                if 0 <= r - u < h and 0 <= s - v < width:
                    yield _reader((n, r - u, s - v), Factor.of(values, w.name, (n, c, u, v)))
        elif name == w.name:
            n, c, u, v = place
            for i, j in np.ndindex(h, width):
                if self._holds(at := (i + u - self.p, j + v - self.p)):
                    yield _reader((n, i, j), Factor.of(values, X.name, (c, *at)))
        else:
            for i, j in np.ndindex(h, width):
                yield Reader((*place, i, j), 1.0, "a bias is added")

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """The sums of the note's expansion."""
        dZ, X, (w, b) = self.output.gradient.name, self.source.name, self.parameters
        if name == w.name:
            n, c, u, v = place
            return Made(f"Σ_i Σ_j {dZ}[{n},i,j]·{X}[{c},{_shift('i', u - self.p)},{_shift('j', v - self.p)}]", terms)
        if name == b.name:
            return Made(f"Σ_i Σ_j {dZ}[{place[0]},i,j]", terms, "every position added the bias once")
        c, r, s = place[0], place[1] + self.p, place[2] + self.p
        sums, letter = ("Σ_n Σ_u Σ_v", "n") if w.shape[0] > 1 else ("Σ_u Σ_v", "0")
        formula = f"{sums} {dZ}[{letter},{r}−u,{s}−v]·{w.name}[{letter},{c},u,v]"
        plural = "s" if len(terms) != 1 else ""
        return Made(formula, terms, f"over the {len(terms)} product{plural} in which it was read")

    @property
    def _k(self) -> int:
        return self.parameters[0].shape[-1]

    def _holds(self, at: Index) -> bool:
        """Whether the image has such a row and column; elsewhere is padding, whose products are 0 and not listed."""
        return all(0 <= place < length for place, length in zip(at, self.source.shape[1:], strict=True))


def _correlate(X: Array, w: Array) -> Array:
    """Σ_c Σ_u Σ_v X[c,i+u,j+v]·w[n,c,u,v]: X (m, C, H, W), w (N, C, k, k) → (m, N, H-k+1, W-k+1)."""
    product = np.tensordot(_patches(X, w.shape[-1]), w, axes=([1, 4, 5], [1, 2, 3]))  # (m, h, w, N)
    return np.ascontiguousarray(np.moveaxis(product, 3, 1))


def pad(X: Array, p: int) -> Array:
    """p rows and columns of zeros around every channel: (m, C, H, W) → (m, C, H+2p, W+2p)."""
    return np.pad(X, ((0, 0), (0, 0), (p, p), (p, p))) if p else X


def unpad(X: Array, p: int) -> Array:
    """The opposite: (m, C, H+2p, W+2p) → (m, C, H, W)."""
    return X[:, :, p:-p, p:-p] if p else X


def _patches(X: Array, k: int) -> Array:
    """Every k×k patch of every image, as a view: (m, C, H, W) → (m, C, H-k+1, W-k+1, k, k)."""
    return np.lib.stride_tricks.sliding_window_view(X, (k, k), axis=(2, 3))


def _reader(place: Index, factor: Factor) -> Reader:
    return Reader(place, factor.value, factor.label, factor)


def _shift(letter: str, by: int) -> str:
    """The letter of an index, moved: "u", "u+1", "u−1"."""
    return f"{letter}{'+' if by > 0 else '−'}{abs(by)}" if by else letter
