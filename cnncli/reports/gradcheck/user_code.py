"""The verdicts on somebody else's backward functions, for people and for other programs."""

from collections.abc import Collection, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from cnncli.checking.repair.search import Change, Repair
from cnncli.checking.user_code.results import CaseResult, FunctionResult, count_checked, name_fault
from cnncli.checking.user_code.situations import name_case
from cnncli.reports.console import print_table, stdout
from cnncli.reports.gradcheck.outcome import (
    BETWEEN,
    STRICT,
    STYLES,
    check_document,
    explanation_document,
    explanations,
)
from cnncli.reports.gradcheck.verdicts import Reported
from cnncli.text import printable

MOST_NUMBERS = 400  # that are written out
OTHER_STYLES = {"UNSUPPORTED": "yellow", "NOT WRITTEN": "dim"}


def passed(results: Sequence[FunctionResult]) -> bool:
    """Whether something was checked and nothing failed."""
    return count_checked(results) > 0 and all(result.verdict != "FAIL" for result in results)


def user_code_document(results: Sequence[FunctionResult], method: str, seed: int) -> dict[str, Any]:
    """The results as JSON."""
    return {
        "passed": passed(results),
        "method": method,
        "seed": seed,
        "functions": [
            {
                "name": result.function.name,
                "passed": result.passed,
                "verdict": result.verdict,
                "wrong_links": result.wrong_links,
                "diagnosis": [
                    {"link": finding.link, **explanation_document(finding.explanation)} for finding in result.findings
                ],
                "repair": _repair_document(result.repair) if result.repair else None,
                "remarks": result.remarks,
                "cases": [
                    {
                        "case": case.label,
                        "passed": case.passed,
                        "problems": case.problems,
                        "unsupported": case.unsupported or None,
                        "checks": [check_document(check) for check in case.checks],
                    }
                    for case in result.cases
                ],
            }
            for result in results
        ],
    }


def _repair_document(repair: Repair) -> dict[str, Any]:
    return {
        "changes": [change._asdict() for change in repair.changes],
        "mended": sorted(repair.mended),
        "left": sorted(repair.left),
        "cases": repair.cases,
    }


