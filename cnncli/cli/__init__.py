"""The command line: one file per command. A command parses, calls one plain function and shows what it returned."""

import io
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer

from cnncli import __version__
from cnncli.cli.gradcheck import gradcheck
from cnncli.cli.info import info
from cnncli.cli.predict import predict
from cnncli.cli.trace import trace
from cnncli.cli.train import train
from cnncli.errors import CnncliError, DataError, Stopped
from cnncli.text import printable

AGAIN = 0.01  # seconds after which a lost signal comes again

app = typer.Typer(
    name="cnncli",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
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
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the caller closed it
            setattr(sys, name, io.TextIOWrapper(io.BytesIO(), "utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name or a σ that the encoding lacks ends nothing
    signal.signal(signal.SIGTERM, _terminate)
    warnings.filterwarnings("ignore", module="PIL")  # a file that is not as it should be is decoded or refused
    try:
        with _lost_signals_come_again():
            code = app(prog_name="cnncli", standalone_mode=False)
        sys.stdout.flush()
    except (CnncliError, Stopped) as error:
        _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        _fail(error.format_message().replace("Value error, ", ""), error.exit_code)
    except MemoryError:
        _fail("the memory does not suffice: use smaller images, fewer filters or a smaller batch", 1)
    except OSError as error:
        if error.filename is not None:
            _fail(f"{error.filename}: {error.strerror}", DataError.exit_code)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the end of the program tries again
        _fail(f"the output cannot be written ({error.strerror})", 1)
    sys.exit(code)


def _fail(message: str, code: int) -> NoReturn:
    one_line = printable(" ".join(message.split()))  # whatever a library, or a file name, put in
    print("Error:", one_line, file=sys.stderr)  # noqa: T201
    sys.exit(code)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Stopped("stopped by SIGTERM", 143)


@contextmanager
def _lost_signals_come_again() -> Iterator[None]:
    """Python drops what is raised in some places (the callback of a weak reference), a signal's exception too."""
    before = sys.unraisablehook
    in_hook = False  # where what is raised is lost once more

    def send(number: int) -> None:
        time.sleep(AGAIN)
        while in_hook:
            time.sleep(AGAIN)
        os.kill(os.getpid(), number)

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        nonlocal in_hook
        if isinstance(lost.exc_value, Stopped | KeyboardInterrupt):
            number = signal.SIGTERM if isinstance(lost.exc_value, Stopped) else signal.SIGINT
            in_hook = True
            try:
                threading.Thread(target=send, args=[number]).start()
            finally:
                in_hook = False  # the last thing: Python handles no signal between here and the return
        else:
            before(lost)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
