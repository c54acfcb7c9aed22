"""What is wrong with a function, in words: the diagnosis of each wrong link, from all cases together."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from cnncli.checking.user_code.answers import Usable
from cnncli.checking.user_code.contract import Case, Function
from cnncli.checking.user_code.results import CaseResult, Finding
from cnncli.checking.user_code.situations import Situation, make_situations
from cnncli.diagnosis.collect import collect_link, collect_through, find_reached, measure_cancellation
from cnncli.diagnosis.evidence import Evidence, close
from cnncli.diagnosis.explain import DEPTHS, Depth, explain
from cnncli.diagnosis.explanation import Explanation
from cnncli.diagnosis.forward import explain_forward
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain, build_chain
from cnncli.network.record import Record
from cnncli.network.tensors import Tensor
from cnncli.subject.subject import Subject

Called = tuple[Case, Usable]  # a case, and what was made of it
CallFresh = Callable[[int], Sequence[Called]]
Select = Callable[[Sequence[Called]], list[Called]]
LOST = (
    "{} is right to the rounding of its largest entries; smaller ones have lost more digits than a sum does (an FFT?)"
)
PROBES = 1000  # added to the seed: cases of which nobody knows what would be found


def find_causes(
    function: Function,
    cases: Sequence[Case],
    usable: Mapping[str, Usable],
    results: Sequence[CaseResult],
    seed: int,
    call_fresh: CallFresh,
    *,
    depths: Sequence[Depth] = DEPTHS,
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The wrong links, from L backwards, and an explanation of each as far as there is one.

    `call_fresh` tells what comes out in other cases, others for each number. `depths`: how far to look.
    """
    wrong = _list_wrong(usable, results)
    if not wrong:
        return (), ()
    called = [(case, usable[case.label]) for case in cases if case.label in usable]
    with np.errstate(all="ignore"):
        if function.is_whole:
            return _explain_whole(called, wrong, seed, call_fresh, depths)
        given = f"dL/d{function.given}" if function.given else "L"
        explained = ((name, _explain_link(called, name, seed, call_fresh, depths[-1])) for name in wrong)
        findings = tuple(Finding(f"{given} → {name}", explanation) for name, explanation in explained if explanation)
    return tuple(f"{given} → {name}" for name in wrong), findings


def _explain_link(
    called: Sequence[Called], name: str, seed: int, call_fresh: CallFresh, depth: Depth
) -> Explanation | None:
    """What one gradient is that a function of a single link gives."""
    earlier: list[Evidence] = []

    def collect(called: Sequence[Called]) -> list[Evidence]:
        collected = [_collect(case, each, name) for case, each in called if name in each.gradients]
        for place, evidence in enumerate(collected):
            collected[place] = replace(evidence, earlier=tuple(earlier))
            earlier.append(evidence)
        return collected

    def draw_probes() -> list[Evidence]:
        return [_make_probe(situation, case, name) for situation, case in _draw_probes(called, seed)]

    evidences = collect(called)
    if not evidences:
        return None
    telling = [e for e in evidences if not e.is_lost]
    if telling and all(e.is_as_it_should_be and e.eps <= np.finfo(float).eps for e in telling):
        return Explanation(LOST.format(name), certain=False, left=1.0)
    return explain(evidences, draw_probes, depth=depth, draw_fresh=lambda number: collect(call_fresh(number)))


def _list_wrong(usable: Mapping[str, Usable], results: Sequence[CaseResult]) -> list[str]:
    """The derivatives that are not right in some case."""
    wrong = {check.name for result in results for check in result.checks if check.verdict != "PASS"}
    wrong |= {name for each in usable.values() for name in each.gradients if name not in each.checkable}
    ordered = dict.fromkeys(name for each in usable.values() for name in each.gradients)
    return [name for name in ordered if name in wrong]


def _collect(case: Case, usable: Usable, name: str) -> Evidence:
    tensor = next(tensor for tensor in case.returned if tensor.gradient.name == name)
    return collect_link(
        case.label, case.subject, case.record, tensor, case.gradient, usable.gradients[name], usable.eps
    )


