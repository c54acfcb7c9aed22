"""A backward pass that somebody else wrote: every function of the contract that a file defines, each checked alone.

The file runs in a process of its own, one for each function, so that an endless loop or a crash in one of them takes
nothing else with it.
"""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cnncli.checking.check import Check
from cnncli.checking.diagnosis import answer_link, match_mistake
from cnncli.checking.gradcheck import Gradcheck
from cnncli.checking.methods import EPS, Method
from cnncli.checking.mistakes import MISTAKES, Mistake
from cnncli.checking.user_code.child import TIME_FILE
from cnncli.checking.user_code.contract import FUNCTIONS, Case, Function, cases, to_array, write_stubs
from cnncli.children import Child
from cnncli.errors import DataError, UsageError
from cnncli.files import write_atomically
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.textbook import Textbook
from cnncli.text import printable

TIME_LIMIT = 10.0  # seconds for all cases of one function


@dataclass(frozen=True)
class CaseResult:
    """What one call gave: checks of its gradients, or what kept them from being checked."""

    label: str
    checks: tuple[Check, ...]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and all(check.passed for check in self.checks)


@dataclass(frozen=True)
class FunctionResult:
    """What all the calls of one function gave."""

    function: Function
    cases: tuple[CaseResult, ...]
    diagnoses: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return all(case.passed for case in self.cases)

    @property
    def verdict(self) -> str:
        """PASS, KINK or FAIL."""
        if not self.passed:
            return "FAIL"
        return "KINK" if any(check.verdict == "KINK" for case in self.cases for check in case.checks) else "PASS"


def write_template(path: Path, command: str) -> None:
    """Write a file to start from, never over an existing one; `command` checks it. Raises UsageError and DataError."""
    try:
        content = write_stubs(printable(path.name).replace('"', "'"), command).encode("utf-8")
        write_atomically(path, content, replace=False)
    except FileExistsError:
        raise UsageError(f"{path} exists and is left as it is: give another name", argument="template") from None
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror})") from None


