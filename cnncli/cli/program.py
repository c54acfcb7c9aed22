"""The program: run the command of sys.argv, and turn an error that a person can cause into one sentence."""

import io
import os
import signal
import sys
import warnings
from traceback import format_exception
from typing import NoReturn

import typer

from cnncli.cli.app import app
from cnncli.cli.flags import flag
from cnncli.cli.signals import stop_cleanly
from cnncli.distributed.communicator import Communicator
from cnncli.distributed.launch import join_world, speak, world
from cnncli.errors import CnncliError, DataError, ReaderGone, Stopped
from cnncli.text import printable

SHARED = (["train"], ["evaluate"], ["predict"], ["info"])  # commands in which several ranks take part


def run() -> None:
    """Run the command of sys.argv; an error that a person can cause becomes one sentence and its exit code."""
    try:
        outcome = _run_command()
    except Exception as error:  # nobody foresaw it
        if world().size == 1:
            raise
        speak()
        sys.stderr.write("".join(format_exception(error)))  # in one piece, and before rank 0 tells in which rank
        world().conclude(f"{type(error).__name__}: {error}", 1)
        sys.exit(1)
    _conclude(*outcome)


def _run_command() -> tuple[str | None, int]:
    """The sentence, if any, and the exit code."""
    _prepare_streams()
    warnings.filterwarnings("ignore", module="PIL")  # a file that is not as it should be is decoded or refused
    try:
        with stop_cleanly():
            code: int = app(prog_name="cnncli", standalone_mode=False) if _takes_part(join_world()) else 0
        sys.stdout.flush()
    except CnncliError as error:
        return error.phrase(flag), error.exit_code
    except Stopped as error:
        return error.phrase(flag), error.exit_code
    except typer.TyperException as error:
        return error.format_message().replace("Value error, ", ""), error.exit_code
    except MemoryError:
        return "the memory does not suffice: use smaller images, fewer filters or a smaller batch", 1
    except (ReaderGone, BrokenPipeError):
        _die_of_sigpipe()
    except OSError as error:
        if error.filename is not None:
            return f"{error.filename}: {error.strerror}", DataError.exit_code
        if isinstance(error, FileNotFoundError):
            return "the current folder is gone: go to one that is there", DataError.exit_code
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the end of the program tries again
        return f"the output cannot be written ({error.strerror})", 1
    return None, code


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


def _takes_part(ranks: Communicator) -> bool:
    """Whether this process runs the command: of several ranks all do where they can share the work, else the first."""
    return ranks.leads or sys.argv[1:2] in SHARED


def _conclude(sentence: str | None, code: int) -> NoReturn:
    """Exit, with the sentence of an error; of several ranks all with the same, when the last one is done."""
    one_line = None if sentence is None else printable(" ".join(sentence.split()))  # whatever a file name put in
    told, code = world().conclude(one_line, code)
    if told is not None:
        print("Error:", told, file=sys.stderr)  # noqa: T201
    sys.exit(code)
