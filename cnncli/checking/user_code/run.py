"""All calls of one function of a file, and what each case of it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from cnncli.checking.check import Check
from cnncli.checking.gradcheck import Gradcheck
from cnncli.checking.methods import Method
from cnncli.checking.user_code.answers import Usable, select_usable
from cnncli.checking.user_code.behaviour import Behaviour, watch_behaviour
from cnncli.checking.user_code.contract import Case, Function, list_cases
from cnncli.checking.user_code.layout import Layout
from cnncli.checking.user_code.process import Answer, UserProcess
from cnncli.checking.user_code.results import CaseResult
from cnncli.checking.user_code.situations import Situation, draw_situations
from cnncli.children import ChildEnded


@dataclass
class Run:
    """All calls of one function; a process that ended is followed by another for the functions after it."""

    path: Path
    process: UserProcess
    function: Function
    layout: Layout
    method: Method
    seed: int
    timeout: float
    conventions: tuple[str, ...]
    text: str = ""  # of the file, where another one stands in the place of its own
    cases: list[Case] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    ended: str = ""  # how the process or the function ended before the cases did
    behaviours: tuple[Behaviour, ...] = ()
    fresh_ended: str = ""  # the same for other cases
    fresh_refused: bool = False  # whether it refused sizes of them
    _used: float = 0.0
    _fresh: dict[int, list[tuple[Case, Usable]]] = field(default_factory=dict)

    def call_all(self, situations: Mapping[str, Situation]) -> None:
        """Call it with every case, and then again."""
        self.cases = list(list_cases(self.function, situations, self.seed, self.layout))
        try:
            for case in self.cases:
                self.answers[case.label] = self.call(case)
            self.behaviours = watch_behaviour(self.function, self.cases, self.answers, self.layout, self.call)
        except ChildEnded as ended:
            self.ended = f"the process {ended}" if "still running" not in str(ended) else str(ended)
            self.process.stop()
            self.process = UserProcess(self.path, self.timeout, self.text)

    def call_fresh(self, number: int) -> list[tuple[Case, Usable]]:
        """What it gives for other cases; none where it does not get through them in the time of its own."""
        if number not in self._fresh:
            cases = list_cases(self.function, draw_situations(self.seed, number), self.seed + number + 1, self.layout)
            self._used = 0.0
            try:
                called = [(case, self.call(case)) for case in cases]
            except ChildEnded as ended:
                self.fresh_ended = str(ended)
                self.process.stop()
                self.process, called = UserProcess(self.path, self.timeout, self.text), []
            self.fresh_refused = self.fresh_refused or any(_is_refused(answer) for _, answer in called)
            self._fresh[number] = [
                (case, select_usable(self.function, case, answer, self.layout))
                for case, answer in called
                if not _is_refused(answer)
            ]
        return self._fresh[number]

    def call(self, case: Case) -> Answer:
        """One call. Raises ChildEnded where the process ended, or the function took too long."""
        answer = self.process.call(self.function.name, case.arguments, case.options, self._used)
        self._used += answer.report["seconds"]
        error = answer.report.get("error")
        if error and error["too_long"]:
            line = f" in {error['line']}" if error["line"] else ""
            raise ChildEnded(f"still running{line} after {self.timeout:g} s of computing and stopped")
        return answer

    @cached_property
    def usable(self) -> Mapping[str, Usable]:
        """What can be made of the answers, by the names of the cases."""
        return {
            case.label: select_usable(self.function, case, self.answers[case.label], self.layout)
            for case in self.cases
            if case.label in self.answers
        }

    @property
    def refused(self) -> set[str]:
        """The cases whose sizes the function itself refused."""
        return {label for label, answer in self.answers.items() if _is_refused(answer)}

    def list_results(self) -> list[CaseResult]:
        """The verdicts on what the calls gave."""
        results = []
        for case in self.cases:
            if case.label not in self.usable:
                results.append(CaseResult(case.label, (), (self.ended.removeprefix("was "),)))
                break
            error = self.answers[case.label].report.get("error")
            if error and _is_refused(self.answers[case.label]):
                results.append(CaseResult(case.label, (), (), error["message"] or error["type"]))
            else:
                given = self.usable[case.label]
                behaviour = tuple(b.sentence for b in self.behaviours if b.case == case.label)
                results.append(CaseResult(case.label, tuple(self.check(case, given)), (*given.problems, *behaviour)))
        if self.ended and len(self.usable) == len(self.cases):
            results[-1] = CaseResult(results[-1].label, results[-1].checks, (*results[-1].problems, self.ended))
        return results

    def check(self, case: Case, usable: Usable) -> Sequence[Check]:
        """The verdicts on the gradients of one call."""
        function = self.function
        gradients = {name: usable.gradients[name] for name in usable.gradients if name in usable.checkable}
        given = {f"dL/d{function.given}": case.gradient} if function.given else {}
        gradcheck = Gradcheck(
            case.subject, gradients | given, self.method, foreign=True, conventions=self.conventions, given=case.record
        )
        if function.is_whole:
            return list(gradcheck.checks())
        with np.errstate(over="ignore", invalid="ignore"):
            return [check for check in gradcheck.links() if check.name in gradients]


def _is_refused(answer: Answer) -> bool:
    """Whether the function itself said that it does not take these sizes."""
    return bool((answer.report.get("error") or {}).get("refused"))
