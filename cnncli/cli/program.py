"""The program: run the command of sys.argv, and turn an error that a person can cause into one sentence."""

import io
import os
import signal
import sys
import warnings
from typing import NoReturn

import typer

from cnncli.cli.app import app
from cnncli.cli.flags import flag
from cnncli.cli.signals import stop_cleanly
from cnncli.errors import CnncliError, DataError, ReaderGone, Stopped
from cnncli.text import printable


def run() -> None:
    """Run the command of sys.argv; an error that a person can cause becomes one sentence and its exit code."""
    _prepare_streams()
    warnings.filterwarnings("ignore", module="PIL")  # a file that is not as it should be is decoded or refused
    try:
        with stop_cleanly():
            code = app(prog_name="cnncli", standalone_mode=False)
        sys.stdout.flush()
    except CnncliError as error:
        _fail(error.phrase(flag), error.exit_code)
    except Stopped as error:
        _fail(str(error), error.exit_code)
    except typer.TyperException as error:
        _fail(error.format_message().replace("Value error, ", ""), error.exit_code)
    except MemoryError:
        _fail("the memory does not suffice: use smaller images, fewer filters or a smaller batch", 1)
    except (ReaderGone, BrokenPipeError):
        _die_of_sigpipe()
    except OSError as error:
        if error.filename is not None:
            _fail(f"{error.filename}: {error.strerror}", DataError.exit_code)
        if isinstance(error, FileNotFoundError):
            _fail("the current folder is gone: go to one that is there", DataError.exit_code)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the end of the program tries again
        _fail(f"the output cannot be written ({error.strerror})", 1)
    sys.exit(code)


def _die_of_sigpipe() -> NoReturn:
    """Whoever read the output has gone: end as every other program does, without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the end of the program tries again
    if hasattr(signal, "SIGPIPE"):  # Windows has none
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    sys.exit(141)


def _prepare_streams() -> None:
    """Make stdout and stderr take any text."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the caller closed it
            setattr(sys, name, io.TextIOWrapper(io.BytesIO(), "utf-8"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a character that the encoding lacks must not crash us


def _fail(message: str, code: int) -> NoReturn:
    one_line = printable(" ".join(message.split()))  # whatever a library, or a file name, put in
    print("Error:", one_line, file=sys.stderr)  # noqa: T201
    sys.exit(code)
