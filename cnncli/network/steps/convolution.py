"""Z = conv(P, w) + b: cross-correlation, no flip, with zero padding, stride and dilation; and its three derivatives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnncli.errors import ArchitectureError
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.products import Products
from cnncli.network.steps.step import Step
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Factor, Index, Made, Reader, Term, Values, product_of


@dataclass(frozen=True)
class Convolution(Step):
    """Z[n,i,j] = b[n] + Σ_c Σ_u Σ_v X[c,t·i+d·u-p,t·j+d·v-p]·w[n,c,u,v], where X is 0 outside the image.

    X (C, H, W), w (N, C, k, k), b (N,) → Z (N, h, w), h = ⌊(H+2p-d(k-1)-1)/t⌋+1.
    """

    p: int = 0  # padding
    t: int = 1  # stride
    d: int = 1  # dilation

    kind = "convolution"
    signature = "conv_backward(X, w1, dZ1)"
    options = ("padding", "stride", "dilation")
    contract = "Z1[n,i,j] = b1[n] + sum over c, u, v of X[c,i+u,j+v] * w1[n,c,u,v]: nothing is flipped."

    @classmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "Convolution":
        """The convolution of a block. Raises ArchitectureError where the kernel is larger than what it reads."""
        C, H, W = source.shape
        N, k, p = architecture.filters[block - 1], architecture.kernel, architecture.padding
        t, d = architecture.stride, architecture.dilation
        reach = d * (k - 1) + 1  # rows and columns that a kernel spans
        if min(H, W) + 2 * p < reach:
            dilated = f" with dilation {d}" if d > 1 else ""
            padded = f" with padding {p}" if p else ""
            raise ArchitectureError(
                f"block {block} does not fit: its {k}×{k} kernel{dilated} is larger than its input {source.name}, "
                f"{H}×{W}{padded}; use a larger image, a smaller kernel or fewer blocks"
            )
        h, width = ((side + 2 * p - reach) // t + 1 for side in (H, W))
        Z = Tensor(f"Z{block}", "value", "Nhw", (N, h, width), block)
        w = Tensor(f"w{block}", "weight", "NCkk", (N, C, k, k), block)
        return cls(source, Z, (w, Tensor(f"b{block}", "bias", "N", (N,), block)), p=p, t=t, d=d)

    @property
    def formula(self) -> str:
        """conv(X, w1) + b1."""
        w, b = self.parameters
        return f"conv({self.source.name}, {w.name}) + {b.name}"

    @property
    def gradient_formulas(self) -> tuple[str, str, str]:
        """Of the source, w and b."""
        dZ = self.output.gradient.name
        spread = f", {self.t - 1} zeros between its entries," if self.t > 1 else ""
        turned = f"full conv of {dZ}{spread} with {self.parameters[0].name} turned by 180°"
        exchanged = _tell_unusual({"stride": (self.d, 1), "dilation": (self.t, 1)})
        return turned, f"conv({self.source.name}, {dZ}){exchanged}", f"Σ {dZ}"

    @property
    def description(self) -> str:
        """conv 3×3 + bias, padding 1, stride 2."""
        unusual = _tell_unusual({"padding": (self.p, 0), "stride": (self.t, 1), "dilation": (self.d, 1)})
        return f"conv {self._k}×{self._k} + bias{unusual}"

    def forward(self, source: Array, *parameters: Array) -> Array:
        """Z (m, N, h, w) of X (m, C, H, W), w (N, C, k, k), b (N,)."""
        w, b = parameters
        return _correlate(pad(source, self.p), w, self.t, self.d) + b[:, None, None]  # (m, N, h, w)

    def backward(self, gradient: Array, source: Array, *parameters: Array) -> tuple[Array, Array, Array]:
        """From dL/dZ to dL/dX, dL/dw and dL/db, summed over the images.

        dL/dX is the full correlation of dL/dZ, with t-1 zeros between its entries, with w turned by 180°:
        X[c,t·i+d·u-p,t·j+d·v-p] reached Z[n,i,j] through w[n,c,u,v]; what falls on the padding is nobody's.
        dL/dw = conv(X, dL/dZ): dL/dw[n,c,u,v] = Σ_i Σ_j dL/dZ[n,i,j]·X[c,t·i+d·u-p,t·j+d·v-p].
        dL/db[n] = Σ dL/dZ[n]: every position adds b once.

        dZ (m, N, h, w), X (m, C, H, W), w (N, C, k, k) → dX as X, dw as w, db (N,).
        """
        w, k = parameters[0], self._k
        around = self.d * (k - 1)
        X = pad(source, self.p)
        dense = _spread(gradient, self.t, [side - around for side in X.shape[2:]])
        dX = _correlate(pad(dense, around), w[:, :, ::-1, ::-1].swapaxes(0, 1), 1, self.d)  # (m, C, H+2p, W+2p)
        dw = np.tensordot(gradient, patches(X, k, self.t, self.d), axes=([0, 2, 3], [0, 2, 3]))  # (N, C, k, k)
        return unpad(dX, self.p), dw, gradient.sum(axis=(0, 2, 3))

    def products(self, gradient: Array, source: Array, *parameters: Array) -> tuple[Products, Products, Products]:
        """dZ times w, put where X was read; dZ times the patches of X, summed; dZ, summed."""
        w, w_name = parameters[0], self.parameters[0].name
        dZ, X = self.output.gradient.name, self.source.name
        taken = patches(pad(source, self.p), self._k, self.t, self.d)  # (m, C, h, w, k, k)
        H, W = source.shape[2:]
        numbers = np.full((1, 1, H + 2 * self.p, W + 2 * self.p), -1)
        numbers[:, :, self.p : self.p + H, self.p : self.p + W] = np.arange(H * W).reshape(H, W)
        places = patches(numbers, self._k, self.t, self.d)[0, 0]  # (h, w, k, k)
        return (
            Products("mnij,ncuv->mcijuv", (dZ, w_name), (gradient, w), "mcrs", source.shape, places),
            Products("mnij,mcijuv->ncuv", (dZ, X), (gradient, taken), "ncuv", w.shape),
            Products("mnij->n", (dZ,), (gradient,), "n", parameters[1].shape),
        )

    def carry_strongest(self, gradient: Array, source: Array, *parameters: Array) -> Array:
        """The largest |w|·gradient over all positions that read an entry: (m, N, h, w) → as X."""
        _, N, h, width = gradient.shape
        w = np.abs(parameters[0])  # (N, C, k, k)
        strongest = np.zeros_like(pad(source, self.p))  # (m, C, H+2p, W+2p)
        for n, u, v in np.ndindex(N, self._k, self._k):
            rows, columns = self._reads(u, h), self._reads(v, width)
            part = strongest[:, :, rows, columns]
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
            if self._holds(at := (self._at(i, u), self._at(j, v)))
        ]
        sums, c = ("Σ_c Σ_u Σ_v", "c") if C > 1 else ("Σ_u Σ_v", "0")
        patch = f"{X.name}[{c},{_index(self.d, 'u', self._at(i, 0))},{_index(self.d, 'v', self._at(j, 0))}]"
        return Made(f"{sums} {patch}·{w.name}[{n},{c},u,v] + {bias.label}", [*terms, product_of((bias,))])

    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """For X the positions whose patch holds it, for w and b every position of their filter."""
        _, h, width = self.output.shape
        X, w = self.source, self.parameters[0]
        if name == X.name:
            c, r, s = place[0], place[1] + self.p, place[2] + self.p
            for n, u, v in np.ndindex(w.shape[0], self._k, self._k):
                (i, over), (j, beside) = (divmod(at - self.d * by, self.t) for at, by in ((r, u), (s, v)))
                if not over and not beside and 0 <= i < h and 0 <= j < width:
                    yield _reader((n, i, j), Factor.of(values, w.name, (n, c, u, v)))
        elif name == w.name:
            n, c, u, v = place
            for i, j in np.ndindex(h, width):
                if self._holds(at := (self._at(i, u), self._at(j, v))):
                    yield _reader((n, i, j), Factor.of(values, X.name, (c, *at)))
        else:
            for i, j in np.ndindex(h, width):
                yield Reader((*place, i, j), 1.0, "a bias is added")

    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """The sums of the note's expansion."""
        dZ, X, (w, b) = self.output.gradient.name, self.source.name, self.parameters
        if name == w.name:
            n, c, u, v = place
            patch = f"{X}[{c},{_index(self.t, 'i', self._at(0, u))},{_index(self.t, 'j', self._at(0, v))}]"
            return Made(f"Σ_i Σ_j {dZ}[{n},i,j]·{patch}", terms)
        if name == b.name:
            return Made(f"Σ_i Σ_j {dZ}[{place[0]},i,j]", terms, "every position added the bias once")
        c, r, s = place[0], place[1] + self.p, place[2] + self.p
        sums, letter = ("Σ_n Σ_u Σ_v", "n") if w.shape[0] > 1 else ("Σ_u Σ_v", "0")
        position = ",".join(_backwards(at, self.d, by, self.t) for at, by in ((r, "u"), (s, "v")))
        formula = f"{sums} {dZ}[{letter},{position}]·{w.name}[{letter},{c},u,v]"
        plural = "s" if len(terms) != 1 else ""
        return Made(formula, terms, f"over the {len(terms)} product{plural} in which it was read")

    @property
    def _k(self) -> int:
        return self.parameters[0].shape[-1]

    def _at(self, i: int, u: int) -> int:
        """The row of X that position i reads with row u of the kernel; below 0 it lies in the padding."""
        return self.t * i + self.d * u - self.p

    def _reads(self, u: int, positions: int) -> slice:
        """The rows of the padded X that all positions read with row u of the kernel."""
        first = self.d * u
        return slice(first, first + self.t * (positions - 1) + 1, self.t)

    def _holds(self, at: Index) -> bool:
        """Whether the image has such a row and column; elsewhere is padding, whose products are 0 and not listed."""
        return all(0 <= place < length for place, length in zip(at, self.source.shape[1:], strict=True))


