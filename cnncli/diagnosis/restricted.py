"""Hypotheses that hold in a part of the entries alone, and right numbers elsewhere."""

from collections.abc import Iterator, Sequence

import numpy as np

from cnncli.diagnosis.evidence import Evidence, close
from cnncli.diagnosis.hypotheses import NOTHING, RIGHT
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.places import Place, list_places
from cnncli.network.arrays import Array


def restrict(singles: Sequence[Hypothesis], cases: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Wrong in a part of the entries alone, which has a description."""
    wrong = [case for case in cases if not case.is_right]
    for hypothesis in _list_local(singles, wrong):
        for place in list_places(cases[0]):

            def answer(e: Evidence, h: Hypothesis = hypothesis, p: Place = place) -> Array:
                return np.where(p.find(e), h.answer(e), e.products.total())

            if all(_matches(answer(case), case) for case in wrong):
                words = hypothesis.words + " " if hypothesis is not NOTHING else "{} is 0 "
                yield Hypothesis(f"{words}{place.words}", answer)


def _matches(answer: Array, case: Evidence) -> bool:
    return close(answer, case.found[0], case.eps)


def _list_local(singles: Sequence[Hypothesis], wrong: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Hypotheses that are right wherever an entry is wrong."""
    constant = _find_local_factor(wrong)
    if constant is not None:
        yield Hypothesis(f"{{}} is multiplied by {constant:.6g}", lambda e: constant * e.products.total())
    for hypothesis in singles:
        if hypothesis.mistake or hypothesis is RIGHT:
            continue
        if all(_explains_wrong(hypothesis, case) for case in wrong):
            yield hypothesis


def _explains_wrong(hypothesis: Hypothesis, case: Evidence) -> bool:
    predicted = hypothesis.predict(case)
    if predicted is None:
        return False
    off = find_wrong(case)
    return close(predicted[0][off], case.found[0][off], case.eps)


def find_wrong(case: Evidence) -> Array:
    """Which entries are wrong."""
    largest = np.abs(case.right[0]).max(initial=0)
    wrong: Array = np.abs(case.found[0] - case.right[0]) > max(1e-11, case.slack) * largest
    return wrong


def _find_local_factor(wrong: Sequence[Evidence]) -> float | None:
    """The one factor of all wrong entries."""
    ratios = []
    for case in wrong:
        off = find_wrong(case)
        if (case.right[0][off] == 0).any():
            return None
        ratios.append(case.found[0][off] / case.right[0][off])
    all_ratios = np.concatenate(ratios)
    factor = float(np.median(all_ratios)) if len(all_ratios) else 0.0
    same = len(all_ratios) and (np.abs(all_ratios - factor) <= 1e-8 * max(abs(factor), 1)).all()
    return factor if same and factor else None
