"""What a wrong gradient may be: from known mistakes to everything that can be done to the parts that it is made of.

A hypothesis predicts the link's wrong answer in any case. Those that depend on numbers found (a slope, a bound, a
multiple) are in fitted.py; those that are wrong in a part of the entries alone are in places.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import combinations

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.mistakes import MISTAKES
from cnncli.diagnosis.mistakes.of_numbers import list_of_numbers
from cnncli.diagnosis.operations import (
    KEPT_IN_SUM,
    Operation,
    along_axes,
    change_numbers,
    relay,
    relay_twice,
    relay_within,
)
from cnncli.diagnosis.other_tensors import AXES_OF, list_of_tensors
from cnncli.diagnosis.placing import list_placings
from cnncli.diagnosis.shares import GATES, SHARES, Gate, Share, give_to
from cnncli.diagnosis.stale import list_stale
from cnncli.diagnosis.winners import list_winners
from cnncli.network.arrays import Array
from cnncli.network.products import AXES, Products, name_several
from cnncli.network.steps.step import KinkedStep


def _right(evidence: Evidence) -> Array:
    return evidence.products.total()


RIGHT = Hypothesis("{} is right", _right)
NOTHING = Hypothesis("{} is all zero", lambda e: np.zeros(e.products.shape))


def list_hypotheses(evidence: Evidence) -> Iterator[Hypothesis]:
    """All of a link, the simplest first; they depend on the kind of link and on no number of this case."""
    yield RIGHT  # times a factor
    yield NOTHING
    for mistake in MISTAKES:
        yield Hypothesis(mistake.sentence, _right, mistake)
    products = evidence.products
    yield from _of_result(products.axes)
    yield from _of_sum(products)
    yield from _of_candidates(evidence)
    yield from list_placings(products)
    yield from list_winners(evidence)
    yield from list_of_numbers(evidence)
    for which, (name, letters) in enumerate(zip(products.names, products.letters, strict=True)):
        for operation in _list_operations(letters):
            yield Hypothesis(f"in {{}}, {name} is {operation.words}", _with_operand(which, operation))
    yield from _of_products(products)
    yield from list_of_tensors(evidence)
    yield from list_stale(evidence)


def list_far_hypotheses(evidence: Evidence) -> Iterator[Hypothesis]:
    """Less likely ones: what the step reads changed before it looks at it; operands laid out in another order."""
    yield from _of_reading(evidence)
    products = evidence.products
    for which, (name, letters) in enumerate(zip(products.names, products.letters, strict=True)):
        for operation in relay_twice(letters):
            yield Hypothesis(f"in {{}}, {name} is {operation.words}", _with_operand(which, operation))


def list_composed(cases: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Two things that are often wrong together; some axes of many laid out wrongly among themselves."""
    if any(isinstance(case.step, KinkedStep) and case.step.overlaps for case in cases):
        yield from _of_shares_and_places(cases[0])
    yield from _relaid_within(cases[0].products)


def _of_result(axes: str) -> Iterator[Hypothesis]:
    for operation in _list_operations(axes):
        yield Hypothesis(f"{{}} is {operation.words}", partial(_apply, operation))


def _of_products(products: Products) -> Iterator[Hypothesis]:
    """The products laid out wrongly before they are put into their places."""
    if products.places is not None:
        for operation in (*relay(products.made), *relay_twice(products.made)):
            yield Hypothesis(
                f"in {{}}, what is put into its places is {operation.words}",
                partial(_place_changed, operation),
            )


def _apply(operation: Operation, evidence: Evidence) -> Array:
    return operation.apply(_right(evidence))


def _place_changed(operation: Operation, evidence: Evidence) -> Array:
    return evidence.products.place(operation.apply(evidence.products.sum_products()))


@lru_cache
def _list_operations(axes: str) -> tuple[Operation, ...]:
    return (*along_axes(axes), *relay(axes), *change_numbers())


def _with_operand(which: int, operation: Operation) -> Callable[[Evidence], Array]:
    def answer(evidence: Evidence) -> Array:
        products = evidence.products
        return products.exchange(which, operation.apply(products.operands[which])).total()

    return answer


def _of_sum(products: Products) -> Iterator[Hypothesis]:
    """The sum taken over a part of what it runs over: = for +=, a loop that ends too soon."""
    summed = products.summed
    for count in range(1, len(summed) + 1):
        for axes in combinations(summed, count):
            named = " and ".join(AXES[axis] for axis in axes) + (f" of {products.names[0]}" if axes != ("m",) else "")
            for words, keep in KEPT_IN_SUM.items():
                yield Hypothesis(f"{{}} {words.format(named)}", _partial_sum(axes, keep))
            several = " and ".join(map(name_several, axes))
            yield Hypothesis(f"{{}} is the largest over the {several}, not their sum", _largest(axes))
    meet = {pair for letters in products.letters for pair in combinations(letters, 2)}
    for one, other in sorted(meet):
        same = f"those of equal {AXES[one]} and {AXES[other]} alone are summed in {{}}"
        yield Hypothesis(same, partial(_diagonal, one, other))


