"""`cnncli gradcheck`."""

from pathlib import Path
from typing import Annotated, Literal

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


def gradcheck(
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[IMAGE…]", help="Image files; random numbers, or the note's example, without one."),
    ] = None,
    model: OptionalModelPath = None,
    label: Label = None,
    method: Annotated[
        Literal["complex-step", "central"],
        typer.Option(help="complex-step: exact to rounding; central: (L(x+ε) − L(x−ε))/2ε."),
    ] = "complex-step",
    filters: FreshFilters = None,
    kernel: FreshKernel = None,
    pool: FreshPool = None,
    image_size: FreshImageSize = None,
    channels: FreshChannels = None,
    classes: FreshClasses = None,
    seed: FreshSeed = None,
    format: Annotated[Literal["table", "json"], typer.Option(help=TABLE_OR_JSON)] = "table",  # noqa: A002
) -> None:
    """Prove every derivative right: every entry of every parameter and of every intermediate value.

    Without arguments it checks the note's 6×6 example; with IMAGE and --model a trained network; with IMAGE alone, or
    with options of a fresh network, one with random weights. The exit code is 1 if a check fails.
    """
    blocks = parse_filters(filters) if filters else None

    from cnncli.inspection.gradcheck import check_gradients
    from cnncli.inspection.subject import FreshNetwork, choose
    from cnncli.reports.console import print_json
    from cnncli.reports.gradcheck import checks_document, print_checks

    fresh = FreshNetwork(blocks, kernel, pool, image_size, channels, classes, seed)
    subject = choose(images or [], model, label, fresh)
    checks = list(check_gradients(subject, method))
    if format == "json":
        print_json(checks_document(checks, method))
    else:
        print_checks(checks, method, subject)
    if not all(check.passed for check in checks):
        raise typer.Exit(1)
