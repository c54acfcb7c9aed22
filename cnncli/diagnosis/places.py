"""Where a gradient is wrong: parts of its entries, described by their indices or by the numbers that were read."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnncli.diagnosis.evidence import Evidence
from cnncli.network.arrays import Array
from cnncli.network.products import AXES, name_several
from cnncli.network.steps.step import KinkedStep

Flags = NDArray[np.bool_]


class Place(NamedTuple):
    """A part of the entries of a gradient."""

    words: str  # "in the last row"
    find: Callable[[Evidence], Flags]


def list_places(evidence: Evidence) -> Iterator[Place]:
    """All parts that have a description, the plainest first."""
    axes = evidence.products.axes
    for axis, letter in enumerate(axes):
        for words, choose in ALONG.items():
            yield Place(words.format(AXES[letter], name_several(letter)), partial(_find_along, axis, choose))
    for plane in ("rs", "uv", "ij"):
        if plane[0] in axes and plane[1] in axes:
            rows, columns = (axes.index(letter) for letter in plane)
            for words, choose in PLANES.items():
                yield Place(words, partial(_find_in_plane, (rows, columns), choose))
    if evidence.step is not None and evidence.which == 0:
        for words, condition in CONDITIONS.items():
            yield Place(words.format(evidence.step.source.name), partial(_find_where, condition))
    yield from _list_of_kind(evidence)
    yield Place("where it is positive", lambda e: e.products.total() > 0)
    yield Place("where it is negative", lambda e: e.products.total() < 0)
    yield Place("where it should be 0", lambda e: e.products.total() == 0)


def _list_of_kind(evidence: Evidence) -> Iterator[Place]:
    """Parts that some kinds of links alone have."""
    if evidence.step is None:
        yield Place("where y = 1", lambda e: e.tensors["y"] == 1)
        yield Place("where y = 0", lambda e: e.tensors["y"] == 0)
    if evidence.products.places is not None:
        yield Place("where nothing was read", lambda e: _times_read(e) == 0)
        yield Place("where several overlap", lambda e: _times_read(e) > 1)
    if isinstance(evidence.step, KinkedStep) and evidence.products.places is not None:
        yield Place("at maxima that are tied", _tied)
        yield Place("in windows whose maxima are tied", _in_tied_windows)


ALONG: dict[str, Callable[[NDArray[np.intp], int], Flags]] = {
    "in the last {}": lambda i, n: i == n - 1,
    "in the first {}": lambda i, _: i == 0,
    "in all but the first {}": lambda i, _: i > 0,
    "in all but the last {}": lambda i, n: i < n - 1,
    "in the first and the last {}": lambda i, n: (i == 0) | (i == n - 1),
    "in all but the first and the last {}": lambda i, n: (i > 0) & (i < n - 1),
    "in every second {}, counted from the first": lambda i, _: i % 2 == 0,
    "in every second {}, counted from the second": lambda i, _: i % 2 == 1,
    "in the first half of the {1}": lambda i, n: i < n // 2,
    "in the second half of the {1}": lambda i, n: i >= n // 2,
    "in all but the first two {1}": lambda i, _: i > 1,
    "in the last two {1}": lambda i, n: i >= n - 2,
}
PLANES: dict[str, Callable[..., Flags]] = {
    "at the border": lambda i, j, n, m: (i == 0) | (j == 0) | (i == n - 1) | (j == m - 1),
    "inside the border": lambda i, j, n, m: (i > 0) & (j > 0) & (i < n - 1) & (j < m - 1),
    "in the last row and the last column": lambda i, j, n, m: (i == n - 1) | (j == m - 1),
    "in the first row and the first column": lambda i, j, *_: (i == 0) | (j == 0),
    "on the diagonal": lambda i, j, *_: i == j,
    "off the diagonal": lambda i, j, *_: i != j,
    "in the upper right triangle": lambda i, j, *_: i < j,
    "in the lower left triangle": lambda i, j, *_: i > j,
    "at the first entry of each": lambda i, j, *_: (i == 0) & (j == 0),
    "at the last entry of each": lambda i, j, n, m: (i == n - 1) & (j == m - 1),
    "in the middle of each": lambda i, j, n, m: (i == n // 2) & (j == m // 2),
    "in all but the middle of each": lambda i, j, n, m: (i != n // 2) | (j != m // 2),
    "where row and column are both even or both odd": lambda i, j, *_: (i + j) % 2 == 0,
    "where one of row and column is odd": lambda i, j, *_: (i + j) % 2 == 1,
    "beyond the largest square": lambda i, j, n, m: (i >= min(n, m)) | (j >= min(n, m)),
}
CONDITIONS: dict[str, Callable[[Array], Flags]] = {
    "where {} = 0": lambda x: x == 0,
    "where {} < 0": lambda x: x < 0,
    "where {} ≤ 0": lambda x: x <= 0,
    "where {} > 0": lambda x: x > 0,
    "where {} is not 0": lambda x: x != 0,
    "where |{}| > 1": lambda x: np.abs(x) > 1,
    "where {} is close to 0": lambda x: np.abs(x) < 1e-2,
    "where {} > 1": lambda x: x > 1,
}


def _find_along(axis: int, choose: Callable[[NDArray[np.intp], int], Flags], evidence: Evidence) -> Flags:
    shape = evidence.products.shape
    return choose(np.indices(shape)[axis], shape[axis])


def _find_where(condition: Callable[[Array], Flags], evidence: Evidence) -> Flags:
    return condition(evidence.read[0])


def _find_in_plane(plane: tuple[int, int], choose: Callable[..., Flags], evidence: Evidence) -> Flags:
    rows, columns = plane
    shape = evidence.products.shape
    indices = np.indices(shape)
    flags: Flags = choose(indices[rows], indices[columns], shape[rows], shape[columns])
    return flags


def _times_read(evidence: Evidence) -> NDArray[np.intp]:
    """How often each entry was read."""
    places, shape = evidence.products.places, evidence.products.shape
    if places is None:
        raise LookupError
    times = np.bincount(places[places >= 0], minlength=shape[2] * shape[3]).reshape(shape[2:])
    return np.broadcast_to(times, shape)


def _in_tied_windows(evidence: Evidence) -> Flags:
    return spread_over_windows(lambda values: _count_tied(values) > 1, evidence)


def _tied(evidence: Evidence) -> Flags:
    def choose(values: Array) -> Flags:
        tied: Flags = (values == values.max(axis=-1, keepdims=True)) & (_count_tied(values) > 1)
        return tied

    return spread_over_windows(choose, evidence)


def _count_tied(values: Array) -> Array:
    count: Array = (values == values.max(axis=-1, keepdims=True)).sum(axis=-1, keepdims=True)
    return count


def spread_over_windows(choose: Callable[[Array], Flags], evidence: Evidence) -> Flags:
    """The entries that windows choose from their candidates (…, c), in the shape of the gradient."""
    if not isinstance(evidence.step, KinkedStep):
        raise LookupError
    values = evidence.step.candidates(evidence.read[0])
    return evidence.products.place(np.broadcast_to(choose(values), values.shape).astype(float)) > 0
