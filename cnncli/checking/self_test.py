"""The checker checked: every known mistake planted into a copy of the chain, one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnncli.checking.diagnoses import Diagnosis, diagnose
from cnncli.checking.gradcheck import Gradcheck, engine_gradients
from cnncli.checking.methods import EPS
from cnncli.diagnosis.mistakes import MISTAKES, Mistake
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain, build_chain
from cnncli.network.initialisation import he_normal
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject


@dataclass(frozen=True)
class Planted:
    """What became of one planted mistake."""

    mistake: Mistake
    link: str  # where it was planted: "dL/dP2 → dL/dA2"
    verdict: str  # of the whole check
    first_wrong: str | None
    diagnoses: tuple[Diagnosis, ...]

    @property
    def found(self) -> bool:
        """Whether the check did not simply pass."""
        return self.verdict != "PASS"

    @property
    def localised(self) -> bool:
        """Whether the first wrong link is the one with the mistake."""
        return self.first_wrong == self.link

    @property
    def named(self) -> bool:
        """Whether the diagnosis of that link says this mistake, alone or beside what cannot be told from it here."""
        said = [d.explanation for d in self.diagnoses if d.where == self.link]
        return any(self.mistake.sentence in each.text or (each.mistake is None and each.certain) for each in said)

    @property
    def passed(self) -> bool:
        """Whether the mistake was found, localised and named."""
        return self.found and self.localised and self.named


def run_self_test() -> Iterator[Planted]:
    """Plant each mistake into a network on which it shows; it stands in every block, so the deepest must be named."""
    subject = hard_subject()
    chain = build_chain(subject.architecture)
    for mistake in MISTAKES:
        gradients = engine_gradients(Textbook(subject.architecture, mistake.plant(chain)), subject)
        yield judge_planted(subject, mistake, gradients)


def judge_planted(subject: Subject, mistake: Mistake, gradients: dict[str, Array]) -> Planted:
    """Check gradients that hold a mistake."""
    chain = build_chain(subject.architecture)
    gradcheck = Gradcheck(subject, gradients)
    links = list(gradcheck.links())
    odd = [check for check in links if check.verdict != "PASS"]
    verdict = next((v for v in ("FAIL", "KINK") if v in {check.verdict for check in odd}), "PASS")
    diagnoses = diagnose(subject, gradients, [], links, EPS)
    first = odd[0].label if odd else None
    return Planted(mistake, find_planted_link(chain, mistake), verdict, first, tuple(diagnoses))


def find_planted_link(chain: Chain, mistake: Mistake) -> str:
    """The link, from L backwards, that a mistake stands in first: "dL/dP2 → dL/dA2"."""
    if mistake.kind == chain.output.kind:
        return f"{chain.output.loss.name} → {chain.logit.gradient.name}"
    step = next(step for step in reversed(chain.steps) if step.kind == mistake.kind)
    wrong = step.source
    if mistake.wrong != "source":
        wrong = next(parameter for parameter in step.parameters if parameter.role == mistake.wrong)
    return f"{step.output.gradient.name} → {wrong.gradient.name}"


def hard_subject() -> Subject:
    """A network on which no mistake hides: batch, channels, filters, three classes, odd sizes, ties, units at zero.

    Whole numbers in both blocks keep ties exact; the last block's P are tied and its Z hold zeros.
    """
    architecture = Architecture(13, 12, channels=2, filters=(2, 3), kernel=2, pool=2, classes=3)
    random = np.random.default_rng(0)
    chain = build_chain(architecture)
    parameters = {name: random.integers(-2, 3, shape).astype(float) for name, shape in chain.parameter_shapes.items()}
    dense_w = chain.steps[-1].parameters[0].name
    parameters[dense_w] = he_normal(architecture, 3)[dense_w] / 4
    X = random.integers(0, 3, (3, 2, 13, 12)).astype(float)
    y = np.array([0, 2, 1])
    return Subject(architecture, parameters, ("0", "1", "2"), X, y, ("whole numbers",) * 3, "whole numbers")
