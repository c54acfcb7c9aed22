"""The outcome of a gradient check: everything that a report shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnncli.checking.agreement import Agreement
from cnncli.checking.check import Check
from cnncli.checking.diagnoses import Diagnosis, diagnose
from cnncli.checking.gradcheck import Gradcheck
from cnncli.checking.kinks import Ties


@dataclass(frozen=True)
class Outcome:
    """The checks through the whole chain, the links alone, and what is wrong."""

    gradcheck: Gradcheck
    checks: Sequence[Check]
    links: Sequence[Check]
    ties: Ties
    diagnoses: Sequence[Diagnosis]
    engine: Agreement | None = None  # the training engine's gradients against the textbook's, where those are checked

    def add_engine(self, engine: Agreement) -> "Outcome":
        """The same, with another engine's gradients against the textbook's."""
        return replace(self, engine=engine)

    @property
    def passed(self) -> bool:
        """Whether nothing failed; an entry on a kink is no failure."""
        return all(check.passed for check in (*self.checks, *self.links)) and (not self.engine or self.engine.passed)

    @property
    def verdict(self) -> str:
        """PASS, KINK or FAIL."""
        verdicts = {check.verdict for check in (*self.checks, *self.links)} | ({"FAIL"} if not self.passed else set())
        return next(verdict for verdict in ("FAIL", "KINK", "PASS") if verdict in verdicts)

    @property
    def first_wrong_link(self) -> Check | None:
        """The first link, from L backwards, that fails given a gradient."""
        return next((link for link in self.links if not link.passed), None)


def run_gradcheck(gradcheck: Gradcheck) -> Outcome:
    """Check everything."""
    checks, links = list(gradcheck.checks()), list(gradcheck.links())
    diagnoses = diagnose(gradcheck.subject, gradcheck.gradients, checks, links, gradcheck.eps)
    return Outcome(gradcheck, checks, links, gradcheck.ties(), diagnoses)
