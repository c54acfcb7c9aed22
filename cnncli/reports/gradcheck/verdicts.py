"""Verdicts for machines that watch: a JUnit file, and annotations in GitHub's log."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from cnncli.checking.run import Outcome
from cnncli.data.regular_file import read_regular_file
from cnncli.errors import DataError, UsageError
from cnncli.files import is_replaceable, write_atomically
from cnncli.reports.gradcheck.outcome import explanations
from cnncli.text import printable

REPORT = "cnncli gradcheck"  # the name of a suite, by which its file is known
BEGINNING, MOST = 200, 1 << 30  # bytes


class Reported(NamedTuple):
    """One thing that was checked."""

    name: str
    verdict: str  # PASS, KINK or FAIL; UNSUPPORTED or NOT WRITTEN of a function
    message: str
    source: Callable[..., Any] | tuple[str, int] | None = None  # where it is defined, if that is known


def report_outcome(outcome: Outcome) -> list[Reported]:
    """Every derivative and every link of a network."""
    checks = (*outcome.checks, *outcome.links)
    reported = [Reported(check.label, check.verdict, "\n".join(explanations(check))) for check in checks]
    engines = [Reported(engine.name, "PASS" if engine.passed else "FAIL", "") for engine in outcome.engines]
    return reported + engines


def refuse_to_replace(options: Mapping[str, Any]) -> None:
    """Raise UsageError where the `junit` file is there already and is no report of an earlier check."""
    path = options.get("junit")
    try:
        if path and is_replaceable(path) and REPORT.encode() not in read_regular_file(path, MOST)[:BEGINNING]:
            raise UsageError(f"{path} is there and is no report of a check: name another file", argument="junit")
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror})") from None


def write_reports(reported: Sequence[Reported], options: Mapping[str, Any]) -> None:
    """Write what the options ask for: `junit` a file, `github` annotations; with `strict` a kink is a failure."""
    strict = bool(options.get("strict"))
    if options.get("junit"):
        _write_junit(options["junit"], reported, strict=strict)
    if options.get("github"):
        for each in reported:
            if each.verdict != "PASS":
                sys.stdout.write(_annotate(each, "error" if _is_failure(each, strict=strict) else "warning") + "\n")


def _is_failure(each: Reported, *, strict: bool) -> bool:
    return each.verdict == "FAIL" or (strict and each.verdict == "KINK")


def _write_junit(path: Path, reported: Sequence[Reported], *, strict: bool) -> None:
    failed = [_is_failure(each, strict=strict) for each in reported]
    counts = {"name": REPORT, "tests": str(len(reported)), "failures": str(sum(failed))}
    suite = ElementTree.Element("testsuite", counts)
    for each, wrong in zip(reported, failed, strict=True):
        case = ElementTree.SubElement(suite, "testcase", {"classname": "gradcheck", "name": printable(each.name)})
        if wrong or each.verdict != "PASS":
            first = printable(each.message.splitlines()[0] if each.message else each.verdict)
            element = ElementTree.SubElement(case, "failure" if wrong else "skipped", {"message": first})
            element.text = "\n".join(map(printable, each.message.splitlines()))
    try:
        write_atomically(path, ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror})") from None


def _annotate(each: Reported, level: str) -> str:
    """A workflow command of GitHub: ::error file=…,line=…,title=…::message."""
    file, line = _locate(each.source)
    place = f"file={_escape(file, ',:')},line={line}," if file else ""
    return f"::{level} {place}title={_escape('gradcheck: ' + each.name, ',:')}::{_escape(each.message)}"


def _locate(source: Callable[..., Any] | tuple[str, int] | None) -> tuple[str, int]:
    if source is None:
        return "", 0
    if isinstance(source, tuple):
        return source
    try:
        file, line = inspect.getsourcefile(source) or "", inspect.getsourcelines(source)[1]
    except (TypeError, OSError):  # of a builtin
        return "", 0
    path = Path(file)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path), line


def _escape(text: str, more: str = "") -> str:
    for letter in "%\r\n" + more:
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
