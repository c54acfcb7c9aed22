"""Winners of pooling windows that are looked for, or put, somewhere else in the map."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.step import KinkedStep

Find = Callable[[Array, Labels], Labels]  # a map (h, w) and the flat places of its windows' maxima → other flat places


def list_winners(evidence: Evidence) -> Iterator[Hypothesis]:
    """All of a link that selects a maximum."""
    if not isinstance(evidence.step, KinkedStep) or not evidence.step.selects:
        return
    for words, find in FINDS.items():
        for also, adds in (("", True), (", and the last of those that meet there stays", False)):
            yield Hypothesis(f"each gradient of {{}} goes to {words}{also}", partial(_put, find, adds))
    yield Hypothesis(
        "each gradient of {} goes to every number of the whole map that is as large as its window's maximum",
        partial(_put_everywhere, adds=True),
    )
    yield Hypothesis(
        "each gradient of {} goes to every number of the whole map that is as large as its window's maximum, "
        "and the last of those that meet there stays",
        partial(_put_everywhere, adds=False),
    )


def _find_first_equal(A: Array, places: Labels) -> Labels:
    flat = A.ravel()
    return np.array([int((flat == flat[place]).argmax()) for place in places], np.intp)


def _find_last_equal(A: Array, places: Labels) -> Labels:
    flat = A.ravel()
    return np.array([flat.size - 1 - int((flat == flat[place])[::-1].argmax()) for place in places], np.intp)


def _find_largest(A: Array, places: Labels) -> Labels:
    return np.full(len(places), A.argmax())


def _decode_by_height(A: Array, places: Labels) -> Labels:
    """Row and column of a flat place by the number of rows; an index that there is not reads nothing."""
    h, w = A.shape
    rows, columns = np.divmod(places, h)
    return np.where((rows < h) & (columns < w), rows * w + columns, -1)


def _decode_swapped(A: Array, places: Labels) -> Labels:
    h, w = A.shape
    rows, columns = places % w, places // w
    return np.where((rows < h) & (columns < w), rows * w + columns, -1)


FINDS: dict[str, Find] = {
    "the first number of the whole map that is as large as its window's maximum": _find_first_equal,
    "the last number of the whole map that is as large as its window's maximum": _find_last_equal,
    "the largest number of the whole map": _find_largest,
    "a flat place that is taken apart by the number of rows, not of columns": _decode_by_height,
    "a flat place whose row and column are exchanged": _decode_swapped,
}


def _find_maxima(evidence: Evidence) -> Labels:
    """The flat place in its map of each window's first maximum: (m, N, p, q)."""
    step, A = evidence.step, evidence.read[0]
    if not isinstance(step, KinkedStep):
        raise LookupError
    places = step.candidates(np.arange(A[0, 0].size, dtype=float).reshape(1, 1, *A.shape[2:]))[0, 0]
    winners = step.candidates(A).argmax(axis=-1)
    maxima: Labels = np.take_along_axis(places[None, None], winners[..., None], axis=-1)[..., 0].astype(np.intp)
    return maxima


def _put(find: Find, adds: bool, evidence: Evidence) -> Array:
    A, given, maxima = evidence.read[0], evidence.given, _find_maxima(evidence)
    gradient = np.zeros(A.shape)
    for image, part in np.ndindex(A.shape[:2]):
        places = find(A[image, part], maxima[image, part].ravel())
        numbers = given[image, part].ravel()[places >= 0]
        flat = gradient[image, part].reshape(-1)
        if adds:
            np.add.at(flat, places[places >= 0], numbers)
        else:
            flat[places[places >= 0]] = numbers
    return gradient


def _put_everywhere(evidence: Evidence, *, adds: bool) -> Array:
    A, given, maxima = evidence.read[0], evidence.given, _find_maxima(evidence)
    gradient = np.zeros(A.shape)
    for image, part in np.ndindex(A.shape[:2]):
        for place, number in zip(maxima[image, part].ravel(), given[image, part].ravel(), strict=True):
            equal = A[image, part] == A[image, part].ravel()[place]
            gradient[image, part][equal] = number + (gradient[image, part][equal] if adds else 0)
    return gradient
