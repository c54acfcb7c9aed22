"""Mistakes in the way back through maxpool. A function is given the step and what `backward` is given."""

import numpy as np

from cnncli.diagnosis.mistakes.mistake import Mistake
from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.max_pooling import MaxPooling


def _route(step: MaxPooling, A: Array, dP: Array, shares: Array) -> tuple[Array]:
    """dP times each place's share of its window: shares (m, N, p, q, s²) → as A."""
    return (step.windows.put_back(shares * dP[..., None], A.shape),)


def _only(place: Labels, s: int) -> Array:
    """The whole share at one place of each window: (…) → (…, s²)."""
    share: Array = (np.arange(s * s) == place[..., None]).astype(float)
    return share


def _every_maximum(step: MaxPooling, dP: Array, A: Array) -> tuple[Array]:
    w = step.candidates(A)
    return _route(step, A, dP, (w == w.max(axis=-1, keepdims=True)).astype(float))


def _shared_maximum(step: MaxPooling, dP: Array, A: Array) -> tuple[Array]:
    w = step.candidates(A)
    tied = w == w.max(axis=-1, keepdims=True)
    return _route(step, A, dP, tied / tied.sum(axis=-1, keepdims=True))


def _last_maximum(step: MaxPooling, dP: Array, A: Array) -> tuple[Array]:
    last = step.windows.s**2 - 1 - step.candidates(A)[..., ::-1].argmax(axis=-1)
    return _route(step, A, dP, _only(last, step.windows.s))


def _whole_window(step: MaxPooling, dP: Array, A: Array) -> tuple[Array]:
    return _route(step, A, dP, np.ones((*dP.shape, step.windows.s**2)))


def _average(step: MaxPooling, dP: Array, A: Array) -> tuple[Array]:
    return _route(step, A, dP, np.full((*dP.shape, step.windows.s**2), 1 / step.windows.s**2))


def _window_transposed(step: MaxPooling, dP: Array, A: Array) -> tuple[Array]:
    row, column = np.divmod(step.candidates(A).argmax(axis=-1), step.windows.s)
    return _route(step, A, dP, _only(column * step.windows.s + row, step.windows.s))


def _first_place(step: MaxPooling, dP: Array, A: Array) -> tuple[Array]:
    return _route(step, A, dP, _only(np.zeros(dP.shape, np.intp), step.windows.s))


MISTAKES = (
    Mistake(
        "every tied maximum",
        "max pooling",
        "source",
        "every tied maximum of a window takes the whole gradient; the first alone may",
        _every_maximum,
    ),
    Mistake(
        "tied maxima share",
        "max pooling",
        "source",
        "tied maxima of a window share the gradient; the convention gives it to the first alone",
        _shared_maximum,
        convention="shared-max",
    ),
    Mistake(
        "last instead of first maximum",
        "max pooling",
        "source",
        "the last of tied maxima takes the gradient; the convention gives it to the first",
        _last_maximum,
        convention="last-max",
    ),
    Mistake(
        "whole window",
        "max pooling",
        "source",
        "every number of a window takes the gradient, not its maximum alone",
        _whole_window,
    ),
    Mistake(
        "average pooling",
        "max pooling",
        "source",
        "the gradient is spread evenly over the window, as for average pooling; its maximum takes it all",
        _average,
    ),
    Mistake(
        "window transposed",
        "max pooling",
        "source",
        "row and column are swapped inside the pooling window",
        _window_transposed,
    ),
    Mistake(
        "top left of the window",
        "max pooling",
        "source",
        "the window's first place takes the gradient, wherever its maximum is",
        _first_place,
    ),
)