def print_user_code(
    path: Path, results: Sequence[FunctionResult], method: str, seed: int, *, strict: bool = False
) -> None:
    """A row a function, then what is wrong with each, in the first case that shows it; strict: a kink is a failure."""
    out = stdout()
    count = f"{len(results)} function" + ("s, each alone" if len(results) > 1 else "")
    out.print(f"{printable(str(path))}: {count}; {method}, seed {seed}", soft_wrap=True)
    table = Table("function")
    for heading in ("cases", "passed", "entries"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for result in results:
        table.add_row(
            result.function.signature,
            str(len(result.cases)),
            str(sum(case.passed and not (strict and case.is_on_kink) for case in result.cases)),
            f"{sum(len(check.entries) for case in result.cases for check in case.checks):,}",
            Text(result.verdict, (STYLES | OTHER_STYLES)[result.verdict]),
        )
    print_table(table)
    for result in results:
        for line in _tell(result):
            out.print(line, soft_wrap=True)
    out.print(_tell_verdict(results, strict=strict), soft_wrap=True)


def _tell_verdict(results: Sequence[FunctionResult], *, strict: bool) -> Text:
    wrong, kinked, right = (
        ", ".join(result.function.name for result in results if result.verdict in verdicts)
        for verdicts in (("FAIL",), ("KINK",), ("PASS", "KINK"))
    )
    if not wrong and not right:
        return Text("nothing was checked: no function is written yet, or none takes these sizes", "yellow")
    if wrong or (strict and kinked):
        said = [wrong] if wrong else []
        said += [f"{kinked}: {STRICT}"] if strict and kinked else []
        return Text(f"FAIL: {'; '.join(said)}", STYLES["FAIL"])
    return Text(f"PASS: {right}; {BETWEEN}" if kinked else f"PASS: {right}", STYLES["PASS"])


def _tell(result: FunctionResult) -> list[str]:
    """Each fault once, with the first case that shows it and the number of the others."""
    name = result.function.name
    if result.verdict == "NOT WRITTEN":
        return [f"{name}: not written yet"]
    lines: dict[str, list[str]] = {}
    for case in result.cases:
        for fault, text in _find_faults(case):
            lines.setdefault(fault, []).append(f"{name}, {case.label}: {text}")
    told = [shown[0] + _count_more(len(shown) - 1) for shown in lines.values()]
    told += [f"{name}: {remark}" for remark in result.remarks]
    told += dict.fromkeys(f"diagnosis: {finding.link}: {finding.explanation.text}" for finding in result.findings)
    told += _tell_repair(result)
    suspects = [link for link in result.wrong_links if link not in {finding.link for finding in result.findings}]
    if result.function.is_whole and suspects:
        told.append(f"{name}: the mistake is in {' or '.join(suspects)}, or in the forward pass before")
    if (smallest := result.smallest_failing) and len(result.cases) > 1:
        told.append(f"{name}: the smallest failing case is {name_case(smallest.label)}")
    return told


def _tell_repair(result: FunctionResult) -> list[str]:
    """What would make it right, as lines that go and lines that come."""
    repair, name = result.repair, result.function.name
    if not repair:
        return [f"{name}: no small change was found that makes it right"] if result.sought else []
    tried = f"right in all {repair.cases} cases that were tried"
    told = f"{name} is {tried} with"
    if repair.left:
        mended, left = (_name_gradients(kinds) for kinds in (repair.mended, repair.left))
        told = f"{mended or 'a part'} of {name} came out {tried}, {left or 'another part'} did not, with"
    return [f"repair: {told}", *(line for change in repair.changes for line in _tell_change(change))]


def _name_gradients(kinds: Collection[str]) -> str:
    return ", ".join(sorted(what for what in kinds if what.startswith("dL/")))


def _tell_change(change: Change) -> list[str]:
    last = change.line + len(change.before) - 1
    place = f"    lines {change.line}–{last}: " if last > change.line else f"    line {change.line}: "
    lines = dedent("\n".join([*change.before, *change.after])).split("\n")
    both = [f"{'-' if number < len(change.before) else '+'} {line}" for number, line in enumerate(lines)]
    return [f"{' ' * len(place) if number else place}{line}" for number, line in enumerate(both)]


def report_user_code(path: Path, results: Sequence[FunctionResult]) -> list[Reported]:
    """Every function, with the line of its def."""
    return [
        Reported(
            result.function.name,
            result.verdict,
            "\n".join(_tell(result)),
            (str(path), result.line) if result.line else None,
        )
        for result in results
    ]


def print_call(path: Path, result: FunctionResult) -> None:
    """The lines of Python that repeat the failing case, where its numbers are not too many to be read."""
    smallest = result.smallest_failing
    case = result.calls.get(smallest.label) if smallest else None
    if case is None:
        return
    names = [*result.function.argument_names, *case.options]
    given = dict(zip(names, (*case.arguments, *case.options.values()), strict=True))
    if sum(value.size for value in given.values() if isinstance(value, np.ndarray)) > MOST_NUMBERS:
        return
    name = result.function.name
    lines = ["from runpy import run_path", "from numpy import array", f"{name} = run_path({str(path)!r})[{name!r}]"]
    lines += [f"{argument} = {_write(value)}" for argument, value in given.items()]
    call = ", ".join([*result.function.argument_names, *(f"{option}={option}" for option in case.options)])
    stdout().print(f"{name}, {case.label}, in Python:", soft_wrap=True)
    for line in (*lines, f"print({name}({call}))"):
        stdout().print(f"    {line}", soft_wrap=True, markup=False, highlight=False)


def _write(value: object) -> str:
    """A value as Python reads it back to the last bit."""
    if isinstance(value, np.ndarray):
        return f"array({value.tolist()})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_write(each)}" for name, each in value.items()) + "}"
    return repr(value)


def _count_more(cases: int) -> str:
    return f" (and in {cases} other case{'s' if cases > 1 else ''})" if cases else ""


def _find_faults(case: CaseResult) -> list[tuple[str, str]]:
    """What is wrong, each with a key that says whether two cases show the same."""
    faults = [(name_fault(problem), problem) for problem in case.problems]
    if case.unsupported:
        faults.append(("unsupported", f"UNSUPPORTED, it says: {case.unsupported}"))
    for check in case.checks:
        if check.verdict != "PASS":
            text = explanations(check)
            faults.append((check.name + check.verdict, "; worst ".join(line.strip() for line in text[:2])))
    return faults
