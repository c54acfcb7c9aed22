"""The simplest hypothesis that explains every case, how sure that is, and in which cases it shows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, get_args

from cnncli.diagnosis.conditions import Features, separate
from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.explanation import Explanation, say
from cnncli.diagnosis.fit import Fit, choose, fit_hypothesis
from cnncli.diagnosis.fitted import fit_hypotheses
from cnncli.diagnosis.fitted_gates import fit_masks
from cnncli.diagnosis.hypotheses import list_far_hypotheses, list_hypotheses
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.pairs import pair_hypotheses, pair_operands
from cnncli.diagnosis.partly import explain_most, explain_most_cases, explain_precision, locate
from cnncli.diagnosis.restricted import restrict
from cnncli.diagnosis.shapes import explain_shape
from cnncli.diagnosis.undefined import explain_undefined, is_defined

Depth = Literal["known", "simple", "all"]
DEPTHS: tuple[Depth, ...] = get_args(Depth)


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
    misshapen = [e for e in evidences if any(a.shape != b.shape for a, b in zip(e.found, e.right, strict=True))]
    if misshapen:
        said = explain_shape(misshapen)
        return say(said[0], misshapen[0], certain=said[1]) if said else None
    pairs = list(zip(evidences, features, strict=True))
    usable = [(e, f) for e, f in pairs if is_defined(e)]
    explanation = _explain_numbers(usable, draw_probes, depth)
    if len(usable) == len(pairs):
        return explanation
    if not all(e.is_direct for e in evidences):  # where it comes from is not seen
        return explanation
    words, exact = explain_undefined([e for e, _ in pairs])
    where = separate([f for e, f in pairs if not is_defined(e)], [f for _, f in usable])
    undefined = say(words, evidences[0], certain=exact, where=where)
    if explanation is None:
        return undefined
    return replace(explanation, sentence=f"{undefined.text}; beside that, {explanation.sentence}")


def _explain_numbers(
    usable: Sequence[tuple[Evidence, Features]], draw_probes: Callable[[], Sequence[Evidence]], depth: Depth
) -> Explanation | None:
    """The explanation of cases in which every entry is a finite number."""
    wrong, right = ([(e, f) for e, f in usable if e.is_right == whether] for whether in (False, True))
    if not wrong:
        return None
    features = [f for _, f in wrong], [f for _, f in right]
    where, only = separate(*features, thorough=False), separate(*features)
    cases = sorted((e for e, _ in wrong), key=_weight, reverse=True) + [e for e, _ in right]
    precise = explain_precision([e for e, _ in wrong], where)
    if precise:
        return precise
    spoiling: list[Fit] = []  # those that hold under a condition alone
    for tier in _list_tiers(cases, depth):
        fits = [fit for hypothesis in tier if (fit := fit_hypothesis(hypothesis, cases))]
        if depth == "known":
            fits = [fit for fit in fits if not fit.factors[0]]
        if clean := [fit for fit in fits if not fit.spared]:
            return choose(clean, cases, draw_probes, where)
        spoiling = spoiling or (fits if only else [])
    if spoiling:
        return choose(spoiling, cases, draw_probes, only)
    if depth != "all" or not all(case.is_direct for case in cases):
        return None
    last = _explain_last(cases, draw_probes, where)
    return last or explain_most_cases(cases) or explain_most(cases, only) or locate(cases, only)


def _explain_last(
    cases: Sequence[Evidence], draw_probes: Callable[[], Sequence[Evidence]], where: str | None
) -> Explanation | None:
    """Two things at once; or entries that are 0 where nothing says why, which is never said for sure."""
    fits = [fit for each in _list_last(cases) if (fit := fit_hypothesis(each, cases)) and not fit.spared]
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
    yield restrict(singles, cases)


def _list_last(cases: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """What so much can be made of that it is looked at when nothing else is left."""
    yield from pair_operands(cases[0])
    yield from pair_hypotheses([*list_hypotheses(cases[0]), *list_far_hypotheses(cases[0])], cases[0])
