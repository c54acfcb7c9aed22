"""The diagnosis of one gradient check: of each wrong link, or where no link could be checked of the whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from cnncli.checking.check import Check
from cnncli.diagnosis.collect import collect_link, collect_through, find_reached
from cnncli.diagnosis.evidence import Evidence, close
from cnncli.diagnosis.explain import DEPTHS, explain
from cnncli.diagnosis.explanation import Explanation
from cnncli.diagnosis.mistakes import MISTAKES, Mistake
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.record import Record
from cnncli.network.tensors import Tensor
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject

PROBES = 2  # subjects with other numbers, on which two explanations are held against each other


@dataclass(frozen=True)
class Diagnosis:
    """What explains a wrong result."""

    where: str  # "dL/dP1 → dL/dA1", or the names of derivatives
    explanation: Explanation

    @property
    def mistake(self) -> Mistake | None:
        """The known mistake that it is, if it is one."""
        return self.explanation.mistake

    @property
    def sentence(self) -> str:
        """Where, and what was done."""
        return f"{self.where}: {self.explanation.text}"


def diagnose(
    subject: Subject, gradients: Mapping[str, Array], checks: Sequence[Check], links: Sequence[Check], eps: float
) -> list[Diagnosis]:
    """Explain every link that is not right; where no link could be checked, the derivatives as a whole."""
    odd = [check for check in links if check.verdict != "PASS"]
    wrong = [check.name for check in checks if check.verdict != "PASS"]
    if not odd and (not wrong or links):
        return []
    record = _record(subject)
    with np.errstate(all="ignore"):
        if odd:
            found = ((check, _explain_link(subject, record, check, gradients, eps)) for check in odd)
            return [Diagnosis(check.label, explanation) for check, explanation in found if explanation]
        whole = explain_chain(subject, gradients, eps)
    return [Diagnosis(", ".join(wrong), whole)] if whole else []


def explain_chain(subject: Subject, gradients: Mapping[str, Array], eps: float) -> Explanation | None:
    """The mistake that gives all of these gradients: a known one, made in every block, or one of a single link."""
    chain, record = build_chain(subject.architecture), _record(subject)
    known = {tensor.gradient.name for tensor in chain.gradients.values()}
    found = {name: gradient for name, gradient in gradients.items() if name in known}
    for mistake in MISTAKES:
        wrong = Textbook(subject.architecture, mistake.plant(chain)).record(subject.parameters, subject.X, subject.y)
        if _agree(wrong, found, eps) and not _agree(wrong, {name: record[name] for name in found}, eps):
            return Explanation(mistake.sentence, True, mistake=mistake)
    best = None
    off = {name for name, gradient in found.items() if not close(gradient, record[name], eps)}
    links = {tensor: find_reached(chain, tensor) for tensor in chain.gradients.values()}
    links = {tensor: reached for tensor, reached in links.items() if off <= reached}
    for depth, (tensor, reached) in product(DEPTHS[:2], links.items()):
        seen = {name: gradient for name, gradient in found.items() if name in reached}

        def draw(tensor: Tensor = tensor, names: Iterable[str] = seen) -> list[Evidence]:
            others = [(other, _record(other)) for other in _draw_others(subject)]
            return [collect_through("", o, r, tensor, {name: r[name] for name in names}, eps) for o, r in others]

        evidence = collect_through("", subject, record, tensor, seen, eps)
        explanation = explain([evidence], draw, depth=depth)
        if explanation and explanation.certain:
            return explanation
        best = best or explanation
    return best


def _agree(record: Record, found: Mapping[str, Array], eps: float) -> bool:
    return all(close(record[name], gradient, eps) for name, gradient in found.items())


def _explain_link(
    subject: Subject, record: Record, check: Check, gradients: Mapping[str, Array], eps: float
) -> Explanation | None:
    gradient = gradients.get(check.given or "", np.ones(()))  # the output step is given L itself

    def draw() -> list[Evidence]:
        others = [(other, _record(other)) for other in _draw_others(subject)]
        other = np.random.default_rng(0).normal(size=gradient.shape)
        return [collect_link("", o, r, check.tensor, other, r[check.name], eps) for o, r in others]

    return explain([collect_link("", subject, record, check.tensor, gradient, gradients[check.name], eps)], draw)


def _record(subject: Subject) -> Record:
    return Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)


def _draw_others(subject: Subject) -> list[Subject]:
    """The same network with other numbers."""
    random = np.random.default_rng(0)
    return [
        replace(
            subject,
            X=random.normal(size=subject.X.shape),
            parameters={name: random.normal(size=value.shape) for name, value in subject.parameters.items()},
        )
        for _ in range(PROBES)
    ]