def check_file(path: Path, seed: int, method: Method) -> list[FunctionResult]:
    """Check every function of the contract that the file defines.

    Raises DataError where the file cannot be run, or defines none of them.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; write one to start from", remedy="template")
    defined = _functions(path)
    wanted = [function for function in FUNCTIONS if function.name in defined]
    if not wanted:
        names = ", ".join(function.name for function in FUNCTIONS)
        raise DataError(f"{path} defines none of the functions {names}: write a file to start from", remedy="template")
    fields = Architecture.__dataclass_fields__
    results = []
    for function in wanted:
        options = [name for name in defined[function.name] if name in fields and name not in function.argument_names]
        results.append(_check_function(path, replace(function, options=tuple(options)), seed, method))
    return results


def _functions(path: Path) -> dict[str, list[str]]:
    """The functions that the file defines, and the names of their arguments."""
    with tempfile.TemporaryDirectory() as folder:
        ended = _run(path, Path(folder), None)
        loaded = _read(Path(folder) / "loaded.json")
    if loaded is None:
        raise DataError(f"{path} cannot be run: {ended}")
    if "error" in loaded:
        raise DataError(f"{path} cannot be run: {_sentence(loaded['error'])}")
    functions: dict[str, list[str]] = loaded["functions"]
    return functions


def _check_function(path: Path, function: Function, seed: int, method: Method) -> FunctionResult:
    asked = list(cases(function, seed))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, case in enumerate(asked):
            given = {str(i): to_array(argument) for i, argument in enumerate(case.arguments)}
            given |= {name: to_array(option) for name, option in case.options.items()}
            np.savez(folder / f"in{number}.npz", **{f"{name}_{kind}": array for name, (kind, array) in given.items()})
        ended = _run(path, folder, function)
        reports = [_read(folder / f"out{number}.json") for number in range(len(asked))]
        answers = [_answer(folder / f"out{number}.npz") for number in range(len(asked))]
    results, found = [], []
    for case, report, answer in zip(asked, reports, answers, strict=True):
        if report is None:
            results.append(CaseResult(case.label, (), (ended,)))
            break  # it did not live to see the other cases
        gradients, problems = _select_usable(function, report, answer)
        results.append(CaseResult(case.label, tuple(_checks(function, case, gradients, method)), tuple(problems)))
        found.append((case, gradients))
    printed = next((report["printed"] for report in reports if report and report["printed"]), None)
    remarks = [f"prints to stdout (line {printed})"] if printed else []
    wrong = {check.name for result in results for check in result.checks if check.verdict != "PASS"}
    return FunctionResult(function, tuple(results), tuple(_diagnoses(function, found, wrong)), tuple(remarks))


def _run(path: Path, folder: Path, function: Function | None) -> str:
    """Run the child; what ended it, as a part of a sentence, for where it left no report."""
    arguments = [str(path.resolve()), str(folder), str(TIME_LIMIT), *([function.name] if function else [])]
    try:
        child = Child("cnncli.checking.user_code.child", *arguments)
    except OSError as error:
        raise DataError(f"{path} cannot be run: there is no process to run it in ({error.strerror})") from None
    try:
        ended = child.wait(TIME_LIMIT + 20)
    finally:
        child.stop()
    if ended is None:
        return f"still running after {TIME_LIMIT:g} s and stopped"
    late = folder / TIME_FILE
    text = late.read_text("utf-8", "replace") if late.exists() else ""
    if text:
        line = re.search(rf'File "{re.escape(str(path.resolve()))}", line (\d+)', text)
        where = f" in line {line[1]}" if line else ""
        return f"still running{where} after {TIME_LIMIT:g} s and stopped"
    return f"the process {ended}"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return document


def _answer(path: Path) -> dict[str, Array]:
    if not path.exists():
        return {}
    with np.load(path) as content:
        return {key: content[key] for key in content.files}


def _sentence(error: dict[str, Any]) -> str:
    line = f" in line {error['line']}" if error["line"] else ""
    return f"{error['type']}{line}" + (f": {error['message']}" if error["message"] else "")


def _select_usable(
    function: Function, report: dict[str, Any], answer: dict[str, Array]
) -> tuple[dict[str, Array], list[str]]:
    """The gradients that can be checked, by the names of the derivatives, and what is wrong with the others."""
    problems = [f"changes its argument {function.argument_names[index]} in place" for index in report["changed"]]
    if "error" in report:
        return {}, [*problems, _sentence(report["error"])]
    names = function.returned_names
    types: dict[str, str] = report["types"]
    keys = list(names) if report["dict"] else [str(index) for index in range(len(names))]
    if not report["dict"] and len(types) != len(names):
        plural = "value" if len(types) == 1 else "values"
        return {}, [*problems, f"returns {len(types)} {plural} instead of {', '.join(names)}"]
    gradients = {}
    for key, name, tensor in zip(keys, names, function.returns, strict=True):
        if key not in types:
            problems.append(f"returns no {name}")
        elif types[key] != "float64":
            problems.append(f"{name} is {types[key]} instead of a float64 array")
        elif not np.isfinite(answer[key]).all():
            problems.append(_not_finite(name, answer[key]))
        else:
            gradients[f"dL/d{tensor}"] = answer[key]
    return gradients, problems


def _not_finite(name: str, array: Array) -> str:
    odd = ~np.isfinite(array)
    index = [int(i) for i in np.argwhere(odd)[0]]
    return f"{name} has {odd.sum()} entries that are no finite numbers, the first at {index}: {array[tuple(index)]}"


def _checks(function: Function, case: Case, gradients: dict[str, Array], method: Method) -> list[Check]:
    given = {f"dL/d{function.given}": case.gradient} if function.given else {}
    gradcheck = Gradcheck(case.subject, gradients | given, method, foreign=True)
    if function.kind is None:
        return list(gradcheck.checks())
    return [check for check in gradcheck.links() if check.name in gradients]


def _diagnoses(function: Function, found: Sequence[tuple[Case, dict[str, Array]]], wrong: set[str]) -> list[str]:
    """For each wrong gradient the mistake that explains it in every case; for the whole the one that explains all."""
    groups = [sorted(wrong)] if function.kind is None and wrong else [[name] for name in sorted(wrong)]
    sentences = []
    for names in groups:
        usable = [(case, gradients) for case, gradients in found if all(name in gradients for name in names)]
        arrays = [gradients[name] for _, gradients in usable for name in names]

        def results(
            mistake: Mistake | None,
            usable: Sequence[tuple[Case, dict[str, Array]]] = usable,
            names: Sequence[str] = names,
        ) -> list[Array]:
            return [array for case, _ in usable for array in _answer_case(mistake, function, case, names)]

        if mistake := match_mistake(MISTAKES, results, arrays, EPS):
            sentences.append(mistake.sentence)
    return sentences


def _answer_case(mistake: Mistake | None, function: Function, case: Case, names: Sequence[str]) -> list[Array]:
    """The gradients of these names as a mistake gives them, or as they are right."""
    subject = case.subject
    record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
    if function.kind is None:
        chain = build_chain(subject.architecture)
        textbook = Textbook(subject.architecture, mistake.plant(chain) if mistake else chain)
        wrong = textbook.record(subject.parameters, subject.X, subject.y)
        return [wrong[name] for name in names]
    given = f"dL/d{function.given}" if function.given else None
    answers = answer_link(subject, record, given, case.gradient, mistake)
    return [answers[name] for name in names]
