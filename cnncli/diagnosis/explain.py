"""The simplest hypothesis that explains every case, how sure that is, and in which cases it shows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from cnncli.diagnosis.conditions import Features, separate
from cnncli.diagnosis.evidence import Arrays, Evidence, close, measure_factor
from cnncli.diagnosis.factors import name_factor
from cnncli.diagnosis.fitted import fit_hypotheses
from cnncli.diagnosis.hypotheses import RIGHT, Hypothesis, list_far_hypotheses, list_hypotheses
from cnncli.diagnosis.mistakes import Mistake
from cnncli.diagnosis.pairs import pair_hypotheses
from cnncli.diagnosis.places import list_places
from cnncli.diagnosis.restricted import find_wrong, restrict
from cnncli.diagnosis.shapes import explain_shape

Depth = Literal["known", "simple", "all"]
DEPTHS: tuple[Depth, ...] = get_args(Depth)

FEW = 3  # cases from which on a formula for a factor counts as known
MOST = 0.1  # the share of an error that may be left by an explanation of most of it
PRECISION = 1e-5  # errors below this share of the gradient are of its precision


@dataclass(frozen=True)
class Explanation:
    """What a wrong gradient is."""

    sentence: str
    certain: bool  # whether it explains all cases to rounding, and nothing else does
    left: float = 0.0  # the largest share of the error that is not explained
    where: str | None = (
        None  # "m > 1": what the cases have in common in which it is wrong; None: all cases are, or none is
    )
    mistake: Mistake | None = None
    hypothesis: Hypothesis | None = None

    @property
    def text(self) -> str:
        """The sentence with what limits it."""
        cases = f", only where {self.where}" if self.where else ""
        if self.left == 1:
            return f"{self.sentence}{cases}"
        if self.left:
            return f"probably: {self.sentence}{cases} (after that {self.left:.0e} of the error is left)"
        return f"{self.sentence}{cases}" if self.certain else f"probably: {self.sentence}{cases}"


@dataclass(frozen=True)
class _Fit:
    hypothesis: Hypothesis
    factors: tuple[str, ...]  # several where the cases do not tell them apart
    spared: tuple[str, ...]  # the cases that it would spoil and that are right


def explain(
    evidences: Sequence[Evidence],
    features: Sequence[Features],
    draw_probes: Callable[[], Sequence[Evidence]],
    *,
    depth: Depth = "all",
) -> Explanation | None:
    """The explanation of what was found in several cases of one link; None where all is right, or none is found.

    `draw_probes` makes cases of which it is not known what would be found: hypotheses that agree on them are one.
    `depth`: how far to look: at known mistakes, at simple hypotheses, or at all, which needs the link's own answer.
    """
    usable = [(e, f) for e, f in zip(evidences, features, strict=True) if _is_usable(e)]
    wrong = [(e, f) for e, f in usable if not e.is_right]
    misshapen = [e for e in evidences if any(a.shape != b.shape for a, b in zip(e.found, e.right, strict=True))]
    if misshapen:
        words = explain_shape(misshapen)
        return _say(words, misshapen[0], certain=True) if words else None
    if not wrong:
        return None
    where = separate([f for _, f in wrong], [f for e, f in usable if e.is_right])
    cases = sorted((e for e, _ in wrong), key=_weight, reverse=True) + [e for e, _ in usable if e.is_right]
    precise = _explain_precision([e for e, _ in wrong], where)
    if precise:
        return precise
    for tier in _list_tiers(cases, depth):
        fits = [fit for hypothesis in tier if (fit := _fit(hypothesis, cases))]
        fits = [fit for fit in fits if not fit.spared or where]
        fits.sort(key=lambda fit: (bool(fit.spared), len(fit.factors) != 1 or bool(fit.factors[0])))
        if fits:
            return _choose(fits, cases, draw_probes() if len(fits) > 1 else (), where)
    if depth != "all" or not all(case.is_direct for case in cases):
        return None
    return _explain_most(cases, where) or _locate(cases, where)


def _is_usable(evidence: Evidence) -> bool:
    return all(
        found.shape == right.shape and np.isfinite(found).all()
        for found, right in zip(evidence.found, evidence.right, strict=True)
    )


def _weight(evidence: Evidence) -> tuple[int, int]:
    """How much a case tells: axes that are longer than 1, then size, of moderate arrays."""
    shapes = [evidence.products.shape, *(operand.shape for operand in evidence.products.operands)]
    size = max(part.size for part in evidence.found)
    return sum(length > 1 for shape in shapes for length in shape) + min(len(set(shapes[0])), 4), -size


def _list_tiers(cases: Sequence[Evidence], depth: Depth) -> Iterator[Iterable[Hypothesis]]:
    """Hypotheses from simple to complex; a tier is looked at when the ones before explain nothing."""
    singles = list(list_hypotheses(cases[0]))
    if depth == "known":
        yield [single for single in singles if single.mistake]
        return
    yield singles
    if depth == "simple" or not all(case.is_direct for case in cases):
        return
    wrong = [case for case in cases if not case.is_right]
    yield list(fit_hypotheses(cases))
    if len(wrong) < len(cases):
        yield list(fit_hypotheses(wrong))
    singles += list_far_hypotheses(cases[0])
    yield singles
    yield restrict(singles, cases)
    yield pair_hypotheses(singles, cases[0])


def _fit(hypothesis: Hypothesis, cases: Sequence[Evidence]) -> _Fit | None:
    factors, spared, shows, changes = [], [], False, hypothesis is RIGHT
    for case in cases:
        predicted = hypothesis.predict(case)
        if predicted is None:
            return None
        factor = measure_factor(predicted, case.found, case.eps)
        if factor is None:
            if not case.is_right:
                return None
            spared.append(case.case)
            continue
        if hypothesis is RIGHT and case.is_right and factor != factor:
            continue
        factors.append((case, factor))
        changes |= not case.is_right and not all(
            close(part, right, case.eps) for part, right in zip(predicted, case.right, strict=True)
        )
        shows |= not case.is_right
    if not shows or not changes:  # what changes nothing explains nothing, whatever the factor
        return None
    named = name_factor(factors)
    if not named:  # in the cases that are right it may be 1 by exception
        named = name_factor([(case, factor) for case, factor in factors if not case.is_right])
        spared += [case.case for case, _ in factors if case.is_right]
    if not named:
        return None
    return _Fit(hypothesis, tuple(named), tuple(spared))


def _choose(
    fits: Sequence[_Fit], cases: Sequence[Evidence], probes: Sequence[Evidence], where: str | None
) -> Explanation:
    """The simplest, with those that say something else beside it."""
    best = fits[0]
    others = [fit for fit in fits[1:] if bool(fit.spared) == bool(best.spared) and not _agree(best, fit, probes)]
    others = [fit for fit in others if not fit.factors[0] or best.factors[0]][:2]
    sentences = [_phrase(best), *(_phrase(fit) for fit in others)]
    few = len(cases) < FEW and best.factors[0] not in ("", "has the wrong sign")
    certain = not others and len(best.factors) == 1 and not few
    return Explanation(
        "; or ".join(dict.fromkeys(sentences)).format(*[cases[0].name] * 9),
        certain,
        where=where,
        mistake=best.hypothesis.mistake,
        hypothesis=best.hypothesis,
    )


def _agree(one: _Fit, other: _Fit, probes: Sequence[Evidence]) -> bool:
    """Whether two hypotheses say the same of cases that neither has seen, up to the factors that were found."""
    for probe in probes:
        first, second = one.hypothesis.predict(probe), other.hypothesis.predict(probe)
        if first is None or second is None or measure_factor(first, second, probe.eps) is None:
            return False
    return True


def _phrase(fit: _Fit) -> str:
    factor = " or ".join(fit.factors)
    if fit.hypothesis is RIGHT:
        return "{} " + (factor if factor.startswith("has") else f"is {factor}")
    return fit.hypothesis.words + (f", and {factor}" if factor else "")


def _explain_precision(wrong: Sequence[Evidence], where: str | None) -> Explanation | None:
    """Errors that are small everywhere: those of float32, or of a difference quotient."""
    shares = [
        max(
            np.abs(f - r).max(initial=0) / (max(np.abs(r).max(initial=0), e.scale) or 1)
            for f, r in zip(e.found, e.right, strict=True)
        )
        for e in wrong
    ]
    if max(shares) > PRECISION:
        return None
    single = all((f == f.astype(np.float32)).all() for e in wrong for f in e.found)
    how = "was rounded to float32" if single else "was computed with less than float64's precision, as in float32"
    if max(shares) < 1e-9:
        how = "has lost digits: it is off by more than rounding and less than float32 makes"
    return _say(f"{{}} is right to {max(shares):.0e} alone: it {how}", wrong[0], certain=single, where=where)


def _explain_most(cases: Sequence[Evidence], where: str | None) -> Explanation | None:
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
    return Explanation(best.words.format(cases[0].name), False, least, where, best.mistake, best)


def _locate(cases: Sequence[Evidence], where: str | None) -> Explanation | None:
    """Nothing explains it: in which entries it is wrong, if they have a description, and in which cases."""
    wrong = [case for case in cases if not case.is_right]
    local = all(case.is_direct for case in wrong)
    for place in list_places(cases[0]) if local else ():
        parts = [(place.find(case), find_wrong(case)) for case in wrong]
        if all(not part.all() and not (off & ~part).any() for part, off in parts):
            return Explanation(f"{cases[0].name} is wrong {place.words} alone; how is not known", False, 1.0, where)
    return Explanation(f"{cases[0].name} is wrong; how is not known", False, 1.0, where) if where else None


def _measure_left(predicted: Arrays | None, case: Evidence) -> float:
    if predicted is None or not all(np.isfinite(part).all() for part in predicted):
        return np.inf
    error = sum(float(((f - r) ** 2).sum()) for f, r in zip(case.found, case.right, strict=True))
    left = sum(float(((f - p) ** 2).sum()) for f, p in zip(case.found, predicted, strict=True))
    return float(np.sqrt(left / error)) if error else np.inf


def _say(words: str, evidence: Evidence, *, certain: bool, where: str | None = None) -> Explanation:
    return Explanation(words.format(evidence.name), certain, where=where)
