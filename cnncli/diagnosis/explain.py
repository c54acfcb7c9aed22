"""The simplest hypothesis that explains every case, how sure that is, and in which cases it shows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, get_args

from cnncli.diagnosis.conditions import OR, separate
from cnncli.diagnosis.evidence import Evidence, Features
from cnncli.diagnosis.explanation import Explanation, say
from cnncli.diagnosis.fit import FEW, Fit, choose, fit_hypothesis, foretells, foretells_undefined
from cnncli.diagnosis.fitted import fit_hypotheses
from cnncli.diagnosis.fitted_gates import fit_masks
from cnncli.diagnosis.hypotheses import list_composed, list_far_hypotheses, list_hypotheses
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.pairs import pair_hypotheses, pair_operands
from cnncli.diagnosis.partly import explain_most, explain_most_cases, explain_precision, locate
from cnncli.diagnosis.restricted import restrict
from cnncli.diagnosis.shapes import explain_shape
from cnncli.diagnosis.undefined import explain_overflow, explain_undefined, is_defined

Depth = Literal["known", "simple", "all"]
DEPTHS: tuple[Depth, ...] = get_args(Depth)
DrawProbes = Callable[[], Sequence[Evidence]]
MOST_SPOILING = 12  # hypotheses of a tier that hold under a condition alone
ROUNDS = 3  # of cases that are drawn to hold an explanation against
CANNOT_TELL = "it cannot be told: where σ is saturated A − y has no digits left that could be right or wrong"


def explain(
    evidences: Sequence[Evidence],
    draw_probes: DrawProbes,
    *,
    depth: Depth = "all",
    draw_fresh: Callable[[int], Sequence[Evidence]] | None = None,
) -> Explanation | None:
    """The explanation of what was found in several cases of one link; None where all is right, or none is found.

    `draw_probes` makes cases of which it is not known what would be found: hypotheses that agree on them are one.
    `depth`: how far to look: at known mistakes, at simple hypotheses, or at all, which needs the link's own answer.
    `draw_fresh` finds out what comes out in other cases, others for each number: no explanation is certain that does
    not foretell them. Without it, it is held against the cases alone that it was made from.
    """
    cases = list(evidences)
    explanation = _explain(cases, draw_probes, depth)
    if draw_fresh is None:
        return explanation
    for number in range(ROUNDS):
        if not _is_to_be_tried(explanation, cases):
            return explanation
        fresh = draw_fresh(number)
        if explanation and explanation.certain and fresh and all(foretells(explanation, e) for e in fresh):
            where = separate(*_divide([*cases, *fresh]), thorough=explanation.spares)
            if where and OR in where and number + 1 < ROUNDS:  # more cases may tell the conditions apart
                fresh = [*fresh, *draw_fresh(number + 1)]
                where = separate(*_divide([*cases, *fresh]), thorough=explanation.spares)
            if where or not explanation.spares:
                return replace(explanation, where=where)
        cases += fresh
        before, explanation = explanation, _explain(cases, draw_probes, depth)
        if before and explanation and not before.hypothesis and not explanation.hypothesis:
            return explanation  # it was read off every case
    return replace(explanation, certain=False) if explanation else None


def _is_to_be_tried(explanation: Explanation | None, cases: Sequence[Evidence]) -> bool:
    """Whether other cases would tell more: the explanation is certain, or there are too few to go by."""
    return bool(explanation and explanation.certain) or sum(not e.is_as_it_should_be for e in cases) < FEW


def _explain(cases: Sequence[Evidence], draw_probes: DrawProbes, depth: Depth) -> Explanation | None:
    """The explanation of these cases alone."""
    misshapen = [e for e in cases if not e.has_right_shape]
    if misshapen:
        said = explain_shape(misshapen)
        return say(said[0], misshapen[0], certain=said[1]) if said else None
    cases = [e for e in cases if not e.is_lost] or cases
    if all(e.is_lost for e in cases):
        return Explanation(CANNOT_TELL, False, 1.0) if all(e.has_no_digits for e in cases) else None
    usable = [e for e in cases if is_defined(e)]
    explanation = _explain_numbers(usable, draw_probes, depth)
    if len(usable) == len(cases):
        return explanation
    if not all(e.is_direct for e in cases):  # where it comes from is not seen
        return explanation
    if explanation and all(foretells_undefined(explanation, e) for e in cases if not is_defined(e)):
        return explanation
    if overflow := explain_overflow(cases):
        return overflow
    words, exact = explain_undefined(cases)
    where = separate([e.features for e in cases if not is_defined(e)], [e.features for e in usable])
    undefined = say(words, cases[0], certain=exact, where=where)
    if explanation is None:
        return undefined
    sentence = f"{undefined.text}; beside that, {explanation.sentence}"
    return replace(explanation, sentence=sentence, certain=explanation.certain and exact)


def _divide(cases: Sequence[Evidence]) -> tuple[list[Features], list[Features]]:
    """The features of the wrong cases, and of the right ones."""
    known = [e for e in cases if e.has_right_shape and is_defined(e) and not e.is_lost]
    wrong, right = ([e.features for e in known if e.is_right == whether] for whether in (False, True))
    return wrong, right


def _explain_numbers(cases: Sequence[Evidence], draw_probes: DrawProbes, depth: Depth) -> Explanation | None:
    """The explanation of cases in which every entry is a finite number."""
    wrong, right = ([e for e in cases if e.is_right == whether] for whether in (False, True))
    if not wrong:
        return None
    features = _divide(cases)
    where, only = separate(*features, thorough=False), separate(*features)
    cases = sorted(wrong, key=_weight, reverse=True) + right
    precise = explain_precision(wrong, where)
    if precise:
        return precise
    spoiling: list[Fit] = []  # those that hold under a condition alone
    for tier in _list_tiers(cases, depth):
        fits = _fit_tier(tier, cases, spares=only is not None and not spoiling)
        if depth == "known":
            fits = [fit for fit in fits if not fit.factors[0].words]
        if clean := [fit for fit in fits if not fit.spared]:
            return choose(clean, cases, draw_probes, where)
        spoiling = spoiling or fits
    if spoiling:
        return choose(spoiling, cases, draw_probes, only)
    if depth != "all" or not all(case.is_direct for case in cases):
        return None
    last = _explain_last(cases, draw_probes, where)
    return last or explain_most_cases(cases) or explain_most(cases, only) or locate(cases, only)


def _fit_tier(tier: Iterable[Hypothesis], cases: Sequence[Evidence], *, spares: bool) -> list[Fit]:
    """All that fit; of those that spoil right cases no more than some, for where many do none tells anything."""
    fits: list[Fit] = []
    spoiling = 0
    for hypothesis in tier:
        fit = fit_hypothesis(hypothesis, cases, spares=spares and spoiling < MOST_SPOILING)
        if fit:
            fits.append(fit)
            spoiling += bool(fit.spared)
    return fits


def _explain_last(cases: Sequence[Evidence], draw_probes: DrawProbes, where: str | None) -> Explanation | None:
    """Two things at once; or entries that are 0 where nothing says why, which is never said for sure."""
    fits = [fit for each in _list_last(cases) if (fit := fit_hypothesis(each, cases, spares=False))]
    if fits:
        return choose(fits, cases, draw_probes, where)
    masks = [fit for each in fit_masks(cases) if (fit := fit_hypothesis(each, cases))]
    return replace(choose(masks, cases, draw_probes, where), certain=False) if masks else None


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
    if depth == "simple":
        return
    if not all(case.is_direct for case in cases):
        yield list(fit_hypotheses(cases))
        return
    wrong = [case for case in cases if not case.is_right]
    yield list(fit_hypotheses(cases))
    if len(wrong) < len(cases):
        yield list(fit_hypotheses(wrong))
    singles += list_far_hypotheses(cases[0])
    yield singles
    yield list_composed(cases)
    yield restrict(singles, cases)


def _list_last(cases: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """What so much can be made of that it is looked at when nothing else is left."""
    yield from pair_operands(cases[0])
    yield from pair_hypotheses([*list_hypotheses(cases[0]), *list_far_hypotheses(cases[0])], cases[0])
