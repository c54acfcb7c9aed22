"""Which known mistake gives exactly the wrong result that was found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnncli.checking.check import Check
from cnncli.checking.mistakes import MISTAKES, Mistake
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject

CLOSE = 1e3  # units of rounding of the largest entry: what two ways to make the same mistake may differ by


@dataclass(frozen=True)
class Diagnosis:
    """A known mistake that explains a wrong result."""

    where: str  # "dL/dP1 → dL/dA1", or the names of derivatives
    mistake: Mistake

    @property
    def sentence(self) -> str:
        """What was done, and what is to be done."""
        return f"{self.where}: {self.mistake.sentence}"


def diagnose(
    subject: Subject, gradients: Mapping[str, Array], checks: Sequence[Check], links: Sequence[Check], eps: float
) -> list[Diagnosis]:
    """Explain every link that is not right; where no link could be checked, the derivatives as a whole."""
    odd = [check for check in links if check.verdict != "PASS"]
    if odd:
        record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
        found = ((check, _explain_link(subject, record, check, gradients, eps)) for check in odd)
        return [Diagnosis(check.label, mistake) for check, mistake in found if mistake]
    wrong = [check.name for check in checks if check.verdict != "PASS"]
    if wrong and not links:
        known = {tensor.gradient.name for tensor in build_chain(subject.architecture).gradients.values()}
        mistake = explain_chain(subject, {name: gradients[name] for name in gradients if name in known}, eps)
        return [Diagnosis(", ".join(wrong), mistake)] if mistake else []
    return []


def explain_chain(subject: Subject, gradients: Mapping[str, Array], eps: float) -> Mistake | None:
    """The mistake that, planted into the chain, gives all of these gradients."""
    chain = build_chain(subject.architecture)

    def all_gradients(mistake: Mistake | None) -> list[Array]:
        textbook = Textbook(subject.architecture, mistake.plant(chain) if mistake else chain)
        record = textbook.record(subject.parameters, subject.X, subject.y)
        return [record[name] for name in gradients]

    return match_mistake(MISTAKES, all_gradients, list(gradients.values()), eps)


def match_mistake(
    mistakes: Iterable[Mistake],
    results: Callable[[Mistake | None], Sequence[Array]],
    found: Sequence[Array],
    eps: float,
) -> Mistake | None:
    """The first mistake whose results are what was found and not what is right; results(None) are the right ones."""
    right = results(None)
    for mistake in mistakes:
        wrong = results(mistake)
        if _all_close(wrong, found, eps) and not _all_close(wrong, right, eps):
            return mistake
    return None


def answer_link(
    subject: Subject, record: Record, given: str | None, gradient: Array, mistake: Mistake | None
) -> dict[str, Array]:
    """What one step answers to a gradient, "dL/dZ1": …, maybe with a mistake; the output step where none is given."""
    chain = build_chain(subject.architecture)
    chain = mistake.plant(chain) if mistake else chain
    if given is None:
        return {chain.logit.gradient.name: chain.loss_backward(record[chain.logit.name], subject.y)}
    step = next(step for step in chain.steps if step.output.gradient.name == given)
    answers = chain.backward(step, gradient, *(record[tensor.name] for tensor in step.reads))
    return {tensor.gradient.name: answer for tensor, answer in zip(step.reads, answers, strict=True)}


def _explain_link(
    subject: Subject, record: Record, check: Check, gradients: Mapping[str, Array], eps: float
) -> Mistake | None:
    given = check.given if check.given in gradients else None  # the output step is given L itself
    gradient = gradients[given] if given else np.ones(())

    def answers(mistake: Mistake | None) -> list[Array]:
        return [answer_link(subject, record, given, gradient, mistake)[check.name]]

    return match_mistake(MISTAKES, answers, [gradients[check.name]], eps)


def _all_close(first: Sequence[Array], second: Sequence[Array], eps: float) -> bool:
    return all(_close(one, other, eps) for one, other in zip(first, second, strict=True))


def _close(one: Array, other: Array, eps: float) -> bool:
    if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return False
    largest = max(np.abs(one).max(initial=0), np.abs(other).max(initial=0))
    return bool((np.abs(one - other) <= CLOSE * eps * largest).all())
