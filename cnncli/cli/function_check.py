"""The mode of `cnncli gradcheck` that checks any function's hand-written backward pass."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from cnncli.cli.flags import flag
from cnncli.cli.options import option
from cnncli.errors import UsageError

ANY = "Any function"  # heading of the help

FUNCTION_OPTIONS = (
    option("vjp", str | None, metavar="MODULE:G", panel=ANY, help="Its backward pass: g(*inputs, dL/df)."),
    option("gradient", str | None, metavar="MODULE:G", panel=ANY, help="Its gradient, if it returns one number."),
    option("inputs", Path | None, metavar="NPZ", panel=ANY, help="The arrays that it is given."),
    option("shape", str | None, metavar="SHAPES", panel=ANY, help="Random inputs of these shapes instead: 3x4,4x5."),
)

HOW = "How"
REPORT_OPTIONS = (
    option(
        "convention",
        str | None,
        metavar="NAMES",
        panel=HOW,
        help="What your code does on a kink, first-max for one (a wrong name lists all): nothing else passes there.",
    ),
    option("strict", bool, panel=HOW, help="Count what is on a kink as a failure."),
    option("junit", Path | None, metavar="XML", panel=HOW, help="Also write the verdicts to a JUnit file."),
    option("github", bool, panel=HOW, help="Also print annotations for GitHub's log."),
    option("quiet", bool, short="-q", panel=HOW, help="Print nothing if all is right."),
)


def check_function(name: str, given: Mapping[str, Any], seed: int, format: str, reporting: Mapping[str, Any]) -> None:  # noqa: A002
    """Check one function and show what was found; exit with 1 unless it passed, or the gradient lies on a kink."""
    from cnncli.reports.console import print_json, stdout
    from cnncli.reports.gradcheck.verdicts import Reported, refuse_to_replace, write_reports
    from cnncli.text import printable
    from cnncli.vjp.check import check_gradient, check_vjp
    from cnncli.vjp.user_functions import draw_inputs, load_function, read_inputs

    _refuse_incomplete(given)
    refuse_to_replace(reporting)
    f = load_function(name)
    backward = load_function(given.get("vjp") or given["gradient"])
    inputs = read_inputs(given["inputs"], f) if "inputs" in given else draw_inputs(given["shape"], seed)
    check = check_vjp if "vjp" in given else check_gradient
    found = check(f, backward, *inputs, seed=seed)
    failed = found.fails(strict=bool(reporting.get("strict")))
    verdict = "FAIL" if failed else "PASS" if found.passed else "KINK"
    write_reports([Reported(found.function, verdict, str(found), backward)], reporting)
    if format == "json":
        print_json(found.document())
    elif not reporting.get("quiet") or not found.passed:
        for line in str(found).splitlines():
            stdout().print(printable(line), soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _refuse_incomplete(given: Mapping[str, Any]) -> None:
    for one, other, what in (("vjp", "gradient", "a backward pass"), ("inputs", "shape", "inputs")):
        if one not in given and other not in given:
            raise UsageError(f"--function needs {what}: give {flag(one)} or {flag(other)}")
        if one in given and other in given:
            raise UsageError("are two ways to say the same: give one of them", argument=(one, other))
