"""The repair of a function: cases for the trial of edited versions, and the full check of those that bear it."""

import ast
import re
import tokenize
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from cnncli.checking.repair.search import Faults, Repair, Verified, find_repair
from cnncli.checking.repair.versions import Versions
from cnncli.checking.user_code.contract import Case
from cnncli.checking.user_code.process import UserProcess
from cnncli.checking.user_code.results import CaseResult, name_fault
from cnncli.checking.user_code.run import Run
from cnncli.checking.user_code.situations import Situation
from cnncli.children import ChildEnded
from cnncli.diagnosis.collect import answer_link
from cnncli.errors import DataError

FEW = 4  # the smallest failing cases
LARGEST = 3000  # entries of a case that is tried besides
OTHERS = 3  # of each of larger failing ones and of right ones
CALL = 0.25  # seconds of computing for one call of an edited version
ROUNDS = 2  # of other cases that are drawn
REFUSES = "refuses these sizes"
FOREIGN_MEMORY = re.compile(r"\b(ctypes|cffi)\b")  # where an edit may write anywhere


def repair_function(
    run: Run, situations: Mapping[str, Situation], results: Sequence[CaseResult], right: Collection[str]
) -> Repair | None:
    """The change of the file that makes the function right, if one is found in the time of its calls.

    `situations`: all in which it must be right then, of which the run may have been one alone; `right`: functions of
    the file that are right, and so not changed.
    """
    faults = list_faults(results)
    text = _read(run)
    if not faults or not text:
        return None

    def verify(edited: str) -> Verified | None:
        return find_faults(run, situations, faults, edited)

    for cases in (_choose_cases(run.cases, results), run.cases):
        setup = (run.function.name, [(c.arguments, c.options, _list_right(run, c)) for c in cases], CALL)
        try:
            with closing(Versions(run.path, setup, run.timeout)) as versions:
                if any(share < 1 for case in versions.try_unchanged() for share in case.values()):
                    return find_repair(text, run.function.name, right, versions, faults, verify)
        except ChildEnded:  # it ends the process, or does not bear to be watched
            return None
    return None


def list_faults(results: Sequence[CaseResult]) -> Faults:
    """What is wrong in which case."""
    return frozenset(
        (case.label, what)
        for case in results
        for what in (
            *(check.name for check in case.checks if not check.passed),
            *(name_fault(problem) for problem in case.problems),
        )
    )


def _read(run: Run) -> str:
    """The text of the file, if the function is defined in it and an edit can do no harm."""
    if run.function.name not in run.process.lines:
        return ""
    try:
        with tokenize.open(run.path) as file:  # as Python decodes it
            text = file.read()
            ast.parse(text)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return ""
    return "" if FOREIGN_MEMORY.search(text) else text


def _choose_cases(cases: Sequence[Case], results: Sequence[CaseResult]) -> list[Case]:
    """Small ones, and some that are not; failing ones first, and none on a kink as long as there are others."""
    sizes = {case.label: _count_entries(case) for case in cases}
    clear = [result for result in results if not result.is_on_kink and not result.unsupported]
    failing = sorted((r.label for r in clear if not r.passed), key=sizes.__getitem__)
    failing = failing or sorted((r.label for r in results if not r.passed), key=sizes.__getitem__)
    right = sorted((r.label for r in clear if r.passed), key=sizes.__getitem__)
    larger = [label for label in failing[FEW:] if sizes[label] <= LARGEST]
    chosen = [*failing[:FEW], *larger[:: max(len(larger) // OTHERS, 1)][:OTHERS], *right[:OTHERS]]
    by_label = {case.label: case for case in cases}
    return [by_label[label] for label in chosen]


def _count_entries(case: Case) -> int:
    given = (value for each in case.arguments for value in (each.values() if isinstance(each, dict) else [each]))
    return sum(value.size for value in given if isinstance(value, np.ndarray))


def _list_right(run: Run, case: Case) -> dict[str, Any]:
    """The right gradients as the file lays them out, by the names under which they are returned."""
    if run.function.is_whole:
        right = {tensor.gradient.name: case.record[tensor.gradient.name] for tensor in case.returned}
    else:
        given = f"dL/d{run.function.given}" if run.function.given else None
        right = answer_link(case.subject, case.record, given, case.gradient)
    uncomputed = run.usable[case.label].uncomputed if case.label in run.usable else ()
    return {
        f"d{tensor.name}": None
        if f"d{tensor.name}" in uncomputed
        else run.layout.give(right[tensor.gradient.name], tensor, case.grid)
        for tensor in case.returned
    }


def find_faults(run: Run, situations: Mapping[str, Situation], faults: Faults, text: str) -> Verified | None:
    """What is wrong in the cases of the check, and in others that are drawn, if the file's text were another one."""
    try:
        process = UserProcess(run.path, run.timeout, text)
    except DataError:
        return None
    edited = Run(run.path, process, run.function, run.layout, run.method, run.seed, run.timeout, run.conventions, text)
    try:
        edited.call_all(situations)
        left = list_faults(edited.list_results()) | _list_unanswered(run, edited)
        if not left < faults:
            return None
        left |= _list_fresh_faults(run, edited, {what for _, what in left})
        return Verified(left, len(edited.cases) + sum(len(edited.call_fresh(number)) for number in range(ROUNDS)))
    except DataError:  # the file could not be loaded again
        return None
    finally:
        edited.process.stop()


def _list_unanswered(run: Run, edited: Run) -> Faults:
    """In which cases it gives less than the function as it stands: no gradient at all, or not all of them."""
    refused = {(label, REFUSES) for label in edited.refused & run.answers.keys() - run.refused}
    omitted = {(label, each) for label in edited.usable for each in _omit(edited, label) - _omit(run, label)}
    return frozenset(refused | omitted)


def _omit(run: Run, label: str) -> set[str]:
    return set(run.usable[label].uncomputed) if label in run.usable else set()


def _list_fresh_faults(run: Run, edited: Run, known: Collection[str]) -> Faults:
    """What is wrong besides in cases that are drawn."""
    omitted = {name for label in run.usable for name in _omit(run, label)}
    found: set[tuple[str, str]] = set()
    for number in range(ROUNDS):
        for case, usable in edited.call_fresh(number):
            wrong = [check.name for check in edited.check(case, usable) if not check.passed]
            wrong += [name_fault(problem) for problem in usable.problems]
            wrong += set(usable.uncomputed) - omitted
            found |= {(f"fresh {case.label}", what) for what in wrong}
        if edited.fresh_refused and not run.refused:
            found.add(("fresh", REFUSES))
        if edited.fresh_ended:
            found.add(("fresh", name_fault(edited.fresh_ended)))
    return frozenset((label, what) for label, what in found if what not in known)
