"""`cnncli trace`."""

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


def trace(
    image: Annotated[
        Path | None,
        typer.Argument(metavar="[IMAGE]", help="An image file; random numbers, or the note's example, without one."),
    ] = None,
    model: OptionalModelPath = None,
    label: Label = None,
    only: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Only these values, with commas: Z1,A1,dL/dw1.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Print large arrays whole.")] = False,
    filters: FreshFilters = None,
    kernel: FreshKernel = None,
    pool: FreshPool = None,
    image_size: FreshImageSize = None,
    channels: FreshChannels = None,
    classes: FreshClasses = None,
    seed: FreshSeed = None,
    format: Annotated[Literal["table", "json"], typer.Option(help=TABLE_OR_JSON)] = "table",  # noqa: A002
) -> None:
    """Show every intermediate value and every derivative of one image, step by step.

    Without arguments it shows the note's 6×6 example; with IMAGE and --model a trained network; with IMAGE alone, or
    with options of a fresh network, one with random weights.
    """
    blocks = parse_filters(filters) if filters else None

    from cnncli.inspection.subject import FreshNetwork, choose
    from cnncli.inspection.trace import trace_image
    from cnncli.reports.console import print_json
    from cnncli.reports.trace import print_trace, trace_document

    fresh = FreshNetwork(blocks, kernel, pool, image_size, channels, classes, seed)
    traced = trace_image(choose([image] if image else [], model, label, fresh), only.split(",") if only else None)
    if format == "json":
        print_json(trace_document(traced))
    else:
        print_trace(traced, full=full)
