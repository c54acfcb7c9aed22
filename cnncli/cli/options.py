"""Every option that more than one command has, and those of a network, each declared once.

Nothing here imports NumPy, so that the help is quick. A default stands in the dataclass that takes it; here it is only
shown.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cnncli.cli.completion import complete_class, complete_model
from cnncli.cli.flags import flag
from cnncli.data.settings import LARGEST_OWN_SIZE, LARGEST_SIDE, Channels
from cnncli.network.architecture import Architecture, Pooling
from cnncli.subject.fresh import IMAGE_SIZE, SEED

SUBJECT, NETWORK, OUTPUT = "What is looked at", "Fresh network", "Output"  # headings of the help

# Whether a path can be read shows when it is read, and is no wrong usage.
UNCHECKED: dict[str, Any] = {"readable": False}

Command = Callable[..., None]


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
        raise typer.BadParameter(f"'{text}' is not a list of whole numbers like 8 or 8,16") from None
    if min(filters) < 1:
        raise typer.BadParameter(f"'{text}': every block needs at least 1 filter")
    return filters


TableOrJson = Annotated[
    Literal["table", "json"],
    typer.Option("--format", rich_help_panel=OUTPUT, help="table: for people; json: one JSON document on stdout."),
]
Force = Annotated[
    bool,
    typer.Option("--force", rich_help_panel=OUTPUT, help="Replace an existing file, or the run in an existing folder."),
]
Label = Annotated[
    str | None,
    typer.Option(
        metavar="CLASS",
        rich_help_panel=SUBJECT,
        autocompletion=complete_class,
        help="The true class; where not given the image's folder names it, else the predicted one is taken "
        "(1 without a model).",
    ),
]
THREADS_HELP = "Processor cores that compute; all if not given. Changes no result."
Threads = Annotated[int | None, typer.Option(min=1, rich_help_panel=OUTPUT, help=THREADS_HELP)]
_model = typer.Option(
    "--model",
    "-m",
    **UNCHECKED,
    metavar="PATH",
    rich_help_panel=SUBJECT,
    autocompletion=complete_model,
    help="A model file, or a run folder that holds one.",
)
ModelPath = Annotated[Path, _model]
OptionalModelPath = Annotated[Path | None, _model]


def option(
    name: str, kind: Any, default: object = None, *, panel: str, short: str = "", **details: Any
) -> inspect.Parameter:
    """An option of a group, for `gather`; of a bool, the flag that sets it."""
    if kind is bool:
        default = False
    info = typer.Option(*filter(None, (flag(name), short)), rich_help_panel=panel, **(UNCHECKED | details))
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info])


# One entry for each field of Architecture that can be chosen; nothing else in cli/ knows these options.
NETWORK_OPTIONS = (
    option(
        "filters",
        str,
        ",".join(map(str, Architecture.filters)),
        panel=NETWORK,
        metavar="N[,N…]",
        callback=parse_filters,
        help="Filters of each block: 8, or 8,16 for two blocks.",
    ),
    option("kernel", int, Architecture.kernel, panel=NETWORK, min=1, help="k: the kernels are k×k."),
    option(
        "padding",
        int,
        Architecture.padding,
        panel=NETWORK,
        min=0,
        help="p: rows and columns of zeros around what each kernel reads.",
    ),
    option(
        "stride",
        int,
        Architecture.stride,
        panel=NETWORK,
        min=1,
        help="t: from one position of a kernel to the next.",
    ),
    option(
        "dilation",
        int,
        Architecture.dilation,
        panel=NETWORK,
        min=1,
        help="d: from one number that a kernel reads to the next.",
    ),
    option("pool", int, Architecture.pool, panel=NETWORK, min=1, help="s: the pooling windows are s×s."),
    option(
        "pool_stride",
        int | None,
        panel=NETWORK,
        min=1,
        show_default="s: side by side",
        help="From one pooling window to the next.",
    ),
    option(
        "pooling", Pooling, Architecture.pooling, panel=NETWORK, help="What a window becomes: its maximum or its mean."
    ),
)
SEED_OPTION = option("seed", int, SEED, panel=NETWORK, min=0, help="All that is drawn at random follows from it.")
FRESH_OPTIONS = (
    option(
        "image_size",
        int | None,
        panel=NETWORK,
        min=1,
        max=LARGEST_SIDE,
        show_default=f"{IMAGE_SIZE} without an image",
        help="Scale images to N×N (proportions kept, cropped at the centre), or draw random numbers of that size; "
        f"their own size if all share one of at most {LARGEST_OWN_SIZE}, else {LARGEST_OWN_SIZE}.",
    ),
    option("channels", Channels, "auto", panel=NETWORK, help="Gray or colour; auto is gray where every image is."),
    option("classes", int, Architecture.classes, panel=NETWORK, min=2, help="How many classes there are."),
    SEED_OPTION,
)


def is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter of the running command was written on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE" and context.params.get(name) not in ((), [])


def gather(parameter: str, options: Sequence[inspect.Parameter]) -> Callable[[Command], Command]:
    """Put a group of options into the place of one parameter of a command, which gets those given, value by name."""

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command)

        @wraps(command)
        def gathered(context: typer.Context, **values: Any) -> None:
            group = {option.name: values.pop(option.name) for option in options}
            given = {name: value for name, value in group.items() if is_given(context, name)}
            command(context=context, **{parameter: given}, **values)

        parameters = list(signature.parameters.values())
        place = list(signature.parameters).index(parameter)
        parameters[place : place + 1] = options
        gathered.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return gathered

    return decorate
