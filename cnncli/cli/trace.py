"""`cnncli trace`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cnncli.cli import modes
from cnncli.cli.arithmetic import calm_arithmetic
from cnncli.cli.completion import complete_entry, complete_followed, complete_names
from cnncli.cli.flags import flag
from cnncli.cli.options import (
    FRESH_OPTIONS,
    NETWORK_OPTIONS,
    OUTPUT,
    SUBJECT,
    UNCHECKED,
    Force,
    Label,
    OptionalModelPath,
    gather,
    option,
)
from cnncli.reports.look import PRECISION, Look
from cnncli.reports.trace.formats import FORMATS, names
from cnncli.subject.fresh import FreshNetwork

BETWEEN_NAMES = re.compile(r",(?![^\[]*\])")  # no comma inside the brackets of w1[:,0]
EXAMPLES = """\b
Examples:
  cnncli trace --expand 'dL/dw1[0,0,1,2]'
      the sum behind one derivative
  cnncli trace --follow 'w1[0,0,1,2]'
      the chain rule from L to one weight, link by link
  cnncli trace --symbolic --image-size 3 --kernel 2
      the derivation without numbers
  cnncli trace shoe.png -m runs/fashion --filter 3 --heat
      what one filter sees
  cnncli trace shoe.png -m runs/fashion -o shoe.html --open
      every number alive, in the browser
  cnncli trace lesson.csv --weights lesson.json --label 0 -o lesson.tex
      own numbers, as a document
"""
VIEWS, PART = "Views, one at a time", "Which part, and how exactly"  # headings of the help

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal[tuple(FORMATS)]

ImageOrMatrix = Annotated[
    Path | None,
    typer.Argument(
        **UNCHECKED,
        metavar="IMAGE",
        help="An image file, or a matrix of numbers in a .csv, .txt or .npy file; "
        "random numbers, or the note's example, without one.",
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        **UNCHECKED,
        metavar="FILE",
        rich_help_panel=SUBJECT,
        help="Own w1, b1, w2, b2 by name, from a .npz, .safetensors or .json file.",
    ),
]
VIEW_OPTIONS = (
    option(
        "expand",
        str | None,
        metavar="ENTRY",
        panel=VIEWS,
        autocompletion=complete_entry,
        help="Where this entry comes from, term by term: 'dL/dw1[0,0,1,2]', 'Z1[0]', L.",
    ),
    option(
        "follow",
        str | None,
        metavar="ENTRY",
        panel=VIEWS,
        autocompletion=complete_followed,
        help="The chain from L back to this entry, path by path: 'w1[1,2]'.",
    ),
    option(
        "symbolic",
        bool,
        panel=VIEWS,
        help="The derivation without numbers, written out; of 3×3 pixels where no size is given.",
    ),
    option("step", bool, panel=VIEWS, help="One step a key press, forwards and backwards."),
    option("heat", bool, panel=VIEWS, help="The tensors as coloured pictures in the terminal."),
    option("open", bool, panel=VIEWS, help="The page of -o FILE.html in the browser: every number alive."),
    option(
        "picture", Path | None, metavar="FILE.png", panel=VIEWS, help="The chain as one picture, each value in tiles."
    ),
)
Only = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        rich_help_panel=PART,
        autocompletion=complete_names,
        help="Only these values, with commas: Z1,A1,dL/dw1.",
    ),
]
Filter = Annotated[
    int | None, typer.Option(min=0, rich_help_panel=PART, help="Only this filter of each block, from 0.")
]
Channel = Annotated[
    int | None, typer.Option(min=0, rich_help_panel=PART, help="Only this channel of the image, from 0.")
]
Full = Annotated[bool, typer.Option("--full", rich_help_panel=PART, help="Leave nothing out.")]
Precision = Annotated[
    int, typer.Option(min=0, max=17, rich_help_panel=PART, help="Decimals of the formats for people.")
]
FormatName = Annotated[
    Format | None,
    typer.Option(
        rich_help_panel=OUTPUT,
        help=f"{', '.join(names(for_people=True))}: for people; "
        f"{', '.join(names(for_people=False))}: every number at full precision.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        **UNCHECKED,
        metavar="PATH",
        rich_help_panel=OUTPUT,
        help="Write a file; its suffix names the format.",
    ),
]
ThemeName = Annotated[
    Literal["light", "dark"] | None,
    typer.Option("--theme", rich_help_panel=OUTPUT, help="The ground of an SVG; light where not given."),
]


@gather("views", VIEW_OPTIONS)
@gather("network", NETWORK_OPTIONS)
@gather("fresh", FRESH_OPTIONS)
@calm_arithmetic()
def trace(
    *,
    context: typer.Context,
    image: ImageOrMatrix = None,
    model: OptionalModelPath = None,
    weights: Weights = None,
    label: Label = None,
    views: Mapping[str, Any],
    only: Only = None,
    filter: Filter = None,  # noqa: A002
    channel: Channel = None,
    full: Full = False,
    precision: Precision = PRECISION,
    network: Mapping[str, Any],
    fresh: Mapping[str, Any],
    format: FormatName = None,  # noqa: A002
    output: Output = None,
    force: Force = False,
    theme: ThemeName = None,
) -> None:
    """Show every intermediate value and every derivative of one image, and where each number comes from.

    Without arguments it shows the note's 6×6 example; with IMAGE and --model a trained network; with IMAGE alone, or
    with options of a fresh network, one with random weights.
    """
    view = modes.TRACE.choose(context)
    from cnncli.cli.destination import Destination

    to = Destination(format, output, force, theme)
    if view == "picture":
        to = Destination(output=views["picture"], force=force, option="--picture")
    if view == "symbolic":
        from cnncli.cli.trace_views import show_derivation
        from cnncli.tracing.derivation import derive

        show_derivation(derive(FreshNetwork(network, **fresh)), to, sizes_given=bool(network or fresh))
        return
    from cnncli import api
    from cnncli.cli.trace_views import show

    traced = api.trace(image, model=model, weights=weights, label=label, **network, **fresh)
    shown = traced.narrow(filter, channel).only(BETWEEN_NAMES.split(only) if only is not None else None)
    show(view, views.get(view or ""), traced, shown, Look(full, precision, written=flag), to)
