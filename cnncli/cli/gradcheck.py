"""`cnncli gradcheck`."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cnncli.cli import modes
from cnncli.cli.arithmetic import calm_arithmetic
from cnncli.cli.completion import complete_derivative
from cnncli.cli.flags import flag
from cnncli.cli.function_check import FUNCTION_OPTIONS, REPORT_OPTIONS, check_function
from cnncli.cli.options import (
    FRESH_OPTIONS,
    NETWORK_OPTIONS,
    UNCHECKED,
    Label,
    OptionalModelPath,
    TableOrJson,
    gather,
    option,
    positive,
)
from cnncli.errors import UsageError
from cnncli.subject.fresh import SEED

if TYPE_CHECKING:
    from cnncli.checking.gradcheck import Gradcheck
    from cnncli.checking.methods import Method

CHECKED, HOW = "What is checked, if not our own engine", "How"  # headings of the help
MODE_OPTIONS = (
    option(
        "against",
        Path | None,
        metavar="NPZ",
        panel=CHECKED,
        help="Check gradients computed elsewhere: arrays dw1, db1, … in an .npz file.",
    ),
    option(
        "code",
        Path | None,
        metavar="FILE",
        panel=CHECKED,
        help="Check the backward functions that this Python file defines. It is run.",
    ),
    option(
        "template",
        Path | None,
        metavar="FILE",
        panel=CHECKED,
        help="Write a file to fill in for --code, and nothing else.",
    ),
    option(
        "timeout",
        float,
        10.0,
        panel=CHECKED,
        metavar="SECONDS",
        callback=positive,
        help="With --code: what all calls of one function may take, in seconds of computing; imports do not count.",
    ),
    option("cases", int, 0, panel=CHECKED, min=0, metavar="N", help="With --code: draw N more cases at random."),
    option("case", str | None, panel=CHECKED, metavar="NAME", help="With --code: look at this case alone."),
    option(
        "no_repair",
        bool,
        panel=CHECKED,
        help="With --code: do not look for the change of a line that makes a wrong function right.",
    ),
    option(
        "function",
        str | None,
        metavar="MODULE:F",
        panel=CHECKED,
        help="Check the backward pass of any function, module:f or file.py:f. It is run.",
    ),
    option("self_test", bool, panel=CHECKED, help="Plant every known mistake into the chain and see it found."),
)
OF_CODE = ("timeout", "cases", "case", "no_repair")  # the options that --code alone has a use for
Images = Annotated[
    list[Path] | None,
    typer.Argument(
        **UNCHECKED, metavar="IMAGE…", help="Image files; random numbers, or the note's example, without one."
    ),
]
MethodName = Annotated[
    Literal["complex-step", "central", "richardson"],
    typer.Option(
        rich_help_panel=HOW,
        help="complex-step: exact to rounding; central: (L(x+h) − L(x−h))/2h; richardson: the same, "
        "extrapolated to h = 0.",
    ),
]
Sample = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", rich_help_panel=HOW, help="Check only N entries of each tensor, spread over it."),
]
Show = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=HOW,
        autocompletion=complete_derivative,
        help="Also show the error of each entry of one derivative: dL/dw1.",
    ),
]


@gather("mode", MODE_OPTIONS)
@gather("function", FUNCTION_OPTIONS)
@gather("reporting", REPORT_OPTIONS)
@gather("network", NETWORK_OPTIONS)
@gather("fresh", FRESH_OPTIONS)
@calm_arithmetic()
def gradcheck(
    *,
    context: typer.Context,
    images: Images = None,
    model: OptionalModelPath = None,
    label: Label = None,
    mode: Mapping[str, Any],
    function: Mapping[str, Any],
    method: MethodName = "complex-step",
    sample: Sample = None,
    show: Show = None,
    network: Mapping[str, Any],
    fresh: Mapping[str, Any],
    reporting: Mapping[str, Any],
    format: TableOrJson = "table",  # noqa: A002
) -> None:
    """Prove every derivative right: every entry of every parameter and intermediate value, and every link alone.

    Without arguments it checks the note's 6×6 example; with IMAGE and --model a trained network; with IMAGE alone, or
    with options of a fresh network, one with random weights. An entry on a kink of a relu or a pooling window is no
    failure if its gradient lies between the two one-sided derivatives. The exit code is 1 if a check fails.
    """
    chosen = modes.GRADCHECK.choose(context)
    if chosen != "function" and function:
        raise UsageError(f"{flag(next(iter(function)))} means nothing without --function")
    if chosen != "code" and (useless := [name for name in OF_CODE if name in mode]):
        raise UsageError(f"{flag(useless[0])} means nothing without --code")
    if format == "json" and show is not None:
        modes.refuse("--format json", ["--show"])

    seed = fresh.get("seed", SEED)
    if chosen == "template":
        _write_template(mode["template"])
    elif chosen == "code":
        _check_code(mode, seed, method, format, reporting)
    elif chosen == "function":
        check_function(mode["function"], function, seed, format, reporting)
    elif chosen == "self_test":
        _self_test(format)
    else:
        from cnncli.api import prepare_gradcheck

        against = mode.get("against")
        check = prepare_gradcheck(
            images or [], model=model, label=label, against=against, method=method, sample=sample, **network, **fresh
        )
        check = replace(check, conventions=_read_conventions(reporting))
        _check(check, against, show, format, reporting)


def _check(
    check: "Gradcheck",
    against: Path | None,
    show: str | None,
    format: str,  # noqa: A002
    reporting: Mapping[str, Any],
) -> None:
    """Run a check and show its outcome."""
    from cnncli.api import complete_gradcheck
    from cnncli.reports.console import print_json
    from cnncli.reports.gradcheck.outcome import outcome_document, print_error_map, print_outcome
    from cnncli.reports.gradcheck.progress import CheckProgress
    from cnncli.reports.gradcheck.verdicts import refuse_to_replace, report_outcome, write_reports

    refuse_to_replace(reporting)
    if show is not None:
        _refuse_unchecked(show, check)
    with CheckProgress(check.total, "entries") as progress:
        outcome = complete_gradcheck(replace(check, advance=progress.advance))
    strict = bool(reporting.get("strict"))
    right = outcome.passed and not (strict and outcome.verdict == "KINK")
    if format == "json":
        print_json(outcome_document(outcome))
    elif not reporting.get("quiet") or not right:
        print_outcome(
            outcome, f"gradients of {against}" if against else "the textbook engine's gradients", strict=strict
        )
        if show is not None:
            print_error_map(outcome, show)
    write_reports(report_outcome(outcome), reporting)
    if not right:
        raise typer.Exit(1)


def _refuse_unchecked(name: str, gradcheck: "Gradcheck") -> None:
    """Raise UsageError for the name of a derivative that will not be checked."""
    checked = [tensor.gradient.name for tensor in gradcheck.checked]
    if name not in checked:
        near = get_close_matches(name, checked, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"--show {name}: no such derivative is checked, there are {', '.join(checked)}{hint}")


def _check_code(
    mode: Mapping[str, Any],
    seed: int,
    method: "Method",
    format: str,  # noqa: A002
    reporting: Mapping[str, Any],
) -> None:
    """Check the functions of a file."""
    from cnncli.checking.user_code.checks import TIME_LIMIT, check_file
    from cnncli.reports.console import print_json
    from cnncli.reports.gradcheck.user_code import (
        passed,
        print_call,
        print_user_code,
        report_user_code,
        user_code_document,
    )
    from cnncli.reports.gradcheck.verdicts import write_reports

    path, timeout, only = mode["code"], mode.get("timeout", TIME_LIMIT), mode.get("case")
    conventions = _read_conventions(reporting)
    more = mode.get("cases", 0)
    repair = not mode.get("no_repair", False)
    results = check_file(
        path, seed, method, timeout=timeout, more=more, only=only, conventions=conventions, repair=repair
    )
    strict = bool(reporting.get("strict"))
    right = passed(results) and not (strict and any(each.verdict == "KINK" for each in results))
    if format == "json":
        print_json(user_code_document(results, method, seed))
    elif not right or not reporting.get("quiet"):
        print_user_code(path, results, method, seed, strict=strict)
        for result in results if only else ():
            print_call(path, result)
    write_reports(report_user_code(path, results), reporting)
    if not right:
        raise typer.Exit(1)


def _read_conventions(reporting: Mapping[str, Any]) -> tuple[str, ...]:
    from cnncli.checking.convention import read_conventions

    return read_conventions(reporting["convention"]) if "convention" in reporting else ()


def _self_test(format: str) -> None:  # noqa: A002
    """Plant every mistake."""
    from cnncli.checking.self_test import run_self_test
    from cnncli.reports.console import print_json
    from cnncli.reports.gradcheck.self_test import print_self_test, self_test_document

    results = list(run_self_test())
    if format == "json":
        print_json(self_test_document(results))
    else:
        print_self_test(results)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


def _write_template(path: Path) -> None:
    from cnncli.checking.user_code.checks import write_template
    from cnncli.reports.console import stderr

    write_template(path, "cnncli gradcheck --code")
    stderr().print(f"wrote {path}: fill it in and run cnncli gradcheck --code {path}", soft_wrap=True)