def _partial_sum(axes: tuple[str, ...], keep: Callable[[Array, int], Array]) -> Callable[[Evidence], Array]:
    def answer(evidence: Evidence) -> Array:
        products = evidence.products
        for axis in axes:
            which = next(i for i, letters in enumerate(products.letters) if axis in letters)
            kept = keep(products.operands[which], products.letters[which].index(axis))
            products = products.exchange(which, kept)
        return products.total()

    return answer


def _largest(axes: tuple[str, ...]) -> Callable[[Evidence], Array]:
    def answer(evidence: Evidence) -> Array:
        products = evidence.products
        parts = products.unsummed("".join(axes))
        return products.place(parts.max(axis=tuple(range(-len(axes), 0))))

    return answer


def _diagonal(one: str, other: str, evidence: Evidence) -> Array:
    products = evidence.products
    which = next(i for i, letters in enumerate(products.letters) if one in letters and other in letters)
    letters, operand = products.letters[which], products.operands[which]
    first, second = letters.index(one), letters.index(other)
    indices = np.indices(operand.shape)
    return products.exchange(which, np.where(indices[first] == indices[second], operand, 0)).total()


def _of_candidates(evidence: Evidence) -> Iterator[Hypothesis]:
    """Another share for the numbers that each window reads, or another gate."""
    products = evidence.products
    if isinstance(evidence.step, KinkedStep) and not evidence.step.selects:
        for words, gate in GATES.items():
            yield Hypothesis(f"in {{}}, {words}", partial(_with_gate, gate))
    elif products.places is not None and products.letters[1] == products.made:
        for words, share in SHARES.items():
            yield Hypothesis(f"in {{}}, {words}", partial(_with_shares, share))
        for place in range(products.operands[1].shape[-1]):
            yield Hypothesis(
                f"{{}} gets the gradient at place {place} of each window, wherever its maximum is",
                partial(_with_shares, partial(give_to, place)),
            )


def _of_shares_and_places(evidence: Evidence) -> Iterator[Hypothesis]:
    """Another share for the numbers of each window, and what overlaps not added up."""
    products = evidence.products
    if not isinstance(evidence.step, KinkedStep) or products.places is None:
        return
    for words, share in SHARES.items():
        for placing in list_placings(products):
            yield Hypothesis(f"in {{}}, {words}; and {placing.words}", partial(_place_shares, share, placing))


def _place_shares(share: Share, placing: Hypothesis, evidence: Evidence) -> Array:
    return placing.answer(replace(evidence, products=_share(share, evidence)))


def _with_gate(gate: Gate, evidence: Evidence) -> Array:
    return evidence.products.exchange(1, gate(evidence.read[0], evidence.given)).total()


def _with_shares(share: Share, evidence: Evidence) -> Array:
    return _share(share, evidence).total()


def _share(share: Share, evidence: Evidence) -> Products:
    """The products with another share for each number of a window."""
    products, source = evidence.products, evidence.read[0]
    if products.places is None:
        raise LookupError
    values = source.reshape(*source.shape[:2], -1)[:, :, products.places]  # (m, N, p, q, s²)
    return products.exchange(1, share(values, evidence.given))


def _relaid_within(products: Products) -> Iterator[Hypothesis]:
    """Some axes of an operand, or of what is put into places, laid out in one order and read in another."""
    for which, (name, letters) in enumerate(zip(products.names, products.letters, strict=True)):
        for operation in relay_within(letters):
            yield Hypothesis(f"in {{}}, {name} is {operation.words}", _with_operand(which, operation))
    if products.places is not None:
        for operation in relay_within(products.made):
            yield Hypothesis(
                f"in {{}}, what is put into its places is {operation.words}", partial(_place_changed, operation)
            )


def _of_reading(evidence: Evidence) -> Iterator[Hypothesis]:
    """Something else read: the source or a parameter, changed before the step looks at it."""
    if evidence.step is None:
        return
    for which, tensor in enumerate(evidence.step.reads):
        axes = AXES_OF.get(tensor.axes) if tensor.role != "bias" else None
        for operation in (*along_axes(axes), *relay(axes), *change_numbers()) if axes else ():
            yield Hypothesis(f"{{}} is made with {tensor.name} {operation.words}", _read_changed(which, operation))


def _read_changed(which: int, operation: Operation) -> Callable[[Evidence], Array]:
    def answer(evidence: Evidence) -> Array:
        read = list(evidence.read)
        read[which] = operation.apply(read[which])
        return evidence.answer(evidence.given, read)

    return answer
