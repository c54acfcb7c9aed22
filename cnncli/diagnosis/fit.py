"""How a hypothesis fits what was found in some cases, and which of several that fit is said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cnncli.diagnosis.evidence import FLOOR, Evidence, close, measure_factor
from cnncli.diagnosis.explanation import Explanation
from cnncli.diagnosis.factors import SAME, Formula, find_factor
from cnncli.diagnosis.hypotheses import RIGHT
from cnncli.diagnosis.hypothesis import Hypothesis

FEW = 3  # cases from which on a formula for a factor counts as known
TWO = 2  # cases from which on anything else does, where there are several


@dataclass(frozen=True)
class Fit:
    """How a hypothesis fits some cases."""

    hypothesis: Hypothesis
    factors: tuple[Formula, ...]  # several where the cases do not tell them apart
    spared: tuple[str, ...]  # the cases that it would spoil and that are right
    missed: int = 0  # the wrong cases that it does not explain


def fit_hypothesis(
    hypothesis: Hypothesis, cases: Sequence[Evidence], *, missing: int = 0, spares: bool = True
) -> Fit | None:
    """How a hypothesis fits, where it misses no more than some of the wrong cases; whether it may spoil right ones."""
    factors: list[tuple[Evidence, float]] = []
    spared, missed, changes = [], 0, hypothesis is RIGHT
    for case in cases:
        predicted = hypothesis.predict(case)
        factor = case.measure_factor(predicted) if predicted else None
        if predicted is None or (factor is None and not case.is_right and missed == missing):
            return None
        if factor == 0 and not case.is_right:  # nothing at all is a multiple of everything
            return None
        if factor is not None:
            factors.append((case, factor))
            changes |= not case.is_right and not case.is_as_right(predicted)
        elif case.is_right:
            if not spares:
                return None
            spared.append(case.case)
        else:
            missed += 1
    wrong = [(case, factor) for case, factor in factors if not case.is_right]
    if not wrong or not changes or (hypothesis is not RIGHT and _is_trivial(wrong)):
        return None  # what changes nothing explains nothing, whatever the factor
    named = find_factor(factors)
    if not named:  # in the cases that are right it may be 1 by exception
        named = find_factor(wrong)
        spared += [case.case for case, _ in factors if case.is_right]
    return Fit(hypothesis, tuple(named), tuple(spared), missed) if named and (spares or not spared) else None


def _is_trivial(factors: Sequence[tuple[Evidence, float]]) -> bool:
    """Whether there is one number alone in every case, of which everything is a multiple."""
    single = all(sum(part.size for part in case.found) == 1 for case, _ in factors)
    return single and any(abs(factor - 1) > max(SAME, case.slack) for case, factor in factors)


def rank(fit: Fit) -> tuple[bool, float]:
    """The plainest first: a known mistake, the right one with one factor, anything else without one."""
    factor = fit.factors[0].words
    steps = (1 + factor.count(" and ") if factor else 0) + (len(fit.factors) > 1)
    if fit.hypothesis is RIGHT:
        return bool(fit.spared), steps
    if fit.hypothesis.mistake:
        return bool(fit.spared), 1.75 * steps
    return bool(fit.spared), 1.25 + 2 * steps


def choose(
    fits: Sequence[Fit],
    cases: Sequence[Evidence],
    draw_probes: Callable[[], Sequence[Evidence]],
    where: str | None,
) -> Explanation:
    """The simplest, with those that say something else beside it."""
    best, *others = sorted(fits, key=rank)
    probes = draw_probes() if others else ()
    if best.spared:  # it says nothing of the others
        probes = [probe for probe in probes if probe.case not in best.spared]
    others = [fit for fit in others if bool(fit.spared) == bool(best.spared) and not _agree(best, fit, probes)]
    factor = best.factors[0].words
    others = [fit for fit in others if not fit.factors[0].words or factor][:2]
    sentences = [_phrase(best), *(_phrase(fit) for fit in others)]
    wrong = [case for case in cases if not case.is_right]
    plain = best.hypothesis.mistake or factor == "has the wrong sign"
    few = len(wrong) < (FEW if factor else TWO) and not plain and (len(cases) > 1 or bool(factor))
    return Explanation(
        "; or ".join(dict.fromkeys(sentences)).format(*[cases[0].name] * 9),
        not others and len(best.factors) == 1 and not few and not best.missed,
        where=where,
        mistake=best.hypothesis.mistake,
        hypothesis=best.hypothesis,
        factor=best.factors[0].evaluate,
        spares=bool(best.spared),
    )


def foretells(explanation: Explanation, case: Evidence) -> bool:
    """Whether an explanation by a hypothesis says what was found in a case that it was not made from."""
    if explanation.hypothesis is None or explanation.factor is None or not case.has_right_shape:
        return False
    if case.is_lost or not all(np.isfinite(part).all() for part in case.found):
        return True
    if explanation.spares and case.is_right:
        return True
    predicted = explanation.hypothesis.predict(case)
    factor = case.measure_factor(predicted) if predicted else None
    if factor is None or np.isnan(factor):
        return factor is not None
    expected = explanation.factor(case)
    return abs(factor - expected) <= max(SAME, case.slack) * abs(expected)


def foretells_undefined(explanation: Explanation, case: Evidence) -> bool:
    """Whether an explanation says which entries are no numbers, and what the others are."""
    predicted = explanation.hypothesis.predict(case) if explanation.hypothesis else None
    if predicted is None or explanation.factor is None:
        return False
    expected = [explanation.factor(case) * part for part in predicted]
    return all(
        bool((np.isnan(one) == np.isnan(other)).all()) and close(np.nan_to_num(one), np.nan_to_num(other), case.eps)
        for one, other in zip(expected, case.found, strict=True)
    )


def _agree(one: Fit, other: Fit, probes: Sequence[Evidence]) -> bool:
    """Whether two hypotheses say the same of cases that neither has seen, up to the factors that were found."""
    for probe in probes:
        first, second = one.hypothesis.predict(probe), other.hypothesis.predict(probe)
        if first is None or second is None:
            return False
        if not all(np.isfinite(part).all() for part in (*first, *second)):
            continue
        scale = max(np.abs(part).max(initial=0) for part in probe.right) / FLOOR
        if measure_factor(first, second, probe.eps, scale) is None:
            return False
    return True


def _phrase(fit: Fit) -> str:
    factor = " or ".join(formula.words for formula in fit.factors)
    if fit.hypothesis is RIGHT:
        return "{} " + (factor if factor.startswith("has") else f"is {factor}")
    return fit.hypothesis.words + (f", and {factor}" if factor else "")
