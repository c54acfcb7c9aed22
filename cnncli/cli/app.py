"""The Typer app, and its commands, each imported when it is run so that no command waits for another."""

import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from cnncli import __version__
from cnncli.cli.command import Command
from cnncli.errors import CnncliError, UsageError
from cnncli.limits import addresses_left

ROOM = 220 << 20  # bytes of addresses that NumPy takes when it is loaded, and a small command beside it
WIDEST = 1_000  # columns: Typer's own limit is 80

# The order of the help. Each command is a function of this name in a module of this name; the sentence is its first.
COMMANDS = {
    "train": "Train a network on a folder of images.",
    "predict": "Tell the class of images, a row for each in the order given.",
    "evaluate": "Tell how good a model is on images whose classes are known.",
    "export": "Write a model as a file that predicts without cnncli: ONNX, Python, or a web page.",
    "gradcheck": "Prove every derivative right: every entry of every parameter and intermediate value, and every link "
    "alone.",
    "trace": "Show every intermediate value and every derivative of one image, and where each number comes from.",
    "info": "Show what a model is: layers, shapes, parameters, classes, preprocessing.",
}


class Commands(TyperGroup):
    """The commands of the table."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command of that name, if there is one."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The whole table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Raise UsageError, which tells what commands there are, for a name that is none of them."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(name, COMMANDS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"No such command '{name}': there are {', '.join(COMMANDS)}{hint}")
        return super().resolve_command(ctx, args)


def load(name: str) -> Any:
    """A command of the table, ready to run."""
    module = import_module(f"cnncli.cli.{name}")
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name, cls=Command, epilog=getattr(module, "EXAMPLES", None))(getattr(module, name))
    return typer.main.get_command(single)


app = typer.Typer(
    name="cnncli",
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"cnncli {__version__}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train a small convolutional network on a folder of images, and see, check and understand every number in it.

    Exit codes: 0 done; 1 a gradient check failed, or something unforeseen; 2 wrong usage; 3 data or a model that cannot
    be used; 4 training diverged; 129, 130 and 143 stopped by SIGHUP, SIGINT and SIGTERM.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    if not {"-h", "--help"}.intersection(sys.argv):
        _require_room()


def _require_room() -> None:
    """Raise CnncliError where a limit of addresses is too low for NumPy, whose BLAS would end the process itself."""
    left = addresses_left()
    if left is not None and left < ROOM:
        raise CnncliError(
            f"the limit of memory (ulimit -v) leaves {left >> 20} MB, and {ROOM >> 20} MB are needed to begin: raise it"
        )
