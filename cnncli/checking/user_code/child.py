"""The process in which somebody else's functions run: one for a file, and another after one that ended it.

It answers on a pipe of its own, which it takes before it runs a line of the file, in a form that needs nothing that the
file could have changed: the repr of plain values, and the bytes of arrays. The parent checks a number that it drew.
"""

import contextlib
import inspect
import io
import os
import pickle
import signal
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from dis import opmap
from importlib import util
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import IO, Any

import numpy as np

from cnncli.checking.user_code.harmless import limit_memory, refuse_effects
from cnncli.children import read_message, write_message

CONSTANTS = ("LAYOUT", "KERNEL", "DENSE", "BIAS")
UNWRITTEN = (NotImplementedError,)
REFUSING = (NotImplementedError, ValueError, AssertionError, TypeError)
INSTALLED = [str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
FOREIGN = (*INSTALLED, str(Path(__file__).resolve().parents[2]))
array_equal, asarray = np.array_equal, np.asarray
extract, opcode = traceback.walk_tb, opmap["RAISE_VARARGS"]


class TooLong(BaseException):
    """A function has computed for longer than it may."""


class Printed(io.TextIOBase):
    """Stands for stdout: keeps nothing of what is printed but the line that printed first, in each call."""

    def __init__(self) -> None:
        self.line: str | None = None

    def write(self, text: str) -> int:
        """Note the line of the user's own code that this came from."""
        frame: FrameType | None = sys._getframe()
        while frame is not None and self.line is None:
            if _is_own(frame.f_code.co_filename):
                self.line = _name_line(frame.f_code.co_filename, frame.f_lineno)
            frame = frame.f_back
        return len(text)


def main(file: str, seconds: str) -> None:
    """Load the file, tell what it defines, then call what is asked for until stdin ends."""
    asked, answers = take_pipes()
    number, text = read_message(asked), read_message(asked)
    if text:
        refuse_effects()
    printed = Printed()
    Printed.file = file  # type: ignore[attr-defined]
    with contextlib.redirect_stdout(printed):
        try:
            module = load_file(file, text)
            if text:
                limit_memory()
            loaded = _tell_contents(module)
        except BaseException as error:  # noqa: BLE001  whatever a person's code raises is reported
            loaded = {"error": _describe(error, None)}
            module = ModuleType("nothing")
        _answer(answers, number, loaded | {"printed": printed.line}, [])
        kept: list[tuple[Any, Any]] = []
        while (message := read_message(asked)) is not None:
            name, arguments, options, wall = pickle.loads(message)  # noqa: S301  the parent's own
            function, printed.line = getattr(module, name), None
            report, arrays = _call(function, arguments, options, float(seconds) - wall, kept)
            _answer(answers, number, report | {"printed": printed.line}, arrays)


def take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the parent under numbers of their own; whatever the file prints goes nowhere."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return asked, answers


def load_file(file: str, text: bytes | None = b"") -> ModuleType:
    """The file as a module; of `text`, if there is one, as if that stood in it."""
    sys.path.append(str(Path(file).parent))  # behind all else: a json.py beside it is not Python's
    spec = util.spec_from_file_location("user_code", file)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = util.module_from_spec(spec)
    sys.modules["user_code"] = module
    sys.dont_write_bytecode = True
    if text:
        exec(compile(text.decode(), file, "exec", dont_inherit=True), vars(module))  # noqa: S102  a str has no encoding
    else:
        spec.loader.exec_module(module)
    return module


def _tell_contents(module: ModuleType) -> dict[str, Any]:
    """Its functions with the names of their arguments, and the constants of the contract."""
    functions = {name: _argument_names(value) for name, value in vars(module).items() if callable(value)}
    lines = {name: value.__code__.co_firstlineno for name, value in vars(module).items() if _is_of_file(value)}
    constants = {name: getattr(module, name) for name in CONSTANTS if hasattr(module, name)}
    return {"functions": functions, "lines": lines, "constants": constants}


def _is_of_file(value: Any) -> bool:
    """Whether something is a function that the file itself defines."""
    return inspect.isfunction(value) and value.__module__ == "user_code"


def _argument_names(function: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments, as far as it tells them."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _call(
    function: Callable[..., Any], arguments: list[Any], options: dict[str, Any], seconds: float, kept: list[Any]
) -> tuple[dict[str, Any], list[Any]]:
    """Call it and tell what came out, and what became of its arguments and of its earlier answers."""
    before = pickle.dumps(arguments)
    report: dict[str, Any] = {}
    arrays: list[Any] = []
    start = _computed()
    try:
        with limit_computing(seconds):
            answer = function(*arguments, **options)
    except BaseException as error:  # noqa: BLE001
        report["error"] = _describe(error, function)
    else:
        arrays, shape = take_apart(answer)
        report |= shape
    report["seconds"] = _computed() - start
    unchanged = pickle.loads(before)  # noqa: S301  our own
    report["changed"] = [i for i, pair in enumerate(zip(arguments, unchanged, strict=True)) if _differ(*pair)]
    report["overwritten"] = any(not array_equal(now, copy, equal_nan=now.dtype.kind in "fc") for now, copy in kept)
    kept[:] = [(array, array.copy()) for array in arrays[:4]]
    return report, arrays


def _computed() -> float:
    return os.times().user + os.times().system


@contextlib.contextmanager
def limit_computing(seconds: float) -> Iterator[None]:
    """Raise TooLong in what runs after so many seconds of computing; where there is no such timer, never."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGPROF, _raise_too_long)
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 0.01), 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _raise_too_long(_number: int, _frame: FrameType | None) -> None:
    raise TooLong


def _differ(now: Any, before: Any) -> bool:
    if isinstance(before, dict):
        return any(_differ(now.get(name), value) for name, value in before.items())
    return isinstance(before, np.ndarray) and not (now.shape == before.shape and array_equal(now, before))


def take_apart(answer: Any) -> tuple[list[Any], dict[str, Any]]:
    """The arrays of an answer, and what it is made of."""
    if isinstance(answer, dict):
        keys, values = [str(key) for key in answer], list(answer.values())
    else:
        values = list(answer) if isinstance(answer, tuple | list) else [answer]
        keys = [str(index) for index in range(len(values))]
    arrays: list[Any] = []
    parts: list[tuple[str, str, tuple[int, ...] | None]] = []
    for key, value in zip(keys, values, strict=True):
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiubc":
            arrays.append(asarray(value))
            parts.append((key, str(arrays[-1].dtype), arrays[-1].shape))
        else:
            parts.append((key, type(value).__name__, None))
    return arrays, {"parts": parts, "dict": isinstance(answer, dict)}


def _describe(error: BaseException, function: Callable[..., Any] | None) -> dict[str, Any]:
    """What went wrong and in which line of the user's own code: the innermost, or that of the function's def."""
    if isinstance(error, SyntaxError) and error.filename and _is_own(error.filename):
        line: str | None = _name_line(error.filename, error.lineno or 1)
    else:
        frames = [
            (frame, number) for frame, number in extract(error.__traceback__) if _is_own(frame.f_code.co_filename)
        ]
        code = getattr(function, "__code__", None)
        line = _name_line(frames[-1][0].f_code.co_filename, frames[-1][1]) if frames else None
        if line is None and code:
            line = _name_line(code.co_filename, code.co_firstlineno)
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return {
        "type": type(error).__name__,
        "message": message.splitlines()[0] if message else "",
        "line": line,
        "too_long": isinstance(error, TooLong),
        "unwritten": isinstance(error, UNWRITTEN),
        "refused": isinstance(error, REFUSING) and _is_raised_on_purpose(error.__traceback__),
    }


def _is_raised_on_purpose(trace: TracebackType | None) -> bool:
    """Whether a raise or an assert of the user's own code raised it, and not something that it called."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not _is_own(trace.tb_frame.f_code.co_filename):
        return False
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == opcode


def _is_own(file: str) -> bool:
    """Whether a file is the user's, and not a library's."""
    path = Path(file).resolve()
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return not file.startswith("<") and not installed and not str(path).startswith(FOREIGN)


def _name_line(file: str, number: int) -> str:
    """A line of the file itself by its number, one of another file with its name."""
    own = Path(file).resolve() == Path(str(getattr(Printed, "file", ""))).resolve()
    return f"line {number}" if own else f"line {number} of {Path(file).name}"


def _answer(pipe: IO[bytes], number: bytes | None, report: dict[str, Any], arrays: list[Any]) -> None:
    """The number that the parent drew, the report, and the arrays one after another."""
    write_message(pipe, number or b"")
    write_message(pipe, repr(report).encode("utf-8", "backslashreplace"))
    write_message(pipe, b"".join(array.astype(array.dtype.newbyteorder("=")).tobytes() for array in arrays))
