"""Two mistakes at once: something done to a gradient that is wrong already, or to two of its operands."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cnncli.diagnosis.evidence import Evidence, measure_factor
from cnncli.diagnosis.hypotheses import NOTHING, RIGHT, Hypothesis
from cnncli.diagnosis.operations import Operation, along_axes, relay
from cnncli.network.arrays import Array

LARGEST = 4096  # entries of the case that pairs are tried on
SAME = 1e-9


def pair_hypotheses(singles: Sequence[Hypothesis], case: Evidence) -> Iterator[Hypothesis]:
    """Pairs that explain the first case; the caller looks at the others."""
    if not case.is_direct or case.found[0].size > LARGEST:
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
        moved = abs(_measure_spread(predicted[0]) - _measure_spread(found)) <= SAME
        for operation in operations if moved else keeping:
            if measure_factor((operation.apply(predicted[0]),), case.found, case.eps):
                yield Hypothesis(
                    f"{single.words}; and then {{}} is {operation.words}", _after(single.answer, operation)
                )


def _measure_spread(array: Array) -> float:
    """Σx⁴ / (Σx²)², which no order and no factor changes."""
    square = float((array**2).sum())
    return float((array**4).sum()) / square**2 if square else 0.0


def _after(answer: Callable[[Evidence], Array], operation: Operation) -> Callable[[Evidence], Array]:
    return lambda evidence: operation.apply(answer(evidence))
