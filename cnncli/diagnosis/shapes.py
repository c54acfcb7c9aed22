"""Answers of a wrong shape: laid out otherwise, not summed, summed too far, a part alone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations, product
from typing import Literal, get_args

import numpy as np

from cnncli.diagnosis.evidence import Evidence, close
from cnncli.network.arrays import Array
from cnncli.network.products import AXES, Products, name_several


def explain_shape(evidences: Sequence[Evidence]) -> tuple[str, bool] | None:
    """What the answers are where their shape is not that of the gradient, and whether that is so in every case."""
    counts: Counter[str] = Counter()
    for evidence in evidences:
        if evidence.products.shape != evidence.right[0].shape:
            return None
        counts.update({words for words, array in _list_shapes(evidence.products) if _is_laid_out(array, evidence)})
    if all(_is_outer(evidence) for evidence in evidences):
        return "{} has m rows and m columns: an array (m, 1) met one of (m,), and every image met every other", True
    for words, along in _list_margins(evidences[0]):
        if all(_stands_in(e.found[0], e.right[0], along, e.eps) for e in evidences):
            return f"{{}} is right, but {words} (padding that is not cut off?)", True
    if all(_stands_in(e.right[0], e.found[0], {}, e.eps) for e in evidences):
        return "{} is the middle of the right one alone (a correlation without the k − 1 zeros around dL/dZ?)", True
    if not counts:
        return None
    most = max(counts.values())
    simplest = next(words for words, _ in _list_shapes(evidences[0].products) if counts[words] == most)
    return simplest, most == len(evidences)


def _is_outer(evidence: Evidence) -> bool:
    """Whether the first axis stands twice."""
    m = evidence.products.shape[0]
    return evidence.products.axes[0] == "m" and m > 1 and evidence.found[0].shape == (m, m)


Side = Literal["around", "before", "after"]  # where a margin is, of an axis; around it unless said


def _list_margins(evidence: Evidence) -> Iterator[tuple[str, Mapping[int, Side]]]:
    """Where something may be left, in words and by the last two axes."""
    yield "rows and columns are left around it", {}
    for rows, columns in product(get_args(Side), repeat=2):
        words = "rows and columns are left " + (f"{rows} it" if rows == columns else f"{rows} and {columns} it")
        yield words, {evidence.right[0].ndim - 2: rows, evidence.right[0].ndim - 1: columns}


def _stands_in(larger: Array, smaller: Array, along: Mapping[int, Side], eps: float) -> bool:
    """Whether one array stands in another, with what is too much where it is said to be."""
    if larger.ndim != smaller.ndim or larger.ndim < 2 or smaller.size == 0:
        return False
    starts = []
    for axis, (length, part) in enumerate(zip(larger.shape, smaller.shape, strict=True)):
        side = along.get(axis, "around")
        start = {"around": (length - part) / 2, "before": length - part, "after": 0}[side]
        if length < part or start % 1:
            return False
        starts.append(int(start))
    inside = tuple(slice(start, start + length) for start, length in zip(starts, smaller.shape, strict=True))
    return close(larger[inside], smaller, eps)


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
    """Arrays that the answer may be, whatever its shape, the simplest first."""
    total = products.total()
    yield "{} is right, but has another shape, or its axes in another order", total
    for left in _list_subsets(products.summed):
        unsummed = products.unsummed(left)
        yield f"{{}} is not summed over the {_name_axes(left)}", unsummed
    for axes, named in _list_axes(products.axes):
        yield f"{{}} is summed over the {named}, each of which has one of its own", total.sum(axis=axes)
        yield f"{{}} is averaged over the {named}, each of which has one of its own", total.mean(axis=axes)
    for axis, letter in enumerate(products.axes):
        for words, place in (("first", 0), ("last", -1)):
            yield f"{{}} is that of the {words} {AXES[letter]} alone", np.take(total, place, axis)
    for name, operand in zip(products.names, products.operands, strict=True):
        yield f"{{}} is {name} itself", operand
    for left in _list_subsets(products.summed):
        unsummed = products.unsummed(left)
        for axes, named in _list_axes(products.made):
            yield f"{{}} is summed over the {named}, and not over the {_name_axes(left)}", unsummed.sum(axis=axes)
            yield f"{{}} is averaged over the {named}, and not summed over the {_name_axes(left)}", unsummed.mean(axes)


def _list_subsets(axes: str) -> Iterator[str]:
    for count in range(1, len(axes) + 1):
        yield from map("".join, combinations(axes, count))


def _list_axes(letters: str) -> Iterator[tuple[tuple[int, ...], str]]:
    for some in _list_subsets(letters):
        yield tuple(letters.index(letter) for letter in some), _name_axes(some)


def _name_axes(letters: str) -> str:
    return " and ".join(name_several(letter) for letter in letters)