def _correlate(X: Array, w: Array, t: int, d: int) -> Array:
    """Σ_c Σ_u Σ_v X[c,t·i+d·u,t·j+d·v]·w[n,c,u,v]: X (m, C, H, W), w (N, C, k, k) → (m, N, h, w)."""
    product = np.tensordot(patches(X, w.shape[-1], t, d), w, axes=([1, 4, 5], [1, 2, 3]))  # (m, h, w, N)
    return np.ascontiguousarray(np.moveaxis(product, 3, 1))


def pad(X: Array, p: int) -> Array:
    """p rows and columns of zeros around every channel: (m, C, H, W) → (m, C, H+2p, W+2p)."""
    return np.pad(X, ((0, 0), (0, 0), (p, p), (p, p))) if p else X


def unpad(X: Array, p: int) -> Array:
    """The opposite: (m, C, H+2p, W+2p) → (m, C, H, W)."""
    return X[:, :, p:-p, p:-p] if p else X


def patches(X: Array, k: int, t: int, d: int) -> Array:
    """The k×k numbers that each position of a kernel reads, as a view: (m, C, H, W) → (m, C, h, w, k, k)."""
    reach = d * (k - 1) + 1
    every = np.lib.stride_tricks.sliding_window_view(X, (reach, reach), axis=(2, 3))
    return every[:, :, ::t, ::t, ::d, ::d]


