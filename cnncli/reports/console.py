"""Where output goes: data to stdout, everything else to stderr; colour and width as the terminal has them.

Whatever is written passes through here, so that text from outside (names of files, of classes, of arrays) reaches no
terminal as it is: a control character in it is written as its escape code.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

from cnncli.errors import ReaderGone
from cnncli.text import printable_lines

PIECE = 1 << 16  # characters in one write: where Python does not buffer, the end of a longer one may get lost


class SafeConsole(Console):
    """A console that shows no control character but those of its own colours, and no markup."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As the library's, cleaned."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable() or segment.text == "\n":
                yield segment
            else:
                yield Segment(printable_lines(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Leave it to the program, which knows what to do."""
        raise ReaderGone


def stdout() -> Console:
    """The console for data."""
    return SafeConsole()


def stderr() -> Console:
    """The console for everything else."""
    return SafeConsole(stderr=True)


def print_table(table: Table, console: Console | None = None) -> None:
    """Print a table on a console, or on stdout; where this is no terminal as wide as it needs: no path is cut."""
    console = console or stdout()
    if not console.is_terminal:
        console.width = max(
            console.width, console.measure(table, options=console.options.update(max_width=10_000)).maximum
        )
    console.print(table)


def write_text(text: str) -> None:
    """Write a text to stdout as it is, but for control characters."""
    _write(printable_lines(text))


def print_json(document: Any) -> None:
    """Print exactly one JSON document."""
    escape = not sys.stdout.encoding.lower().startswith("utf")
    _write(json_text(document, ensure_ascii=escape))


def json_text(document: Any, *, ensure_ascii: bool = False) -> str:
    """One JSON document; numbers that JSON lacks become "NaN", "Infinity" and "-Infinity".

    What is no readable character (half of a pair, a control character) is written as its code.
    """
    text = json.dumps(_finite(document), ensure_ascii=ensure_ascii, allow_nan=False)
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
    return text + "\n"


def _write(text: str) -> None:
    try:
        for start in range(0, len(text), PIECE):
            sys.stdout.write(text[start : start + PIECE])
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
    return value
