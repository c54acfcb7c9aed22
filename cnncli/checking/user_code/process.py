"""The parent's side of the process in which somebody else's functions run."""

import ast
import pickle
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from cnncli.checking.user_code.contract import Argument
from cnncli.children import NOT_OURS, Child, ChildEnded
from cnncli.errors import DataError
from cnncli.network.arrays import Array

CHILD = "cnncli.checking.user_code.child"
PATIENCE = 3  # times the limit of computing that a function may take by the clock, and GRACE besides
GRACE = 20.0  # seconds
LOADING = 120.0  # seconds by the clock that the file's own imports may take


@dataclass(frozen=True)
class Answer:
    """What one call gave: a report, and the arrays by their keys."""

    report: Mapping[str, Any]
    arrays: Mapping[str, Array]


class UserProcess:
    """A file, loaded in a process of its own. Raises DataError where it cannot be run.

    With a `text` that stands in the place of the file's, and then nothing outside of the process can be changed.
    Imports and whatever else the file does when it is loaded have no part in the limit, which is one of computing:
    so many seconds for all calls of one function.
    """

    def __init__(self, path: Path, seconds: float, text: str = "") -> None:
        self._patience = seconds if text else PATIENCE * seconds + GRACE
        self._number = secrets.token_bytes(16)
        self._child = Child(CHILD, str(path.resolve()), str(seconds))
        try:
            self._child.send(self._number, text.encode())
            loaded = self._receive(LOADING)[0]
        except ChildEnded as ended:
            self.stop()
            raise DataError(f"{path} cannot be run: the process {ended}") from None
        if "error" in loaded:
            self.stop()
            raise DataError(f"{path} cannot be run: {tell_error(loaded['error'])}")
        self.functions: Mapping[str, Sequence[str]] = loaded["functions"]
        self.lines: Mapping[str, int] = loaded["lines"]  # of the functions that the file itself defines
        self.constants: Mapping[str, Any] = loaded["constants"]

    def call(self, name: str, arguments: Sequence[Argument], options: Mapping[str, Argument], used: float) -> Answer:
        """Call a function that has computed for `used` seconds already. Raises ChildEnded."""
        self._child.send(pickle.dumps((name, list(arguments), dict(options), used)))
        report, content = self._receive(self._patience)
        return Answer(report, _cut(report.get("parts", ()), content))

    def stop(self) -> None:
        """End it, and whatever it started."""
        self._child.stop()

    def _receive(self, seconds: float) -> tuple[dict[str, Any], bytes]:
        """One answer; a process that keeps silent for so long is stopped. Raises ChildEnded."""
        with self._child.limit_waiting(seconds):
            number, report, content = (self._child.receive() for _ in range(3))
        if number != self._number:
            raise ChildEnded(NOT_OURS)
        document: dict[str, Any] = ast.literal_eval(report.decode("utf-8"))
        return document, content


def tell_error(error: Mapping[str, Any]) -> str:
    """An exception in a line: what, where, and its text."""
    line = f" in {error['line']}" if error["line"] else ""
    return f"{error['type']}{line}" + (f": {error['message']}" if error["message"] else "")


def _cut(parts: Sequence[tuple[str, str, tuple[int, ...] | None]], content: bytes) -> dict[str, Array]:
    """The arrays of an answer, one after another."""
    arrays, start = {}, 0
    for key, dtype, shape in parts:
        if shape is not None:
            count = prod(shape)
            arrays[key] = np.frombuffer(content, np.dtype(dtype), count, start).reshape(shape)
            start += count * np.dtype(dtype).itemsize
    return arrays
