"""A backward pass that somebody else wrote: every function of the contract that a file defines, each checked alone."""

from collections.abc import Collection, Mapping
from pathlib import Path

from cnncli.checking.methods import Method
from cnncli.checking.user_code.contract import FUNCTIONS, adapt
from cnncli.checking.user_code.findings import find_causes
from cnncli.checking.user_code.layout import Layout
from cnncli.checking.user_code.process import UserProcess
from cnncli.checking.user_code.repairs import repair_function
from cnncli.checking.user_code.results import FunctionResult
from cnncli.checking.user_code.run import Run
from cnncli.checking.user_code.situations import Situation, make_situations, name_case
from cnncli.checking.user_code.template import write_stubs
from cnncli.diagnosis.explain import DEPTHS
from cnncli.errors import DataError, UsageError
from cnncli.files import write_atomically
from cnncli.text import printable

ORDER = (
    "shapes and places are told in our order of axes: (image, channel or filter, row, column), "
    "kernels (filter, channel, row, column), w2 (output, entry of F)"
)
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
    repair: bool = True,
) -> list[FunctionResult]:
    """Check every function of the contract that the file defines.

    `timeout` is in seconds of computing for all calls of one function; `more` cases are drawn besides; `only` one case
    is looked at where it is named; `conventions` are those that are declared for kinks; `repair`: whether edited
    versions of a wrong function are tried. Raises DataError where the file cannot be run, or defines none of the
    functions, and UsageError for a case that there is not.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; write one to start from", remedy="template")
    every = make_situations(seed, more)
    situations = _choose_cases(every, only)
    process = UserProcess(path, timeout)
    try:
        layout = Layout.stated(process.constants, path)
        wanted = [adapt(f, process.functions[f.name]) for f in FUNCTIONS if f.name in process.functions]
        if not wanted:
            names = ", ".join(function.name for function in FUNCTIONS)
            raise DataError(
                f"{path} defines none of the functions {names}: write a file to start from", remedy="template"
            )
        results: list[FunctionResult] = []
        for function in wanted:
            run = Run(path, process, function, layout, method, seed, timeout, conventions)
            run.call_all(situations)
            right = [result.function.name for result in results if result.passed]
            results.append(_judge(run, every, right, repair=repair))
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


def _judge(run: Run, situations: Mapping[str, Situation], right: Collection[str], *, repair: bool) -> FunctionResult:
    """The verdicts on what the calls gave, and what is wrong."""
    function, results = run.function, run.list_results()
    errors = [answer.report.get("error") for answer in run.answers.values()]
    written = not errors or not all(error and error["unwritten"] for error in errors)
    sought = written and repair and any(not result.passed for result in results)
    found = repair_function(run, situations, results, right) if sought else None
    depths = DEPTHS[:-1] if found else DEPTHS
    wrong, findings = find_causes(function, run.cases, run.usable, results, run.seed, run.call_fresh, depths=depths)
    if found and not found.left:  # which says more than a guess
        findings = tuple(finding for finding in findings if finding.explanation.certain)
    line, calls = run.process.lines.get(function.name), {case.label: case for case in run.cases}
    remarks = tuple(_remark(run))
    return FunctionResult(function, tuple(results), wrong, findings, remarks, found, sought, written, line, calls)


def _remark(run: Run) -> list[str]:
    printed = next((a.report["printed"] for a in run.answers.values() if a.report["printed"]), None)
    remarks = [f"prints to stdout ({printed})"] if printed else []
    uncomputed = dict.fromkeys(name for each in run.usable.values() for name in each.uncomputed)
    remarks += [f"does not compute {', '.join(uncomputed)}"] if uncomputed else []
    return remarks + ([ORDER] if run.layout != Layout() else [])