def _draw_probes(found: Sequence[Called], seed: int) -> Iterator[tuple[Situation, Case]]:
    """The same cases with other numbers."""
    others = make_situations(seed + PROBES)
    for case, _ in found:
        if case.label in others:
            yield others[case.label], case


def _make_probe(situation: Situation, case: Case, name: str) -> Evidence:
    subject, record = situation.subject, situation.make_record()
    chain = build_chain(subject.architecture)
    tensor = next(t for t in case.returned if t.gradient.name == name)
    tensor = chain.gradients[tensor.name]
    step = chain.readers.get(tensor.name)
    random = np.random.default_rng(PROBES)
    gradient = random.normal(size=record[step.output.name].shape) if step else np.ones(())
    return collect_link(case.label, subject, record, tensor, gradient, record[name], np.finfo(float).eps)


def _explain_whole(
    called: Sequence[Called], wrong: Sequence[str], seed: int, call_fresh: CallFresh, depths: Sequence[Depth]
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The one link that explains all that is wrong; else one for each part of it.

    Under the same names a network of another depth has other steps: the least deep in which anything is wrong is
    looked at.
    """
    for blocks in sorted({_count_blocks(case) for case, _ in called}):

        def select(called: Sequence[Called], blocks: int = blocks) -> list[Called]:
            return [(case, each) for case, each in called if _is_finite(each) and _count_blocks(case) == blocks]

        def draw(number: int, select: Select = select) -> list[Called]:
            return select(call_fresh(number))

        found = select(called)
        here = [name for name in wrong if any(_is_wrong(case, each, name) for case, each in found)]
        if here:
            links, findings = _explain_depth(found, here, seed, draw, depths)
            return links, findings if blocks == 1 else tuple(_limit(finding, blocks) for finding in findings)
    return _list_suspects(called, wrong), ()  # no case gives finite numbers alone


def _is_wrong(case: Case, usable: Usable, name: str) -> bool:
    eps = usable.eps * measure_cancellation(case.subject, case.record)
    return name in usable.gradients and not close(usable.gradients[name], case.record[name], eps)


def _limit(finding: Finding, blocks: int) -> Finding:
    """What holds where there are several blocks alone."""
    where = "there are several blocks" if blocks == 2 else f"there are {blocks} blocks or more"
    where += f" and {finding.explanation.where}" if finding.explanation.where else ""
    return Finding(finding.link, replace(finding.explanation, where=where))


def _explain_depth(
    found: Sequence[Called], wrong: Sequence[str], seed: int, draw: CallFresh, depths: Sequence[Depth]
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """All that is wrong in networks of one depth."""
    if len(wrong) > 1 and (other := _explain_forward(found, draw)):
        return (other.link,), (other,)
    groups = [list(wrong), *([name] for name in wrong)] if len(wrong) > 1 else [list(wrong)]
    findings: dict[str, Finding] = {}
    explained: set[str] = set()
    for group in groups:
        if set(group) <= explained:
            continue
        finding = _explain_group(found, group, set(wrong) - set(group), seed, draw, depths)
        if finding and (finding.explanation.certain or len(group) == 1):
            explained |= set(group)
            findings[",".join(group)] = finding
    links = [finding.link for finding in findings.values()]
    if set(wrong) - explained:
        links += _list_suspects(found, wrong)
    return tuple(dict.fromkeys(links)), tuple(dict.fromkeys(findings.values()))


def _list_suspects(found: Sequence[Called], wrong: Sequence[str]) -> tuple[str, ...]:
    """The links in which a mistake would make all of these gradients wrong, and no other one that was given.

    Where there is none, those in which it would make as few others wrong as can be.
    """
    case, usable = found[0]
    given, chain = usable.gradients.keys(), build_chain(case.subject.architecture)
    others = {tensor: len((reached & given) - set(wrong)) for tensor, reached in _list_links(case, wrong).items()}
    return tuple(_name_link(chain, tensor) for tensor, count in others.items() if count == min(others.values()))


def _is_finite(usable: Usable) -> bool:
    return all(np.isfinite(gradient).all() for gradient in usable.gradients.values())


def _count_blocks(case: Case) -> int:
    return len(case.subject.architecture.filters)


def _explain_forward(called: Sequence[Called], draw: CallFresh) -> Finding | None:
    """The other forward pass that they are the gradients of."""

    def explain_all(called: Sequence[Called]) -> Explanation | None:
        found = [(case.subject, case.record, each.gradients) for case, each in called]
        return explain_forward(found, max((each.eps for _, each in called), default=0.0))

    explanation = explain_all(called)
    if explanation and explanation.certain:
        explanation = replace(explanation, certain=explain_all(draw(0)) == explanation)
    return Finding("X → L", explanation) if explanation else None


def _explain_group(
    called: Sequence[Called],
    names: Sequence[str],
    others: Collection[str],
    seed: int,
    draw: CallFresh,
    depths: Sequence[Depth],
) -> Finding | None:
    """The link whose mistake makes these gradients wrong, and none of the right ones; the others are left aside."""
    best: Finding | None = None
    links = _list_links(called[0][0], names)
    for depth, (tensor, reached) in product(depths, links.items()):
        sight = _Sight(tensor, frozenset(names), frozenset(reached) - frozenset(others))

        def probe(sight: _Sight = sight) -> list[Evidence]:
            return [sight.imagine(case, situation) for situation, case in _draw_probes(called, seed)]

        def draw_fresh(number: int, sight: _Sight = sight) -> list[Evidence]:
            return sight.collect(draw(number))

        evidences = sight.collect(called)
        explanation = explain(evidences, probe, depth=depth, draw_fresh=draw_fresh) if evidences else None
        if explanation and (best is None or (explanation.certain and not best.explanation.certain)):
            best = Finding(_name_link(build_chain(called[0][0].subject.architecture), tensor), explanation)
        if best and best.explanation.certain:
            return best
    return best


class _Sight(NamedTuple):
    """A link as it is seen from the end of a whole backward pass."""

    tensor: Tensor  # whose gradient the link answers
    wanted: frozenset[str]  # gradients without which a case shows nothing
    seen: frozenset[str]  # all that are looked at

    def collect(self, called: Sequence[Called]) -> list[Evidence]:
        """What the calls gave."""
        complete = [(case, each) for case, each in called if self.wanted <= set(each.gradients)]
        return [
            self._look(case, case.subject, case.record, each.eps, self._select(each.gradients))
            for case, each in complete
        ]

    def imagine(self, case: Case, situation: Situation) -> Evidence:
        """A case with other numbers, of which nothing is found."""
        subject, record = situation.subject, situation.make_record()
        names = [name for tensor in case.returned if (name := tensor.gradient.name) in self.seen]
        return self._look(case, subject, record, np.finfo(float).eps, {name: record[name] for name in names})

    def _select(self, gradients: Mapping[str, Array]) -> dict[str, Array]:
        return {name: gradient for name, gradient in gradients.items() if name in self.seen}

    def _look(self, case: Case, subject: Subject, record: Record, eps: float, found: Mapping[str, Array]) -> Evidence:
        here = build_chain(subject.architecture).gradients[self.tensor.name]
        return collect_through(case.label, subject, record, here, found, eps)


def _list_links(case: Case, names: Sequence[str]) -> dict[Tensor, set[str]]:
    """The links behind which all of the names lie, from L backwards, and the gradients that each has a part in."""
    chain = build_chain(case.subject.architecture)
    links = {tensor: find_reached(chain, tensor) for tensor in chain.gradients.values()}
    return {tensor: reached for tensor, reached in links.items() if set(names) <= reached}


def _name_link(chain: Chain, tensor: Tensor) -> str:
    step = chain.readers.get(tensor.name)
    given = step.output.gradient.name if step else chain.output.loss.name
    return f"{given} → {tensor.gradient.name}"
