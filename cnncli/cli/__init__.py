"""The command line: one file per command. A command parses, calls one plain function and shows what it returned."""

import io
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from cnncli import __version__
from cnncli.cli.gradcheck import gradcheck
from cnncli.cli.info import info
from cnncli.cli.predict import predict
from cnncli.cli.trace import trace
from cnncli.cli.train import train
from cnncli.errors import CnncliError, Stopped

app = typer.Typer(
    name="cnncli",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (train, predict, gradcheck, trace, info):
    app.command(command.__name__)(command)


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
    be used; 4 training diverged; 130 and 143 stopped by SIGINT and SIGTERM.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command of sys.argv; an error that a person can cause becomes one sentence and its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name or a σ that the encoding lacks ends nothing
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = app(prog_name="cnncli", standalone_mode=False)
    except CnncliError as error:
        _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        _fail(error.format_message(), error.exit_code)
    sys.exit(code)


def _fail(message: str, code: int) -> NoReturn:
    print("Error:", " ".join(message.split()), file=sys.stderr)  # noqa: T201  one line, whatever a library put in
    sys.exit(code)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Stopped("stopped by SIGTERM", 143)
