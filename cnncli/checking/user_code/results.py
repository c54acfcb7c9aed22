"""What became of a file: of each function, and of each of its cases."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cnncli.checking.check import Check
from cnncli.checking.repair.search import Repair
from cnncli.checking.user_code.contract import Case, Function
from cnncli.diagnosis import Explanation

VERDICTS = ("FAIL", "KINK", "UNSUPPORTED", "PASS")


@dataclass(frozen=True)
class CaseResult:
    """What one call gave: checks of its gradients, or what kept them from being checked."""

    label: str
    checks: tuple[Check, ...]
    problems: tuple[str, ...]
    unsupported: str = ""  # what it said when it refused these sizes

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and all(check.passed for check in self.checks)

    @property
    def is_on_kink(self) -> bool:
        """Whether a gradient lies on a kink."""
        return any(check.verdict == "KINK" for check in self.checks)


@dataclass(frozen=True)
class Finding:
    """What is wrong with one link, in words."""

    link: str  # "dL/dZ1 → dL/dw1"
    explanation: Explanation


@dataclass(frozen=True)
class FunctionResult:
    """What all the calls of one function gave."""

    function: Function
    cases: tuple[CaseResult, ...]
    wrong_links: tuple[str, ...]  # from L backwards
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]
    repair: Repair | None = None
    sought: bool = False  # whether a repair was looked for
    written: bool = True  # False where nothing was filled in
    line: int | None = None  # of its def, in the file
    calls: Mapping[str, Case] = field(default_factory=dict)  # by the name of the case

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with any case."""
        return all(case.passed for case in self.cases)

    @property
    def verdict(self) -> str:
        """PASS, KINK or FAIL; UNSUPPORTED where every case was refused, NOT WRITTEN where nothing is there yet."""
        if not self.written:
            return "NOT WRITTEN"
        if not self.passed:
            return "FAIL"
        if all(case.unsupported for case in self.cases):
            return "UNSUPPORTED"
        return "KINK" if any(case.is_on_kink for case in self.cases) else "PASS"

    @property
    def smallest_failing(self) -> CaseResult | None:
        """The failing case with the fewest entries."""
        wrong = [case for case in self.cases if not case.passed]
        return min(wrong, key=_count_entries) if wrong else None


def _count_entries(case: CaseResult) -> int:
    return sum(len(check.entries) for check in case.checks) or 10**9


def count_checked(results: Sequence[FunctionResult]) -> int:
    """How many functions were checked in some case at least."""
    return sum(result.verdict not in ("NOT WRITTEN", "UNSUPPORTED") for result in results)


def name_fault(problem: str) -> str:
    """What a problem is called, whatever its numbers are: two cases that differ in them alone show the same."""
    return re.sub(r"\d+|:.*", "", problem)
