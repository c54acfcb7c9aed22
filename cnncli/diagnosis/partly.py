"""Where no hypothesis explains everything: lost precision, most of the cases or of the error, the place alone."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnncli.diagnosis.evidence import Arrays, Evidence
from cnncli.diagnosis.explanation import Explanation, say
from cnncli.diagnosis.fit import FEW, choose, fit_hypothesis, rank
from cnncli.diagnosis.hypotheses import list_hypotheses
from cnncli.diagnosis.places import list_places
from cnncli.diagnosis.restricted import find_wrong

MOST = 0.1  # the share of an error that may be left by an explanation of most of it
PRECISION = 1e-5  # errors below this share of the gradient are of its precision
PRECISION_OF_HALF = 1e-2
LEAST_OF_SINGLE, MOST_OF_SINGLE = 1e-9, 1e-6
EXACT = 1e-10  # a share of the error that is none
NEARLY = 0.02  # a share of the gradient below which an error that nothing explains may be noise


def explain_precision(wrong: Sequence[Evidence], where: str | None) -> Explanation | None:
    """Errors that are small everywhere: those of float32 or float16, or of a difference quotient."""
    share = max(_measure_error(e) for e in wrong)
    half, single = (
        all((f == f.astype(dtype)).all() for e in wrong for f in e.found) for dtype in (np.float16, np.float32)
    )
    if half and np.median([_measure_error(e) for e in wrong]) < PRECISION_OF_HALF:
        how = "was rounded to float16"
    elif share > PRECISION:
        return None
    elif share < LEAST_OF_SINGLE:
        how = "has lost digits: it is off by more than rounding and less than float32 makes"
    elif share < MOST_OF_SINGLE:
        how = "was rounded to float32" if single else "was computed with less than float64's precision, as in float32"
    else:
        how = "is only nearly right, as with noise, an ε that is added, or a difference quotient"
    certain = half or (single and share < MOST_OF_SINGLE)
    return say(f"{{}} is right to {share:.0e} alone: it {how}", wrong[0], certain=certain, where=where)


def _measure_error(evidence: Evidence) -> float:
    """The largest error as a share of the largest entry."""
    return max(
        float(np.abs(f - r).max(initial=0) / (max(np.abs(r).max(initial=0), evidence.scale) or 1))
        for f, r in zip(evidence.found, evidence.right, strict=True)
    )


def explain_most_cases(cases: Sequence[Evidence]) -> Explanation | None:
    """The hypothesis that explains most of the cases to rounding, if the others are few."""
    wrong = sum(not case.is_right for case in cases)
    fits = [fit for each in list_hypotheses(cases[0]) if (fit := fit_hypothesis(each, cases, missing=wrong // 4))]
    fits = [fit for fit in fits if not fit.spared and wrong - fit.missed >= FEW]
    if not fits:
        return None
    best = min(fits, key=lambda fit: (fit.missed, rank(fit)))
    explanation = choose([best], cases, tuple, None)
    sentence = f"{explanation.sentence} (in {wrong - best.missed} of the {wrong} cases; not all of the rest is known)"
    return replace(explanation, sentence=sentence)


def explain_most(cases: Sequence[Evidence], where: str | None) -> Explanation | None:
    """The hypothesis that leaves least of the error, if that is little."""
    wrong = [case for case in cases if not case.is_right]
    best, least = None, MOST
    for hypothesis in list_hypotheses(cases[0]):
        left = 0.0
        for case in wrong:
            left = max(left, _measure_left(hypothesis.predict(case), case))
            if left >= least:
                break
        if left < least:
            best, least = hypothesis, left
    if best is None:
        return None
    left = least if least > EXACT else 0.0  # nothing of the wrong cases, but right ones would be spoilt
    return Explanation(best.words.format(cases[0].name), False, left, where, best.mistake, best)


def locate(cases: Sequence[Evidence], where: str | None) -> Explanation | None:
    """Nothing explains it: in which entries it is wrong, if they have a description, and in which cases."""
    wrong = [case for case in cases if not case.is_right]
    local = all(case.is_direct for case in wrong)
    for place in list_places(cases[0]) if local else ():
        parts = [(place.find(case), find_wrong(case)) for case in wrong]
        if all(not part.all() and not (off & ~part).any() for part, off in parts):
            return Explanation(f"{cases[0].name} is wrong {place.words} alone; how is not known", False, 1.0, where)
    if (share := max(map(_measure_error, wrong))) < NEARLY:
        return say(
            f"{{}} is nearly right: it is off by {share:.0e} of its size, as with noise", wrong[0], certain=False
        )
    return Explanation(f"{cases[0].name} is wrong; how is not known", False, 1.0, where) if where else None


def _measure_left(predicted: Arrays | None, case: Evidence) -> float:
    if predicted is None or not all(np.isfinite(part).all() for part in predicted):
        return np.inf
    error = sum(float(((f - r) ** 2).sum()) for f, r in zip(case.found, case.right, strict=True))
    left = sum(float(((f - p) ** 2).sum()) for f, p in zip(case.found, predicted, strict=True))
    return float(np.sqrt(left / error)) if error else np.inf
