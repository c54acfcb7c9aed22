"""What becomes of right products where they meet in their places: overwritten, averaged, the largest kept."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import permutations

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.operations import KEPT
from cnncli.network.arrays import Array
from cnncli.network.products import AXES, Products


def list_placings(products: Products) -> Iterator[Hypothesis]:
    """All of a link, if its products have places."""
    if products.places is not None:
        yield from _list_overwritings(products)
        yield Hypothesis("what overlaps in {} is averaged, not added up", _average)
        yield Hypothesis("of what overlaps in {} the largest stays; it is to be added up", partial(_join, np.fmax))
        yield Hypothesis("of what overlaps in {} the smallest stays; it is to be added up", partial(_join, np.fmin))


def _list_overwritings(products: Products) -> Iterator[Hypothesis]:
    """= for += where products meet in a place; several filters, whose sum belongs there, may be overwritten as well."""
    axes = range(products.places.ndim) if products.places is not None else ()
    for last in (None, *products.summed):
        also = f", and so does the last {AXES[last]} the others" if last else ""
        for words, reverse in (("the last", False), ("the first", True)):
            for order in permutations(axes):
                yield Hypothesis(
                    f"what overlaps in {{}} is not added up: {words} of it stays (= for +=?){also}",
                    partial(_overwrite, order, reverse, last),
                )
    yield Hypothesis(
        "what overlaps in {} is not added up: the last of it that is not 0 stays (= for +=?)", _overwrite_by_others
    )


def _overwrite(order: tuple[int, ...], reverse: bool, last: str | None, evidence: Evidence) -> Array:
    products = evidence.products
    if last:
        which = next(i for i, letters in enumerate(products.letters) if last in letters)
        keep = KEPT["0 but for the last {}"]
        products = products.exchange(which, keep(products.operands[which], products.letters[which].index(last)))
    numbers = products.sum_products()
    if reverse:
        back = tuple(range(-len(order), 0))
        turned = replace(products, places=np.flip(_get_places(products), back))
        return turned.overwrite(np.flip(numbers, back), order)
    return products.overwrite(numbers, order)


def _overwrite_by_others(evidence: Evidence) -> Array:
    """What is 0 overwrites nothing."""
    products, numbers = evidence.products, evidence.products.sum_products()
    flat = numbers.reshape(-1, _get_places(products).size)
    places = _get_places(products).ravel()
    gradient = np.zeros((len(flat), int(np.prod(products.shape[2:]))))
    for row, values in zip(gradient, flat, strict=True):
        put = (values != 0) & (places >= 0)
        row[places[put]] = values[put]
    return gradient.reshape(products.shape)


def _get_places(products: Products) -> Array:
    if products.places is None:
        raise LookupError
    return products.places


def _average(evidence: Evidence) -> Array:
    products = evidence.products
    times = products.place(np.ones_like(products.sum_products()))
    average: Array = products.total() / np.maximum(times, 1)
    return average


def _join(function: np.ufunc, evidence: Evidence) -> Array:
    """Beginning from zeros."""
    products, numbers = evidence.products, evidence.products.sum_products()
    places = _get_places(products).ravel()
    flat = numbers.reshape(-1, places.size)[:, places >= 0]
    gradient = np.zeros((int(np.prod(products.shape[2:])), len(flat)))
    function.at(gradient, places[places >= 0], flat.T)
    return gradient.T.reshape(products.shape)
