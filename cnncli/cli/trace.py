"""`cnncli trace`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from cnncli.cli.options import (
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
from cnncli.errors import UsageError

BETWEEN_NAMES = re.compile(r",(?![^\[]*\])")  # no comma inside the brackets of w1[:,0]
NARROWING = ("--only", "--filter", "--channel")
USELESS = {
    "--expand": NARROWING,
    "--follow": NARROWING,
    "--symbolic": (*NARROWING, "IMAGE", "--model", "--weights", "--label"),
    "--step": ("--format", "--output"),
    "--picture": ("--format", "--output"),
}
Format = Literal["table", "json", "npz", "markdown", "latex", "csv", "svg"]


def trace(
    image: Annotated[
        Path | None,
        typer.Argument(
            metavar="IMAGE",
            help="An image file, or a matrix of numbers in a .csv, .txt or .npy file; "
            "random numbers, or the note's example, without one.",
        ),
    ] = None,
    model: OptionalModelPath = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Own w1, b1, w2, b2 by name, from a .npz, .safetensors or .json file."),
    ] = None,
    label: Label = None,
    expand: Annotated[
        str | None,
        typer.Option(metavar="ENTRY", help="Where this entry comes from, term by term: 'dL/dw1[0,0,1,2]', 'Z1[0]', L."),
    ] = None,
    follow: Annotated[
        str | None, typer.Option(metavar="ENTRY", help="The chain from L back to this entry, path by path: 'w1[1,2]'.")
    ] = None,
    symbolic: Annotated[bool, typer.Option("--symbolic", help="The derivation without numbers, written out.")] = False,
    step: Annotated[bool, typer.Option("--step", help="One step a key press, forwards and backwards.")] = False,
    heat: Annotated[bool, typer.Option("--heat", help="The tensors as coloured pictures in the terminal.")] = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="The tensors as tiles of one picture.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Only these values, with commas: Z1,A1,dL/dw1.")
    ] = None,
    filter: Annotated[int | None, typer.Option(min=0, help="Only this filter of each block, from 0.")] = None,  # noqa: A002
    channel: Annotated[int | None, typer.Option(min=0, help="Only this channel of the image, from 0.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Leave nothing out.")] = False,
    precision: Annotated[
        int | None, typer.Option(min=0, max=17, help="Decimals of the formats for people.  [4]")
    ] = None,
    filters: FreshFilters = None,
    kernel: FreshKernel = None,
    pool: FreshPool = None,
    image_size: FreshImageSize = None,
    channels: FreshChannels = None,
    classes: FreshClasses = None,
    seed: FreshSeed = None,
    format: Annotated[  # noqa: A002
        Format | None,
        typer.Option(help="table, markdown, latex, svg: for people; json, npz, csv: every number at full precision."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write a file; its suffix names the format."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Show every intermediate value and every derivative of one image, and where each number comes from.

    Without arguments it shows the note's 6×6 example; with IMAGE and --model a trained network; with IMAGE alone, or
    with options of a fresh network, one with random weights.

    Examples:
    cnncli trace --expand 'dL/dw1[0,0,1,2]' (the sum behind one derivative)

    cnncli trace --follow 'w1[0,0,1,2]' (the chain rule from L to one weight, link by link)

    cnncli trace --symbolic --image-size 3 --kernel 2 (the derivation without numbers)

    cnncli trace shoe.png -m runs/fashion --filter 3 --heat (what one filter sees)

    cnncli trace lesson.csv --weights lesson.json --label 0 -o lesson.tex (own numbers, as a document)

    """
    blocks = parse_filters(filters) if filters is not None else None
    views = {
        "--expand": expand,
        "--follow": follow,
        "--symbolic": symbolic,
        "--step": step,
        "--heat": heat,
        "--picture": picture,
    }
    options = {
        "--only": only,
        "--filter": filter,
        "--channel": channel,
        "IMAGE": image,
        "--model": model,
        "--weights": weights,
        "--label": label,
        "--format": format,
        "--output": output,
    }
    _check_options(_one_view(views), options)

    from cnncli.reports.grids import PRECISION, Look
    from cnncli.reports.output import Destination
    from cnncli.reports.trace import views as trace_views
    from cnncli.subject.subject import FreshNetwork, choose
    from cnncli.tracing.derivation import derive
    from cnncli.tracing.trace import trace_image

    fresh = FreshNetwork(blocks, kernel, pool, image_size, channels, classes, seed)
    look = Look(full, PRECISION if precision is None else precision)
    to = Destination(format, picture or output, force)
    if symbolic:
        trace_views.show_derivation(derive(fresh), to)
        return
    traced = trace_image(choose([image] if image else [], model, label, fresh, weights))
    shown = traced.narrowed(filter, channel).only(BETWEEN_NAMES.split(only) if only is not None else None)
    if expand is not None:
        trace_views.show_expansions(traced, expand, look, to)
    elif follow is not None:
        trace_views.show_paths(traced, follow, look, to)
    elif step:
        from cnncli.cli.stepping import step_through

        step_through(shown, look)
    elif heat or picture:
        trace_views.show_tiles(traced, shown, look, to)
    else:
        trace_views.show_trace(shown, look, to)


def _check_options(view: str | None, options: Mapping[str, object]) -> None:
    """Refuse what the view has no use for. Raises UsageError."""
    for name, value in options.items():
        if view is not None and value is not None and name in USELESS.get(view, ()):
            raise UsageError(f"{view} has no use for {name}: leave it out")


def _one_view(views: Mapping[str, object]) -> str | None:
    """The view that was asked for, if any. Raises UsageError for two."""
    given = [name for name, value in views.items() if value not in (None, False)]
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} are two views: choose one")
    return given[0] if given else None
