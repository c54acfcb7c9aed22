"""Two mistakes at once: something done to a gradient that is wrong already, or to two of its operands."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cnncli.checking.diagnosis.evidence import Evidence, measure_factor
from cnncli.checking.diagnosis.hypotheses import NOTHING, RIGHT, Hypothesis
from cnncli.checking.diagnosis.operations import Operation, along_axes, relay
from cnncli.network.arrays import Array

LARGEST = 4096  # entries of the case that pairs are tried on


def pair_hypotheses(singles: Sequence[Hypothesis], case: Evidence) -> Iterator[Hypothesis]:
    """Pairs that explain the first case; the caller looks at the others."""
    if len(case.found) > 1 or case.products.shape != case.found[0].shape or case.found[0].size > LARGEST:
        return
    operations = [*along_axes(case.products.axes), *relay(case.products.axes)]
    for single in singles:
        if single.mistake or single in (RIGHT, NOTHING):
            continue
        predicted = single.predict(case)
        if predicted is None or not predicted[0].any() or not np.isfinite(predicted[0]).all():
            continue
        total = float((predicted[0] ** 2).sum())
        for operation in operations:
            answer = operation.apply(predicted[0])
            if abs(float((answer**2).sum()) / total - 1) < 10 and measure_factor((answer,), case.found, case.eps):
                yield Hypothesis(
                    f"{single.words}; and then {{}} is {operation.words}", _after(single.answer, operation)
                )


def _after(answer: Callable[[Evidence], Array], operation: Operation) -> Callable[[Evidence], Array]:
    return lambda evidence: operation.apply(answer(evidence))
