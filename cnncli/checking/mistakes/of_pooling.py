"""Mistakes in the way back through maxpool. A function has the signature of the right one."""

import numpy as np

from cnncli.checking.mistakes.mistake import Mistake
from cnncli.network.arrays import Array, Labels
from cnncli.network.pooling import windows


def _routed(A: Array, dP: Array, s: int, shares: Array) -> Array:
    """dP times each place's share of its window: shares (m, N, p, q, s²) → as A."""
    m, N, p, q = dP.shape
    dA = np.zeros(A.shape, dP.dtype)
    routed = (shares * dP[..., None]).reshape(m, N, p, q, s, s).swapaxes(3, 4)  # (m, N, p, s, q, s)
    dA[:, :, : p * s, : q * s] = routed.reshape(m, N, p * s, q * s)
    return dA


def _only(place: Labels, s: int) -> Array:
    """The whole share at one place of each window: (…) → (…, s²)."""
    share: Array = (np.arange(s * s) == place[..., None]).astype(float)
    return share


def _every_maximum(A: Array, dP: Array, s: int) -> Array:
    w = windows(A, s)
    return _routed(A, dP, s, (w == w.max(axis=-1, keepdims=True)).astype(float))


def _shared_maximum(A: Array, dP: Array, s: int) -> Array:
    w = windows(A, s)
    tied = w == w.max(axis=-1, keepdims=True)
    return _routed(A, dP, s, tied / tied.sum(axis=-1, keepdims=True))


def _last_maximum(A: Array, dP: Array, s: int) -> Array:
    last = s * s - 1 - windows(A, s)[..., ::-1].argmax(axis=-1)
    return _routed(A, dP, s, _only(last, s))


def _whole_window(A: Array, dP: Array, s: int) -> Array:
    return _routed(A, dP, s, np.ones(s * s))


def _average(A: Array, dP: Array, s: int) -> Array:
    return _routed(A, dP, s, np.full(s * s, 1 / s**2))


def _window_transposed(A: Array, dP: Array, s: int) -> Array:
    row, column = np.divmod(windows(A, s).argmax(axis=-1), s)
    return _routed(A, dP, s, _only(column * s + row, s))


def _first_place(A: Array, dP: Array, s: int) -> Array:
    return _routed(A, dP, s, _only(np.zeros(dP.shape, np.intp), s))


MISTAKES = (
    Mistake(
        "every tied maximum",
        "maxpool_backward",
        "dL/dA",
        "every tied maximum of a window takes the whole gradient; the first alone may",
        _every_maximum,
    ),
    Mistake(
        "tied maxima share",
        "maxpool_backward",
        "dL/dA",
        "tied maxima of a window share the gradient; the convention gives it to the first alone",
        _shared_maximum,
    ),
    Mistake(
        "last instead of first maximum",
        "maxpool_backward",
        "dL/dA",
        "the last of tied maxima takes the gradient; the convention gives it to the first",
        _last_maximum,
    ),
    Mistake(
        "whole window",
        "maxpool_backward",
        "dL/dA",
        "every number of a window takes the gradient, not its maximum alone",
        _whole_window,
    ),
    Mistake(
        "average pooling",
        "maxpool_backward",
        "dL/dA",
        "the gradient is spread evenly over the window, as for average pooling; its maximum takes it all",
        _average,
    ),
    Mistake(
        "window transposed",
        "maxpool_backward",
        "dL/dA",
        "row and column are swapped inside the pooling window",
        _window_transposed,
    ),
    Mistake(
        "top left of the window",
        "maxpool_backward",
        "dL/dA",
        "the window's first place takes the gradient, wherever its maximum is",
        _first_place,
    ),
)
