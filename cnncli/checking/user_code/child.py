"""The process in which somebody else's functions run: main(FILE, FOLDER, SECONDS[, FUNCTION]).

Without FUNCTION it writes the names of the functions that FILE defines. With it, it calls that one with the arguments
of every case in FOLDER (in0.npz, in1.npz, …) and writes beside them what came out (out0.json and out0.npz, …).
"""

import contextlib
import faulthandler
import importlib.util
import inspect
import io
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cnncli.children import leave_pipes

TIME_FILE = "time.txt"


class Printed(io.TextIOBase):
    """Stands for stdout: keeps nothing of what is printed but the line that printed first."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.line: int | None = None

    def write(self, text: str) -> int:
        """Note the line of the file that this came from."""
        frame = sys._getframe()
        while frame is not None and self.line is None:
            if frame.f_code.co_filename == self._file:
                self.line = frame.f_lineno
            if frame.f_back is None:
                break
            frame = frame.f_back
        return len(text)


def main(file: str, answers: str, seconds: str, function: str | None = None) -> None:
    """Load the file and call one of its functions, or list them."""
    leave_pipes()
    folder = Path(answers)
    with (folder / TIME_FILE).open("w") as late, contextlib.redirect_stdout(Printed(file)) as printed:
        faulthandler.dump_traceback_later(float(seconds), exit=True, file=late)
        try:
            module = _load(file)
        except BaseException as error:  # noqa: BLE001  whatever a person's code raises is reported
            _write(folder / "loaded.json", {"error": _describe(error, file, None)})
            return
        functions = {name: _argument_names(value) for name, value in vars(module).items() if callable(value)}
        _write(folder / "loaded.json", {"functions": functions, "printed": printed.line})
        if function:
            _call_all(getattr(module, function), folder, file, printed)


def _load(file: str) -> ModuleType:
    sys.path.append(str(Path(file).parent))  # behind all else: a json.py beside it is not Python's
    spec = importlib.util.spec_from_file_location("user_code", file)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


def _call_all(function: Callable[..., Any], folder: Path, file: str, printed: Printed) -> None:
    number = 0
    while (given := folder / f"in{number}.npz").exists():
        arguments, options = _arguments(given)
        kept = [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in arguments]
        report: dict[str, Any] = {}
        try:
            answer = function(*arguments, **options)
        except BaseException as error:  # noqa: BLE001
            report["error"] = _describe(error, file, function)
        else:
            report |= _keep(answer, folder / f"out{number}.npz")
        report["changed"] = [
            index
            for index, (now, before) in enumerate(zip(arguments, kept, strict=True))
            if isinstance(before, np.ndarray) and not (now.shape == before.shape and np.array_equal(now, before))
        ]
        report["printed"] = printed.line
        _write(folder / f"out{number}.json", report)
        number += 1


def _arguments(path: Path) -> tuple[list[Any], dict[str, Any]]:
    """What goes by position, under numbers, and what goes by name."""
    convert: dict[str, Callable[[Any], Any]] = {
        "array": lambda value: value,
        "int": int,
        "tuple": lambda value: tuple(value.tolist()),
    }
    positional, named = [], {}
    with np.load(path) as content:
        for key in content.files:
            name, _, kind = key.rpartition("_")
            value = convert[kind](content[key])
            if name.isdigit():
                positional.append(value)
            else:
                named[name] = value
    return positional, named


def _argument_names(function: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments, as far as it tells them."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _keep(answer: Any, path: Path) -> dict[str, Any]:
    """Save the arrays of an answer, and describe what it is made of."""
    if isinstance(answer, dict):
        keys, values = [str(key) for key in answer], list(answer.values())
    else:
        values = list(answer) if isinstance(answer, tuple | list) else [answer]
        keys = [str(index) for index in range(len(values))]
    arrays: dict[str, Any] = {}
    types = {}
    for key, value in zip(keys, values, strict=True):
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiubc":
            arrays[key] = np.asarray(value)
            types[key] = str(value.dtype)
        else:
            types[key] = type(value).__name__
    np.savez(path, **arrays)
    return {"types": types, "dict": isinstance(answer, dict)}


def _describe(error: BaseException, file: str, function: Callable[..., Any] | None) -> dict[str, Any]:
    """What went wrong and in which line of the file: the innermost of its lines, or that of the function's def."""
    if isinstance(error, SyntaxError) and error.filename == file:
        line = error.lineno
    else:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        code = getattr(function, "__code__", None)
        line = lines[-1] if lines else code.co_firstlineno if code else None
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return {"type": type(error).__name__, "message": message.splitlines()[0] if message else "", "line": line}


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")
