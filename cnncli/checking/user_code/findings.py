"""What is wrong with a function, in words: the diagnosis of each wrong link, from all cases together."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from cnncli.checking.user_code.answers import Usable
from cnncli.checking.user_code.contract import Case, Function, make_record
from cnncli.checking.user_code.results import CaseResult, Finding
from cnncli.checking.user_code.subjects import make_subjects
from cnncli.diagnosis.collect import collect_link, collect_through
from cnncli.diagnosis.conditions import find_features
from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.explain import DEPTHS, explain
from cnncli.diagnosis.forward import explain_forward
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain, build_chain
from cnncli.network.record import Record
from cnncli.network.tensors import Tensor
from cnncli.subject.subject import Subject

PROBES = 1000  # added to the seed: cases of which nobody knows what would be found


def find_causes(
    function: Function,
    cases: Sequence[Case],
    usable: Mapping[str, Usable],
    results: Sequence[CaseResult],
    seed: int,
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The wrong links, from L backwards, and an explanation of each as far as there is one."""
    wrong = _list_wrong(usable, results)
    if not wrong:
        return (), ()
    with np.errstate(all="ignore"):
        if function.is_whole:
            return _explain_whole(cases, usable, wrong, seed)
        given = f"dL/d{function.given}" if function.given else "L"
        findings = []
        for name in wrong:
            found = [(case, usable[case.label]) for case in cases if name in usable.get(case.label, _NOTHING).gradients]
            evidences = [_collect(case, each, name) for case, each in found]
            features = [find_features(case.subject.architecture, case.record) for case, _ in found]

            def draw(found: Sequence[tuple[Case, Usable]] = found, name: str = name) -> list[Evidence]:
                return [_make_probe(subject, case, name) for subject, case in _draw_probes(found, seed)]

            if evidences and (explanation := explain(evidences, features, draw)):
                findings.append(Finding(f"{given} → {name}", explanation))
    return tuple(f"{given} → {name}" for name in wrong), tuple(findings)


_NOTHING = Usable({}, frozenset(), (), (), 0.0)


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


def _draw_probes(found: Sequence[tuple[Case, Usable]], seed: int) -> Iterator[tuple[Subject, Case]]:
    """The same cases with other numbers."""
    others = make_subjects(seed + PROBES)
    for case, _ in found:
        if case.label in others:
            yield others[case.label], case


def _make_probe(subject: Subject, case: Case, name: str) -> Evidence:
    record = make_record(subject)
    chain = build_chain(subject.architecture)
    tensor = next(t for t in case.returned if t.gradient.name == name)
    tensor = chain.gradients[tensor.name]
    step = chain.readers.get(tensor.name)
    random = np.random.default_rng(PROBES)
    gradient = random.normal(size=record[step.output.name].shape) if step else np.ones(())
    return collect_link(case.label, subject, record, tensor, gradient, record[name], np.finfo(float).eps)


def _explain_whole(
    cases: Sequence[Case], usable: Mapping[str, Usable], wrong: Sequence[str], seed: int
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The one link that explains all that is wrong; else one for each part of it."""
    blocks = len(cases[0].subject.architecture.filters)  # under the same names another depth has other steps
    found = [case for case in cases if case.label in usable and len(case.subject.architecture.filters) == blocks]
    found = [case for case in found if _is_finite(usable[case.label])]
    if not found:
        return tuple(f"… → {name}" for name in wrong), ()
    if len(wrong) > 1 and (other := _explain_forward(found, usable)):
        return (other.link,), (other,)
    groups = [list(wrong), *([name] for name in wrong)] if len(wrong) > 1 else [list(wrong)]
    findings: dict[str, Finding] = {}
    explained: set[str] = set()
    for group in groups:
        if set(group) <= explained:
            continue
        finding = _explain_group(found, usable, group, set(wrong) - set(group), seed)
        if finding and (finding.explanation.certain or len(group) == 1):
            explained |= set(group)
            findings[",".join(group)] = finding
    links = [finding.link for finding in findings.values()]
    links += [f"… → {name}" for name in wrong if name not in explained]
    return tuple(links), tuple(findings.values())


def _is_finite(usable: Usable) -> bool:
    return all(np.isfinite(gradient).all() for gradient in usable.gradients.values())


def _explain_forward(cases: Sequence[Case], usable: Mapping[str, Usable]) -> Finding | None:
    """The other forward pass that they are the gradients of."""
    found = [(case.subject, case.record, usable[case.label].gradients) for case in cases]
    explanation = explain_forward(found, max(usable[case.label].eps for case in cases))
    return Finding("X → L", explanation) if explanation else None


def _explain_group(
    cases: Sequence[Case], usable: Mapping[str, Usable], names: Sequence[str], others: Collection[str], seed: int
) -> Finding | None:
    """The link whose mistake makes these gradients wrong, and none of the right ones; the others are left aside."""
    complete = [case for case in cases if set(names) <= set(usable[case.label].gradients)]
    features = [find_features(case.subject.architecture, case.record) for case in complete]
    best: Finding | None = None
    links = _list_links(cases[0], names)
    for depth, (tensor, reached) in product(DEPTHS, links.items()):

        def collect(
            case: Case, subject: Subject, record: Record, found: Mapping[str, Array], link: Tensor = tensor
        ) -> Evidence:
            here = build_chain(subject.architecture).gradients[link.name]
            return collect_through(case.label, subject, record, here, found, usable[case.label].eps)

        seen = {
            case.label: {
                name: gradient
                for name, gradient in usable[case.label].gradients.items()
                if name in reached and name not in others
            }
            for case in complete
        }

        def draw(collect: Callable[..., Evidence] = collect, seen: Mapping[str, Any] = seen) -> list[Evidence]:
            pairs = _draw_probes([(case, usable[case.label]) for case in complete], seed)
            records = [(case, subject, make_record(subject)) for subject, case in pairs]
            return [collect(c, s, r, {name: r[name] for name in seen[c.label]}) for c, s, r in records]

        evidences = [collect(case, case.subject, case.record, seen[case.label]) for case in complete]
        explanation = explain(evidences, features, draw, depth=depth) if evidences else None
        if explanation and (best is None or (explanation.certain and not best.explanation.certain)):
            best = Finding(_name_link(build_chain(cases[0].subject.architecture), tensor), explanation)
        if best and best.explanation.certain:
            return best
    return best


def _list_links(case: Case, names: Sequence[str]) -> dict[Tensor, set[str]]:
    """The links behind which all of the names lie, from L backwards, and the gradients that each has a part in."""
    chain = build_chain(case.subject.architecture)
    links = {}
    for tensor in chain.gradients.values():
        reached = {tensor.gradient.name}
        each = tensor
        while step := chain.makers.get(each.name):
            reached |= {read.gradient.name for read in step.reads}
            each = step.source
        if set(names) <= reached:
            links[tensor] = reached
    return links


def _name_link(chain: Chain, tensor: Tensor) -> str:
    step = chain.readers.get(tensor.name)
    given = step.output.gradient.name if step else chain.output.loss.name
    return f"{given} → {tensor.gradient.name}"
