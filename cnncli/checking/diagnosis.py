"""Which known mistake gives exactly the wrong result that was found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnncli.checking.check import Check
from cnncli.checking.mistakes import MISTAKES, Mistake
from cnncli.network.arrays import Array
from cnncli.network.record import Record
from cnncli.network.textbook import Link, Textbook
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
    textbook = Textbook(subject.architecture)
    record = textbook.record(subject.parameters, subject.X, subject.y)
    odd = [check for check in links if check.verdict != "PASS"]
    if odd:
        found = ((check, _of_link(subject, record, check, gradients, eps)) for check in odd)
        return [Diagnosis(check.label, mistake) for check, mistake in found if mistake]
    wrong = [check.name for check in checks if check.verdict != "PASS"]
    if wrong and not links:
        mistake = of_chain(subject, {name: gradients[name] for name in gradients if _in_chain(name, record)}, eps)
        return [Diagnosis(", ".join(wrong), mistake)] if mistake else []
    return []


def of_chain(subject: Subject, gradients: Mapping[str, Array], eps: float) -> Mistake | None:
    """The mistake that, planted into the chain, gives all of these gradients."""

    def all_gradients(mistake: Mistake | None) -> list[Array]:
        functions = [mistake.planted] if mistake else []
        record = Textbook(subject.architecture, *functions).record(subject.parameters, subject.X, subject.y)
        return [record[name] for name in gradients]

    return matching(MISTAKES, all_gradients, list(gradients.values()), eps)


def matching(
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


def _of_link(
    subject: Subject, record: Record, check: Check, gradients: Mapping[str, Array], eps: float
) -> Mistake | None:
    name = check.name.removeprefix("dL/d")

    def of_loss(mistake: Mistake | None) -> list[Array]:
        functions = [mistake.planted] if mistake else []
        textbook = Textbook(subject.architecture, *functions)
        return [textbook.loss_backward(record[subject.architecture.logit], subject.y)]

    def of_function(mistake: Mistake | None) -> list[Array]:
        functions = [mistake.planted] if mistake else []
        link = _reading(Textbook(subject.architecture, *functions).links, check.given)
        answers = link.backward(
            record[link.source], *(record[p] for p in link.parameters), gradients[f"dL/d{link.output}"]
        )
        return [answers[(link.source, *link.parameters).index(name)]]

    return matching(MISTAKES, of_loss if check.given == "L" else of_function, [gradients[check.name]], eps)


def _reading(links: Sequence[Link], given: str | None) -> Link:
    return next(link for link in links if f"dL/d{link.output}" == given)


def _in_chain(name: str, record: Record) -> bool:
    return any(step.name == name for step in record)


def _all_close(first: Sequence[Array], second: Sequence[Array], eps: float) -> bool:
    return all(_close(one, other, eps) for one, other in zip(first, second, strict=True))


def _close(one: Array, other: Array, eps: float) -> bool:
    if one.shape != other.shape or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return False
    largest = max(np.abs(one).max(initial=0), np.abs(other).max(initial=0))
    return bool((np.abs(one - other) <= CLOSE * eps * largest).all())
