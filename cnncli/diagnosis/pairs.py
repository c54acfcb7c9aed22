"""Two mistakes at once: something done to a gradient that is wrong already, or to two of its operands."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np

from cnncli.diagnosis.evidence import Evidence, measure_factor, measure_slack
from cnncli.diagnosis.hypotheses import NOTHING, RIGHT
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.operations import Operation, along_axes, change_numbers, relay
from cnncli.network.arrays import Array
from cnncli.network.products import Products

LARGEST = 4096  # entries of the case that pairs are tried on
SPREAD = 1e-9  # what the spread of an array may change by if its numbers are only moved


def pair_hypotheses(singles: Sequence[Hypothesis], case: Evidence) -> Iterator[Hypothesis]:
    """Pairs that explain the first case; the caller looks at the others."""
    if not _is_to_be_paired(case):
        return
    found = case.found[0]
    operations = [*along_axes(case.products.axes), *relay(case.products.axes)]
    keeping = [each for each in operations if measure_factor((each.apply(found),), (found,), case.eps)]
    for single in singles:
        if single.mistake or single in (RIGHT, NOTHING):
            continue
        predicted = single.predict(case)
        if predicted is None or not predicted[0].any() or not np.isfinite(predicted[0]).all():
            continue
        # What only moves numbers leaves their distribution; what leaves some out leaves what was found as it is.
        moved = abs(_measure_spread(predicted[0]) - _measure_spread(found)) <= SPREAD
        for operation in operations if moved else keeping:
            if measure_factor((operation.apply(predicted[0]),), case.found, case.eps):
                yield Hypothesis(
                    f"{single.words}; and then {{}} is {operation.words}", _after(single.answer, operation)
                )


def _is_to_be_paired(case: Evidence) -> bool:
    """Whether a case tells pairs apart: many give nothing but 0."""
    return case.is_direct and case.found[0].size <= LARGEST and bool(case.found[0].any())


def _measure_spread(array: Array) -> float:
    """Σx⁴ / (Σx²)², which no order and no factor changes."""
    square = float((array**2).sum())
    return float((array**4).sum()) / square**2 if square else 0.0


def _after(answer: Callable[[Evidence], Array], operation: Operation) -> Callable[[Evidence], Array]:
    return lambda evidence: operation.apply(answer(evidence))


def pair_operands(case: Evidence) -> Iterator[Hypothesis]:
    """Something done to two operands at once that explains the first case; the caller looks at the others."""
    products = case.products
    if not _is_to_be_paired(case):
        return
    for one, other in combinations(range(len(products.operands)), 2):
        first, second = (_list_changes(products, which) for which in (one, other))
        many = np.stack([array for _, array in second])
        for operation, array in first:
            predicted = _total_many(products.exchange(one, array), other, many)
            for found in np.flatnonzero(_are_multiples(predicted, case.found[0], case.eps)):
                pair = operation, second[found][0]
                said = ", and ".join(
                    f"{products.names[which]} is {each.words}" for which, each in zip((one, other), pair, strict=True)
                )
                yield Hypothesis(f"in {{}}, {said}", partial(_change_both, (one, other), pair))


def _list_changes(products: Products, which: int) -> list[tuple[Operation, Array]]:
    """Everything that is done to an operand and makes it another."""
    operand = products.operands[which]
    operations = [*along_axes(products.letters[which]), *change_numbers()]
    changed = [(operation, np.asarray(operation.apply(operand), float)) for operation in operations]
    return [(operation, array) for operation, array in changed if np.isfinite(array).all() and (array != operand).any()]


def _total_many(products: Products, which: int, many: Array) -> Array:
    """The gradients with each of many arrays in the place of an operand: (P, …)."""
    letters = list(products.letters)
    letters[which] = "P" + letters[which]
    operands = products.exchange(which, many).operands
    sums = np.einsum(f"{','.join(letters)}->P{products.made}", *operands, optimize=True)
    return np.stack([products.place(each) for each in sums])


def _are_multiples(predicted: Array, found: Array, eps: float) -> Array:
    """Which of many predictions (P, …) are what was found, up to a factor: (P,)."""
    flat, wanted = predicted.reshape(len(predicted), -1), found.ravel()
    squares = (flat**2).sum(axis=1)
    factors = flat @ wanted / np.where(squares, squares, 1)
    off = np.abs(wanted - factors[:, None] * flat).max(axis=1, initial=0)
    matches: Array = (squares > 0) & (off <= measure_slack(eps) * np.abs(wanted).max(initial=0))
    return matches


def _change_both(which: tuple[int, int], pair: tuple[Operation, Operation], evidence: Evidence) -> Array:
    products = evidence.products
    for place, operation in zip(which, pair, strict=True):
        products = products.exchange(place, operation.apply(products.operands[place]))
    return products.total()
