"""Another stride, padding, dilation or window than the one that was given; windows that a reshape cuts out wrongly."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.mistakes.geometry import OF_CONVOLUTION, OF_POOLING, Axis, Geometry, vary_axes
from cnncli.diagnosis.shares import Share, every, first
from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.average_pooling import AveragePooling
from cnncli.network.steps.convolution import Convolution, patches
from cnncli.network.steps.max_pooling import MaxPooling
from cnncli.network.steps.pooling import Windows
from cnncli.network.tensors import Shape

PADDINGS = {"edge": "its own border", "reflect": "its reflection", "wrap": "its other side", "mean": "its mean"}


def list_of_numbers(evidence: Evidence) -> Iterator[Hypothesis]:
    """All of a link."""
    step = evidence.step
    if isinstance(step, Convolution) and evidence.which < 2:
        for geometry in vary_axes(OF_CONVOLUTION):
            yield Hypothesis(f"{{}} is made {geometry.words}", partial(_convolve_with, geometry))
        repeated = "with dL/dZ repeated for the stride, without the zeros between"
        yield Hypothesis(f"{{}} is made {repeated}", _repeat_for_stride)
        for mode, words in PADDINGS.items() if evidence.which == 1 else ():
            yield Hypothesis(f"{{}} is made with X padded by {words}, not by 0", partial(_pad_by, mode))
    if isinstance(step, MaxPooling | AveragePooling):
        for geometry in vary_axes(OF_POOLING):
            yield Hypothesis(f"{{}} is made {geometry.words}", partial(_pool_with, geometry))
    if isinstance(step, AveragePooling):
        yield Hypothesis("in {}, dL/dP is laid out like tiles (np.tile for np.repeat?)", partial(_tile, _even))
    if isinstance(step, MaxPooling):
        for geometry in vary_axes(OF_POOLING):
            yield Hypothesis(f"{{}} is put into its places {geometry.words}", partial(_put_with, geometry))
            yield Hypothesis(
                f"{{}} goes to the maxima of windows that are read {geometry.words}", partial(_read_with, geometry)
            )
        yield from _list_cuts()


def _convolve_with(geometry: Geometry, evidence: Evidence) -> Array:
    """Positions, as many as there are, that read elsewhere."""
    step = evidence.step
    if not isinstance(step, Convolution):
        raise LookupError
    X, k = evidence.read[0], evidence.read[1].shape[-1]
    own = {"p": step.p, "t": step.t, "d": step.d, "k": k}
    h, width = evidence.given.shape[2:]
    places = _find_places(geometry, own, (h, width), (k, k), X.shape[2:])
    if evidence.which == 0:
        return replace(evidence.products, places=places).total()
    return evidence.products.exchange(1, _take(X, places, 0.0)).total()  # (m, C, h, w, k, k)


def _repeat_for_stride(evidence: Evidence) -> Array:
    """Each gradient at t×t positions in the place of one: (t·h)×(t·w) positions of stride 1."""
    step = evidence.step
    if not isinstance(step, Convolution) or step.t == 1:
        return evidence.products.total()
    total = np.zeros(evidence.products.shape)
    for rows, columns in np.ndindex(step.t, step.t):
        moved = Geometry("", Axis({"p": step.p - rows}), Axis({"p": step.p - columns}))
        total += _convolve_with(moved, evidence)
    return total


def _find_places(geometry: Geometry, own: Mapping[str, int], positions: Shape, kernel: Shape, shape: Shape) -> Labels:
    """The flat place in an array of this shape that each position reads with each number of the kernel: (h, w, k, k).

    −1 is nowhere.
    """
    rows = geometry.rows.read(own, positions[0], kernel[0], shape[0])[:, None, :, None]
    columns = geometry.columns.read(own, positions[1], kernel[1], shape[1])[None, :, None, :]
    places: Labels = np.where((rows >= 0) & (columns >= 0), rows * shape[1] + columns, -1)
    return places


def _take(array: Array, places: Labels, outside: float) -> Array:
    """The numbers at flat places: (m, C, H, W) → (m, C, *places.shape)."""
    flat = array.reshape(*array.shape[:2], -1)
    return np.where(places < 0, outside, flat[:, :, places])


def _pad_by(mode: Any, evidence: Evidence) -> Array:
    step = evidence.step
    if not isinstance(step, Convolution):
        raise LookupError
    X, k = evidence.read[0], evidence.read[1].shape[-1]
    padded = np.pad(X, ((0, 0), (0, 0), (step.p, step.p), (step.p, step.p)), mode=mode)
    return evidence.products.exchange(1, patches(padded, k, step.t, step.d)).total()


def _pool_with(geometry: Geometry, evidence: Evidence) -> Array:
    """Windows, as many as there are, that lie elsewhere."""
    A, dP = evidence.read[0], evidence.given
    places = _find_windows(geometry, evidence)  # (p, q, s²)
    if isinstance(evidence.step, MaxPooling):
        shares = first(_take(A, places, -np.inf), dP)
    else:
        shares = np.full((*dP.shape, places.shape[-1]), 1 / _get_windows(evidence).s ** 2)
    return replace(evidence.products, places=places).exchange(1, shares).total()


def _put_with(geometry: Geometry, evidence: Evidence) -> Array:
    """The right winner at its place of a window, which itself lies elsewhere."""
    return replace(evidence.products, places=_find_windows(geometry, evidence)).total()


def _read_with(geometry: Geometry, evidence: Evidence) -> Array:
    """The winner of a window that lies elsewhere, at its place of the right one."""
    values = _take(evidence.read[0], _find_windows(geometry, evidence), -np.inf)
    return evidence.products.exchange(1, first(values, evidence.given)).total()


def _get_windows(evidence: Evidence) -> Windows:
    if not isinstance(evidence.step, MaxPooling | AveragePooling):
        raise LookupError
    return evidence.step.windows


def _find_windows(geometry: Geometry, evidence: Evidence) -> Labels:
    """The flat places of the numbers of every window: (p, q, s²)."""
    windows, (p, q) = _get_windows(evidence), evidence.given.shape[2:]
    own = {"p": 0, "t": windows.t, "d": 1, "s": windows.s}
    sides = [axis.find(own, "s") for axis in (geometry.rows, geometry.columns)]
    places = _find_places(geometry, own, (p, q), (sides[0], sides[1]), evidence.read[0].shape[2:])
    return places.reshape(p, q, -1)


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
    windows, (p, q) = _get_windows(evidence), evidence.given.shape[2:]
    if windows.t != windows.s:
        raise LookupError
    return windows, p, q


def _even(values: Array, _given: Array) -> Array:
    return np.full_like(values, 1 / values.shape[-1])


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
