"""The fused engine in float32 against the textbook in float64, within a bound that follows from float32.

A sum of n terms in floating point is off by at most n·u·Σ|term|, u = 2⁻²⁴ the unit roundoff (Higham 2002, Accuracy and
Stability of Numerical Algorithms, §3.1). The bound follows the chain forward and back: what a value may be off grows
with the sizes of its terms, and goes on through the weights' sizes. A pooling window whose two largest entries, or
whose largest entry and 0, lie closer together than what they may be off can hand its gradient to another place in
float32: there the bound takes in the whole gradient. An exact tie gets no such allowance: the first must win.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.convolution import conv, conv_backward
from cnncli.network.fused.engine import Fused
from cnncli.network.pooling import maxpool, maxpool_backward
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook

U = 2.0**-24


@dataclass(frozen=True)
class Agreement:
    """Gradients from both engines, and how far they may be apart, entry by entry."""

    name: str  # "dL/dw1", or "fused engine" for those of all parameters in one row
    fused: Array
    textbook: Array
    bound: Array

    @property
    def label(self) -> str:
        """As a derivative's: what a report calls it."""
        return self.name

    @property
    def failed(self) -> NDArray[np.bool_]:
        """The entries that are not within their bound; a NaN is not."""
        within: NDArray[np.bool_] = self.errors <= self.bound
        return ~within

    @property
    def errors(self) -> Array:
        """How far the two are apart, entry by entry."""
        error: Array = np.abs(self.fused - self.textbook)
        return error

    @property
    def share_of_bound(self) -> float:
        """The largest error as a share of its bound; 0 where nothing is off."""
        off = self.errors > 0
        with np.errstate(divide="ignore"):  # a bound of 0 allows nothing
            return float((self.errors[off] / self.bound[off]).max(initial=0))

    @property
    def passed(self) -> bool:
        """Whether no entry failed."""
        return not self.failed.any()


def compare_engines(
    architecture: Architecture, parameters: Parameters, images: Array, labels: Labels, threads: int | None = None
) -> Iterator[Agreement]:
    """Every parameter's gradient from both engines, in the parameters' order; both get the same float32 numbers."""
    parameters = {name: value.astype(np.float32) for name, value in parameters.items()}
    images = images.astype(np.float32)
    fused = Fused(architecture, threads).loss_and_gradients(parameters, images, labels)
    exact = {name: value.astype(np.float64) for name, value in parameters.items()}
    record = Textbook(architecture).record(exact, images.astype(np.float64), labels)
    bounds = gradient_bounds(architecture, record)
    for name in architecture.parameter_shapes:
        textbook = record[f"dL/d{name}"]
        yield Agreement(f"dL/d{name}", fused.gradients[name].astype(np.float64), textbook, bounds[name])


def joined(agreements: Iterable[Agreement]) -> Agreement:
    """The gradients of all parameters as one row of numbers."""
    rows = [(a.fused.ravel(), a.textbook.ravel(), a.bound.ravel()) for a in agreements]
    return Agreement("fused engine", *(np.concatenate(parts) for parts in zip(*rows, strict=True)))


def gradient_bounds(architecture: Architecture, record: Record) -> dict[str, Array]:
    """What each parameter's gradient may be off in float32, in the shapes of the parameters."""
    off = _forward_bounds(architecture, record)
    last, logit = architecture.dense, architecture.logit
    m, K = record[logit].shape
    w, F, dz = np.abs(record[f"w{last}"]), record["F"], np.abs(record[f"dL/d{logit}"])
    # A moves by no more than the largest change of a logit; exp and the division add a few roundings.
    off_dz = off[logit].max(axis=1, keepdims=True) / m + (K + 8) * U * (dz + 1 / m)  # (m, K)
    bounds = {
        f"w{last}": off_dz.T @ F + dz.T @ off["F"] + (m + 1) * U * (dz.T @ F),
        f"b{last}": off_dz.sum(axis=0) + (m + 1) * U * dz.sum(axis=0),
    }
    off_dP = (off_dz @ w + K * U * (dz @ w)).reshape(record[f"dL/dP{last - 1}"].shape)  # (m, N, p, q)
    for i in reversed(architecture.blocks):
        P = architecture.block_input(i)
        off_dZ = _off_dZ(architecture, record, i, off[f"Z{i}"], off_dP)
        w, dZ, n = np.abs(record[f"w{i}"]), np.abs(record[f"dL/dZ{i}"]), off_dP[:, 0].size + 1
        # Two of the three products carry an error that is there already, the third the rounding of its own sum.
        through_w, with_P, carried = conv_backward(np.abs(record[P]), w, off_dZ)
        _, with_off_P, _ = conv_backward(off[P], w, dZ)
        sizes_P, sizes_w, sizes_b = conv_backward(np.abs(record[P]), w, dZ)
        bounds[f"w{i}"] = with_P + with_off_P + n * U * sizes_w
        bounds[f"b{i}"] = carried + n * U * sizes_b
        off_dP = through_w + prod(w.shape[:1] + w.shape[2:]) * U * sizes_P
    return bounds


def _forward_bounds(architecture: Architecture, record: Record) -> dict[str, Array]:
    """What X, each Z and P, F and the logit may be off; X is given, so it is exact."""
    off = {"X": np.zeros_like(record["X"])}
    for i in architecture.blocks:
        P, w = architecture.block_input(i), np.abs(record[f"w{i}"])
        rounding = (w[0].size + 1) * U * conv(np.abs(record[P]), w, np.abs(record[f"b{i}"]))
        off[f"Z{i}"] = conv(off[P], w, np.zeros(len(w))) + rounding
        off[f"P{i}"] = maxpool(off[f"Z{i}"], architecture.pool)  # no maximum moves by more than its entries do
    last = architecture.dense
    w, F = np.abs(record[f"w{last}"]), record["F"]
    off["F"] = off[f"P{last - 1}"].reshape(F.shape)
    rounding = (F.shape[1] + 1) * U * (F @ w.T + np.abs(record[f"b{last}"]))
    off[architecture.logit] = off["F"] @ w.T + rounding
    return off


def _off_dZ(architecture: Architecture, record: Record, i: int, off_Z: Array, off_dP: Array) -> Array:
    """What dL/dZ may be off: what dL/dP is off at the winner, and all of dL/dP where the winner is in doubt."""
    s, Z = architecture.pool, record[f"Z{i}"]
    p, q = off_dP.shape[2:]
    whole = Z[:, :, : p * s, : q * s]  # without the dropped rest
    largest, doubt = (np.repeat(np.repeat(maxpool(value, s), s, 2), s, 3) for value in (whole, off_Z))
    near = (whole < largest) & (largest - whole <= 2 * doubt) & (largest > -doubt)
    near |= np.abs(largest) <= doubt
    doubtful = maxpool(near.astype(np.float64), s)  # (m, N, p, q)
    everywhere = np.zeros_like(Z)
    given = doubtful * (np.abs(record[f"dL/dP{i}"]) + off_dP)
    everywhere[:, :, : p * s, : q * s] = np.repeat(np.repeat(given, s, 2), s, 3)
    certain = maxpool_backward(record[f"A{i}"], off_dP, s) * (Z > 0)
    off: Array = np.maximum(certain, everywhere)
    return off