def _spread(gradient: Array, t: int, sides: Sequence[int]) -> Array:
    """The entries t apart with zeros between, as with stride 1: (m, N, h, w) → (m, N, *sides)."""
    if t == 1:
        return gradient
    dense = np.zeros((*gradient.shape[:2], *sides), gradient.dtype)
    h, w = gradient.shape[2:]
    dense[:, :, : t * h : t, : t * w : t] = gradient
    return dense


def _reader(place: Index, factor: Factor) -> Reader:
    return Reader(place, factor.value, factor.label, factor)


def _tell_unusual(numbers: Mapping[str, tuple[int, int]]) -> str:
    """Those of the numbers that are not their default: ", stride 2"."""
    return "".join(f", {name} {number}" for name, (number, default) in numbers.items() if number != default)


def _index(times: int, letter: str, plus: int) -> str:
    """An index that runs with a letter: "u", "u+1", "2·u−1"."""
    product = f"{times}·{letter}" if times > 1 else letter
    return f"{product}{'+' if plus > 0 else '−'}{abs(plus)}" if plus else product


def _backwards(at: int, times: int, letter: str, by: int) -> str:
    """The position that reads a place with a row of the kernel: "4−u", "(4−2·u)/3"."""
    difference = f"{at}−{_index(times, letter, 0)}"
    return f"({difference})/{by}" if by > 1 else difference
