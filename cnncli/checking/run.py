"""The outcome of a gradient check: everything that a report shows of it."""

from collections.abc import Iterable, Sequence
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
    engines: Sequence[Agreement] = ()  # other engines' gradients against the textbook's, where those are checked
    no_engines: str = ""  # why there are none, where those would have been checked

    def add_engines(self, engines: Iterable[Agreement]) -> "Outcome":
        """The same, with other engines' gradients against the textbook's."""
        return replace(self, engines=tuple(engines))

    @property
    def passed(self) -> bool:
        """Whether nothing failed; an entry on a kink is no failure."""
        everything: list[Check | Agreement] = [*self.checks, *self.links, *self.engines]
        return all(part.passed for part in everything)

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
