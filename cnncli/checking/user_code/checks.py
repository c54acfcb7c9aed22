"""A backward pass that somebody else wrote: every function of the contract that a file defines, each checked alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnncli.checking.check import Check
from cnncli.checking.gradcheck import Gradcheck
from cnncli.checking.methods import Method
from cnncli.checking.user_code.answers import Usable, select_usable
from cnncli.checking.user_code.behaviour import Behaviour, watch_behaviour
from cnncli.checking.user_code.contract import FUNCTIONS, Case, Function, adapt, list_cases
from cnncli.checking.user_code.findings import find_causes
from cnncli.checking.user_code.layout import Layout
from cnncli.checking.user_code.process import Answer, UserProcess
from cnncli.checking.user_code.results import CaseResult, FunctionResult
from cnncli.checking.user_code.situations import Situation, draw_situations, make_situations, name_case
from cnncli.checking.user_code.template import write_stubs
from cnncli.children import ChildEnded
from cnncli.errors import DataError, UsageError
from cnncli.files import write_atomically
from cnncli.text import printable

TIME_LIMIT = 10.0  # seconds of computing for all calls of one function


def write_template(path: Path, command: str) -> None:
    """Write a file to start from, never over an existing one; `command` checks it. Raises UsageError and DataError."""
    try:
        content = write_stubs(printable(path.name).replace('"', "'"), command).encode("utf-8")
        write_atomically(path, content, replace=False)
    except FileExistsError:
        raise UsageError(f"{path} exists and is left as it is: give another name", argument="template") from None
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror})") from None


def check_file(
    path: Path,
    seed: int,
    method: Method,
    *,
    timeout: float = TIME_LIMIT,
    more: int = 0,
    only: str | None = None,
    conventions: tuple[str, ...] = (),
) -> list[FunctionResult]:
    """Check every function of the contract that the file defines.

    `timeout` is in seconds of computing for all calls of one function; `more` cases are drawn besides; `only` one case
    is looked at where it is named; `conventions` are those that are declared for kinks. Raises DataError where the
    file cannot be run, or defines none of the functions, and UsageError for a case that there is not.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; write one to start from", remedy="template")
    situations = _choose_cases(make_situations(seed, more), only)
    process = UserProcess(path, timeout)
    try:
        layout = Layout.stated(process.constants, path)
        wanted = [adapt(f, process.functions[f.name]) for f in FUNCTIONS if f.name in process.functions]
        if not wanted:
            names = ", ".join(function.name for function in FUNCTIONS)
            raise DataError(
                f"{path} defines none of the functions {names}: write a file to start from", remedy="template"
            )
        results = []
        for function in wanted:
            run = _Run(path, process, function, layout, seed, timeout, conventions)
            run.call_all(situations)
            results.append(_judge(run, method))
            process = run.process
        return results
    finally:
        process.stop()


def _choose_cases(situations: dict[str, Situation], only: str | None) -> dict[str, Situation]:
    if only is None:
        return situations
    names = {name_case(label): label for label in situations}
    if only not in names and only not in situations:
        raise UsageError(f"{only}: no such case, there are {', '.join(names)}", argument="case")
    label = names.get(only, only)
    return {label: situations[label]}


@dataclass
class _Run:
    """All calls of one function; a process that ended is followed by another for the functions after it."""

    path: Path
    process: UserProcess
    function: Function
    layout: Layout
    seed: int
    timeout: float
    conventions: tuple[str, ...]
    cases: list[Case] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    ended: str = ""  # how the process or the function ended before the cases did
    behaviours: tuple[Behaviour, ...] = ()
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
            self.process = UserProcess(self.path, self.timeout)

    def call_fresh(self, number: int) -> list[tuple[Case, Usable]]:
        """What it gives for other cases; none where it does not get through them in the time of its own."""
        if number not in self._fresh:
            cases = list_cases(self.function, draw_situations(self.seed, number), self.seed + number + 1, self.layout)
            self._used = 0.0
            try:
                called = [(case, self.call(case)) for case in cases]
            except ChildEnded:
                self.process.stop()
                self.process, called = UserProcess(self.path, self.timeout), []
            self._fresh[number] = [
                (case, select_usable(self.function, case, answer, self.layout)) for case, answer in called
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


def _judge(run: _Run, method: Method) -> FunctionResult:
    """The verdicts on what the calls gave."""
    function = run.function
    usable = {
        case.label: select_usable(function, case, run.answers[case.label], run.layout)
        for case in run.cases
        if case.label in run.answers
    }
    results = []
    for case in run.cases:
        if case.label not in usable:
            results.append(CaseResult(case.label, (), (run.ended.removeprefix("was "),)))
            break
        error = run.answers[case.label].report.get("error")
        if error and error["refused"]:
            results.append(CaseResult(case.label, (), (), error["message"] or error["type"]))
        else:
            given = usable[case.label]
            behaviour = tuple(b.sentence for b in run.behaviours if b.case == case.label)
            results.append(
                CaseResult(case.label, tuple(_check(run, case, given, method)), (*given.problems, *behaviour))
            )
    if run.ended and len(usable) == len(run.cases):
        results[-1] = CaseResult(results[-1].label, results[-1].checks, (*results[-1].problems, run.ended))
    errors = [answer.report.get("error") for answer in run.answers.values()]
    written = not errors or not all(error and error["unwritten"] for error in errors)
    wrong, findings = find_causes(function, run.cases, usable, results, run.seed, run.call_fresh)
    line, calls = run.process.lines.get(function.name), {case.label: case for case in run.cases}
    remarks = tuple(_remark(run, usable))
    return FunctionResult(function, tuple(results), wrong, findings, remarks, written, line, calls)


def _remark(run: _Run, usable: Mapping[str, Usable]) -> list[str]:
    printed = next((a.report["printed"] for a in run.answers.values() if a.report["printed"]), None)
    remarks = [f"prints to stdout ({printed})"] if printed else []
    uncomputed = dict.fromkeys(name for each in usable.values() for name in each.uncomputed)
    return remarks + ([f"does not compute {', '.join(uncomputed)}"] if uncomputed else [])


def _check(run: _Run, case: Case, usable: Usable, method: Method) -> Sequence[Check]:
    function = run.function
    gradients = {name: usable.gradients[name] for name in usable.gradients if name in usable.checkable}
    given = {f"dL/d{function.given}": case.gradient} if function.given else {}
    gradcheck = Gradcheck(
        case.subject, gradients | given, method, foreign=True, conventions=run.conventions, given=case.record
    )
    if function.is_whole:
        return list(gradcheck.checks())
    with np.errstate(over="ignore", invalid="ignore"):
        return [check for check in gradcheck.links() if check.name in gradients]
