"""Another stride, padding, dilation or window than the one that was given; windows that a reshape cuts out wrongly."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.shares import Share, every, first
from cnncli.network.arrays import Array
from cnncli.network.steps.average_pooling import AveragePooling
from cnncli.network.steps.convolution import Convolution, pad, patches
from cnncli.network.steps.max_pooling import MaxPooling
from cnncli.network.steps.pooling import Windows

Numbers = Mapping[str, int | str]  # what a step's numbers are taken for, a letter for another of its own
OF_CONVOLUTION: dict[str, Numbers] = {
    "as if there were no padding": {"p": 0},
    "as if the padding were 1": {"p": 1},
    "as if the stride were 1": {"t": 1},
    "as if the dilation were 1": {"d": 1},
    "as if there were neither padding nor stride nor dilation": {"p": 0, "t": 1, "d": 1},
    "as if there were neither stride nor dilation": {"t": 1, "d": 1},
    "as if there were neither padding nor stride": {"p": 0, "t": 1},
    "with the dilation in the place of the stride": {"t": "d"},
    "with the stride in the place of the dilation": {"d": "t"},
    "with stride and dilation exchanged": {"t": "d", "d": "t"},
}
OF_POOLING: dict[str, Numbers] = {
    "as if the windows were 2×2 and 2 apart": {"s": 2, "t": 2},
    "as if the windows were 2×2": {"s": 2},
    "as if the windows were 1 apart": {"t": 1},
    "as if the windows were 2 apart": {"t": 2},
    "as if the windows were as far apart as they are large": {"t": "s"},
    "as if the windows were as large as they are apart": {"s": "t"},
}


PADDINGS = {"edge": "its own border", "reflect": "its reflection", "wrap": "its other side", "mean": "its mean"}


def list_of_numbers(evidence: Evidence) -> Iterator[Hypothesis]:
    """All of a link."""
    step = evidence.step
    if isinstance(step, Convolution) and evidence.which < 2:
        for words, numbers in OF_CONVOLUTION.items():
            yield Hypothesis(f"{{}} is made {words}", partial(_convolve_with, numbers))
        for mode, words in PADDINGS.items() if evidence.which == 1 else ():
            yield Hypothesis(f"{{}} is made with X padded by {words}, not by 0", partial(_pad_by, mode))
    if isinstance(step, MaxPooling | AveragePooling):
        for words, numbers in OF_POOLING.items():
            yield Hypothesis(f"{{}} is made {words}", partial(_pool_with, numbers))
            if isinstance(step, MaxPooling):
                yield Hypothesis(f"{{}} is put into its places {words}", partial(_put_with, numbers))
    if isinstance(step, MaxPooling):
        yield from _list_cuts()


def _resolve(numbers: Numbers, own: dict[str, int]) -> dict[str, int]:
    """The numbers that a step is taken to have."""
    taken = {name: numbers.get(name, number) for name, number in own.items()}
    return {name: own[number] if isinstance(number, str) else number for name, number in taken.items()}


def _convolve_with(numbers: Numbers, evidence: Evidence) -> Array:
    """Positions, as many as there are, that read elsewhere; what lies outside is nowhere."""
    step = evidence.step
    if not isinstance(step, Convolution):
        raise LookupError
    taken = _resolve(numbers, {"p": step.p, "t": step.t, "d": step.d})
    X, w = evidence.read[:2]
    H, W = X.shape[2:]
    (h, k), (width, _) = zip(evidence.given.shape[2:], w.shape[2:], strict=True)
    room = max(taken["t"] * max(h, width) + taken["d"] * k - min(H, W), 0) + taken["p"]
    inside = (slice(room - taken["p"], None),) * 2

    def take(array: Array) -> Array:
        """(m, C, H, W) → (m, C, h, w, k, k)."""
        return patches(array[:, :, *inside], k, taken["t"], taken["d"])[:, :, :h, :width]

    if evidence.which == 1:
        return evidence.products.exchange(1, take(pad(X, room))).total()
    places = np.full((1, 1, H + 2 * room, W + 2 * room), -1)
    places[:, :, room : room + H, room : room + W] = np.arange(H * W).reshape(H, W)
    return replace(evidence.products, places=take(places)[0, 0]).total()


def _pad_by(mode: Any, evidence: Evidence) -> Array:
    step = evidence.step
    if not isinstance(step, Convolution):
        raise LookupError
    X, k = evidence.read[0], evidence.read[1].shape[-1]
    padded = np.pad(X, ((0, 0), (0, 0), (step.p, step.p), (step.p, step.p)), mode=mode)
    return evidence.products.exchange(1, patches(padded, k, step.t, step.d)).total()


def _pool_with(numbers: Numbers, evidence: Evidence) -> Array:
    """Windows, as many as there are, that lie elsewhere."""
    step, products = evidence.step, evidence.products
    if not isinstance(step, MaxPooling | AveragePooling):
        raise LookupError
    taken = Windows(**_resolve(numbers, {"s": step.windows.s, "t": step.windows.t}))
    A, dP = evidence.read[0], evidence.given
    p, q = dP.shape[2:]
    room = max(taken.t * max(p, q) + taken.s - min(A.shape[2:]), 0)
    padded = np.pad(A, ((0, 0), (0, 0), (0, room), (0, room)), constant_values=-np.inf)
    places = np.pad(np.arange(A[0, 0].size).reshape(A.shape[2:]), (0, room), constant_values=-1)
    values, goes = taken.take(padded)[:, :, :p, :q], taken.take(places[None, None])[0, 0, :p, :q]
    shares = first(values, dP) if isinstance(step, MaxPooling) else np.full(values.shape, 1 / taken.s**2)
    return replace(products, places=goes).exchange(1, shares).total()


def _put_with(numbers: Numbers, evidence: Evidence) -> Array:
    """The right winner at its place of a window, which itself lies elsewhere."""
    step, products = evidence.step, evidence.products
    if not isinstance(step, MaxPooling):
        raise LookupError
    s, t = step.windows.s, _resolve(numbers, {"s": step.windows.s, "t": step.windows.t})["t"]
    (h, w), (p, q) = evidence.read[0].shape[2:], evidence.given.shape[2:]
    rows, columns = (t * np.arange(count)[:, None] + np.arange(s) for count in (p, q))
    inside = (rows < h)[:, None, :, None] & (columns < w)[None, :, None, :]  # (p, q, s, s)
    places = np.where(inside, rows[:, None, :, None] * w + columns[None, :, None, :], -1)
    return replace(products, places=places.reshape(p, q, s * s)).total()


def _list_cuts() -> Iterator[Hypothesis]:
    """Windows that are cut out, or put back, by a reshape that leaves out the swap of axes; dP that is tiled."""
    shares: tuple[tuple[str, Share], ...] = (("", first), (", and every tied maximum takes the gradient", every))
    for also, share in shares:
        yield Hypothesis(
            f"in {{}}, windows are cut out and put back by a reshape without swapping axes{also}",
            partial(_cut, share, cut=True, put=True),
        )
        yield Hypothesis(
            f"in {{}}, windows are cut out by a reshape without swapping axes{also}",
            partial(_cut, share, cut=True, put=False),
        )
        yield Hypothesis(
            f"in {{}}, windows are put back by a reshape without swapping axes{also}",
            partial(_cut, share, cut=False, put=True),
        )
        yield Hypothesis(f"in {{}}, dL/dP is laid out like tiles (np.tile for np.repeat?){also}", partial(_tile, share))


def _split(evidence: Evidence) -> tuple[Windows, int, int]:
    step, (p, q) = evidence.step, evidence.given.shape[2:]
    if not isinstance(step, MaxPooling) or step.windows.t != step.windows.s:
        raise LookupError
    return step.windows, p, q


def _cut(share: Share, evidence: Evidence, *, cut: bool, put: bool) -> Array:
    windows, p, q = _split(evidence)
    s, A = windows.s, evidence.read[0]
    whole = A[:, :, : p * s, : q * s]
    values = whole.reshape(*whole.shape[:2], p, q, s * s) if cut else windows.take(whole)
    products = share(values, evidence.given) * evidence.given[..., None]  # (m, N, p, q, s²)
    gradient = np.zeros_like(A)
    back = products.reshape(whole.shape) if put else windows.put_back(products, whole.shape)
    gradient[:, :, : p * s, : q * s] = back
    return gradient


def _tile(share: Share, evidence: Evidence) -> Array:
    windows, p, q = _split(evidence)
    s, A = windows.s, evidence.read[0]
    gates = windows.put_back(share(windows.take(A), evidence.given), A.shape)
    gradient = np.zeros_like(A)
    gradient[:, :, : p * s, : q * s] = np.tile(evidence.given, (1, 1, s, s))
    return gradient * gates
