"""Options that several commands share: one way to say a thing. Nothing here imports NumPy, so that --help is quick."""

import math
from pathlib import Path
from typing import Annotated, Literal

import typer

TABLE_OR_JSON = "table: for people; json: one JSON document on stdout."


def positive(value: float | None) -> float | None:
    """A finite number above zero."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise typer.BadParameter(f"{value} is not a number above 0")
    return value


def fraction(value: float | None) -> float | None:
    """A number between zero and one, both excluded."""
    if value is not None and not 0 < value < 1:
        raise typer.BadParameter(f"{value} is not between 0 and 1")
    return value


def parse_filters(text: str) -> tuple[int, ...]:
    """The numbers of a list with commas: 8,16 → (8, 16)."""
    try:
        filters = tuple(int(number) for number in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is not a list of whole numbers like 8 or 8,16", param_hint="'--filters'"
        ) from None
    if min(filters) < 1:
        raise typer.BadParameter(f"'{text}': every block needs at least 1 filter", param_hint="'--filters'")
    return filters


ModelPath = Annotated[
    Path, typer.Option("--model", "-m", metavar="PATH", help="A model file, or a run folder that holds one.")
]
OptionalModelPath = Annotated[
    Path | None, typer.Option("--model", "-m", metavar="PATH", help="A model file, or a run folder that holds one.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="All that is drawn at random follows from it.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")]
Filters = Annotated[
    str, typer.Option("--filters", metavar="N[,N…]", help="Filters of each block: 8, or 8,16 for two blocks.")
]
Kernel = Annotated[int, typer.Option("--kernel", min=1, help="k: the kernels are k×k.")]
Pool = Annotated[int, typer.Option("--pool", min=1, help="s: the pooling windows are s×s.")]

Label = Annotated[
    str | None,
    typer.Option(
        "--label",
        metavar="CLASS",
        help="The true class; the image's folder names it where not given (1 without a model).",
    ),
]
FreshFilters = Annotated[
    str | None, typer.Option("--filters", metavar="N[,N…]", help="Fresh network: filters of each block.  [8]")
]
FreshKernel = Annotated[int | None, typer.Option("--kernel", min=1, help="Fresh network: kernels are k×k.  [3]")]
FreshPool = Annotated[int | None, typer.Option("--pool", min=1, help="Fresh network: pooling windows are s×s.  [2]")]
FreshImageSize = Annotated[
    int | None, typer.Option("--image-size", min=1, help="Fresh network: images of N×N.  [the image's own, or 12]")
]
FreshChannels = Annotated[
    Literal["auto", "gray", "rgb"] | None, typer.Option("--channels", help="Fresh network: gray or colour.  [auto]")
]
FreshClasses = Annotated[int | None, typer.Option("--classes", min=2, help="Fresh network: how many classes.  [2]")]
FreshSeed = Annotated[int | None, typer.Option("--seed", min=0, help="Fresh network: its weights follow from it.  [0]")]
