"""`cnncli gradcheck`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cnncli.cli.options import (
    TABLE_OR_JSON,
    FreshChannels,
    FreshClasses,
    FreshFilters,
    FreshImageSize,
    FreshKernel,
    FreshPool,
    FreshSeed,
    Label,
    OptionalModelPath,
    parse_filters,
)

if TYPE_CHECKING:
    from cnncli.checking.methods import Method
    from cnncli.subject.subject import Subject


def gradcheck(
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGE…", help="Image files; random numbers, or the note's example, without one."),
    ] = None,
    model: OptionalModelPath = None,
    label: Label = None,
    method: Annotated[
        Literal["complex-step", "central", "richardson"],
        typer.Option(
            help="complex-step: exact to rounding; central: (L(x+h) − L(x−h))/2h; richardson: the same, "
            "extrapolated to h = 0."
        ),
    ] = "complex-step",
    code: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check the backward functions that this Python file defines. It is run."),
    ] = None,
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a file to fill in for --code, and nothing else.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="NPZ", help="Check gradients computed elsewhere: arrays dw1, db1, … in an .npz file."),
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant every known mistake into the chain and see it found.")
    ] = False,
    show: Annotated[
        str | None, typer.Option(metavar="NAME", help="Show also what each entry of one derivative is off: dL/dw1.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Check only N entries of each tensor, spread over it.")
    ] = None,
    filters: FreshFilters = None,
    kernel: FreshKernel = None,
    pool: FreshPool = None,
    image_size: FreshImageSize = None,
    channels: FreshChannels = None,
    classes: FreshClasses = None,
    seed: FreshSeed = None,
    format: Annotated[Literal["table", "json"], typer.Option(help=TABLE_OR_JSON)] = "table",  # noqa: A002
) -> None:
    """Prove every derivative right: every entry of every parameter and intermediate value, and every link alone.

    Without arguments it checks the note's 6×6 example; with IMAGE and --model a trained network; with IMAGE alone, or
    with options of a fresh network, one with random weights. An entry on a kink of a relu or a pooling window is no
    failure if its gradient lies between the two one-sided derivatives. The exit code is 1 if a check fails.
    """
    blocks = parse_filters(filters) if filters is not None else None

    # The products are small: BLAS threads only wait for each other, on a busy machine for ten times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from dataclasses import replace

    from cnncli.subject.subject import FreshNetwork, choose

    fresh = FreshNetwork(blocks, kernel, pool, image_size, channels, classes, seed)
    alone = {"--code": code is not None, "--template": template is not None, "--self-test": self_test}
    _refuse_mixtures(alone, fresh.given, images=bool(images), model=model is not None, against=against is not None)
    if template:
        _write_template(template)
    elif code:
        _check_code(code, seed or 0, method, format)
    elif self_test:
        _self_test(format)
    else:
        # With a model the seed is that of the sample alone.
        described = replace(fresh, seed=None) if model is not None and sample is not None else fresh
        subject = choose(images or [], model, label, described)
        _check(subject, against, method, sample, seed or 0, show, format)


def _check(
    subject: "Subject",
    against: Path | None,
    method: "Method",
    sample: int | None,
    seed: int,
    show: str | None,
    format: str,  # noqa: A002
) -> None:
    """Check our own engine, or gradients from a file."""
    from dataclasses import replace

    from cnncli.checking.against import read_gradients
    from cnncli.checking.agreement import compare_engine, join
    from cnncli.checking.gradcheck import Gradcheck, engine_gradients
    from cnncli.checking.methods import EPS
    from cnncli.checking.run import run_gradcheck
    from cnncli.network.fused.engine import Fused
    from cnncli.network.textbook import Textbook
    from cnncli.reports.console import print_json
    from cnncli.reports.gradcheck.outcome import outcome_document, print_error_map, print_outcome
    from cnncli.reports.gradcheck.progress import CheckProgress

    if against:
        gradients, eps = read_gradients(against, subject)
    else:
        gradients, eps = engine_gradients(Textbook(subject.architecture), subject), EPS
    gradcheck = Gradcheck(subject, gradients, method, sample, seed, eps, foreign=against is not None)
    with CheckProgress(gradcheck.total, "entries") as progress:
        outcome = run_gradcheck(replace(gradcheck, advance=progress.advance))
    if not against:
        engine = Fused(subject.architecture)
        outcome = replace(outcome, engine=join(engine.name, compare_engine(engine, subject)))
    if format == "json":
        print_json(outcome_document(outcome))
    else:
        print_outcome(outcome, f"gradients of {against}" if against else "the textbook engine's gradients")
        if show:
            print_error_map(outcome, show)
    if not outcome.passed:
        raise typer.Exit(1)


def _check_code(path: Path, seed: int, method: "Method", format: str) -> None:  # noqa: A002
    """Check the functions of a file."""
    from cnncli.checking.user_code.checks import check_file
    from cnncli.reports.console import print_json
    from cnncli.reports.gradcheck.user_code import own_code_document, print_own_code

    results = check_file(path, seed, method)
    if format == "json":
        print_json(own_code_document(results, method, seed))
    else:
        print_own_code(path, results, method, seed)
    if not all(result.passed for result in results):
        raise typer.Exit(1)


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

    write_template(path)
    stderr().print(f"wrote {path}: fill it in and run cnncli gradcheck --code {path}", soft_wrap=True)


def _refuse_mixtures(alone: dict[str, bool], fresh: list[str], *, images: bool, model: bool, against: bool) -> None:
    """--code, --template and --self-test bring their own networks and go with no other subject."""
    from cnncli.errors import UsageError

    first, *more = [name for name, given in alone.items() if given] or [""]
    others = [*more, *(["IMAGE"] if images else []), *(["--model"] if model else [])]
    others += ["--against"] if against else []
    others += [name for name in fresh if name != "--seed"]
    if first and others:
        raise UsageError(f"{first} checks on networks of its own: leave out {', '.join(others)}")
