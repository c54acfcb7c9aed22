"""The formats of an exported model, by suffix: a new one is a file beside this one and its line here.

The module is a Format. It is imported when it is asked for, so that no export waits for a library that it does not use.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cnncli.errors import UsageError

if TYPE_CHECKING:
    from cnncli.exporting.checks import Checks
    from cnncli.model import Model
    from cnncli.network.arrays import Array

SUFFIXES = {".onnx": "onnx", ".py": "script", ".html": "page"}


class Format(Protocol):
    """What the module of a format offers."""

    WRITTEN: str  # what was written, in a few words
    CHECKED_BY: str  # what gave the probabilities of `answer`

    def render(self, model: "Model", checks: "Checks") -> bytes:
        """The content of the file. Raises UsageError where the format lacks a step of the network, or a library."""

    def answer(self, content: bytes, checks: "Checks") -> "Array | None":
        """The probabilities (m, classes) of the images of the checks; None where nothing here can run the content."""


def format_of(path: Path) -> Format:
    """The format that a suffix stands for. Raises UsageError for a suffix that stands for none."""
    name = SUFFIXES.get(path.suffix.lower())
    if name is None:
        raise UsageError(f"{path}: the suffix names no format of a model; there are {', '.join(SUFFIXES)}")
    module: Format = import_module(f"{__package__}.{name}")
    return module
