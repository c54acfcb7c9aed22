"""Answers of a wrong shape: laid out otherwise, not summed, summed too far, a part alone."""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

import numpy as np

from cnncli.diagnosis.evidence import Evidence, close
from cnncli.network.arrays import Array
from cnncli.network.products import AXES, Products


def explain_shape(evidences: Sequence[Evidence]) -> str | None:
    """What the answers are where their shape is not that of the gradient, the same in every case."""
    said: set[str] | None = None
    for evidence in evidences:
        if evidence.products.shape != evidence.right[0].shape:
            return None
        fitting = {words for words, array in _list_shapes(evidence.products) if _is_laid_out(array, evidence)}
        if said is None:
            said = fitting
        elif fitting:
            said &= fitting
    if all(_is_outer(evidence) for evidence in evidences):
        return "{} has m rows and m columns: an array (m, 1) met one of (m,), and every image met every other"
    ordered = [words for words, _ in _list_shapes(evidences[0].products) if said and words in said]
    return ordered[0] if ordered else None


def _is_outer(evidence: Evidence) -> bool:
    """Whether the first axis stands twice."""
    m = evidence.products.shape[0]
    return evidence.products.axes[0] == "m" and m > 1 and evidence.found[0].shape == (m, m)


def _is_laid_out(array: Array, evidence: Evidence) -> bool:
    """Whether the answer has these numbers, its axes in any order and axes of length 1 left aside."""
    found = np.squeeze(evidence.found[0])
    array = np.squeeze(array)
    if array.size != found.size:
        return False
    if close(array.reshape(-1), found.reshape(-1), evidence.eps):
        return True
    if array.ndim != found.ndim or array.ndim > 5:
        return False
    return any(
        close(array.transpose(order), found, evidence.eps)
        for order in permutations(range(array.ndim))
        if array.transpose(order).shape == found.shape
    )


def _list_shapes(products: Products) -> Iterator[tuple[str, Array]]:
    yield "{} is right, but has another shape, or its axes in another order", products.total()
    for count in range(1, len(products.summed) + 1):
        for axes in combinations(products.summed, count):
            named = " and ".join(f"{AXES[axis]}s" for axis in axes)
            yield f"{{}} is not summed over the {named}", products.unsummed("".join(axes))
    total = products.total()
    for count in range(1, total.ndim + 1):
        for places in combinations(range(total.ndim), count):
            named = " and ".join(f"{AXES[products.axes[place]]}s" for place in places)
            yield f"{{}} is summed over the {named}, each of which has one of its own", total.sum(axis=places)
            yield f"{{}} is averaged over the {named}, each of which has one of its own", total.mean(axis=places)
    for axis, letter in enumerate(products.axes):
        for words, place in (("first", 0), ("last", -1)):
            yield f"{{}} is that of the {words} {AXES[letter]} alone", np.take(total, place, axis)
    for name, operand in zip(products.names, products.operands, strict=True):
        yield f"{{}} is {name} itself", operand
