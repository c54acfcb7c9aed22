"""Where output goes: data to stdout, everything else to stderr; colour and width as the terminal has them."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table


def stdout() -> Console:
    """The console for data."""
    return Console(highlight=False, markup=False, emoji=False)


def stderr() -> Console:
    """The console for everything else."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_table(table: Table, console: Console | None = None) -> None:
    """Print a table on a console, or on stdout; where this is no terminal as wide as it needs: no path is cut."""
    console = console or stdout()
    if not console.is_terminal:
        console.width = max(
            console.width, console.measure(table, options=console.options.update(max_width=10_000)).maximum
        )
    console.print(table)


def write_text(text: str) -> None:
    """Write a text to stdout as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()  # while a closed pipe is still looked for


def print_json(document: Any) -> None:
    """Print exactly one JSON document."""
    escape = not sys.stdout.encoding.lower().startswith("utf")
    write_text(json_text(document, ensure_ascii=escape))


def json_text(document: Any, *, ensure_ascii: bool = False) -> str:
    """One JSON document; numbers that JSON lacks become "NaN", "Infinity" and "-Infinity"."""
    return json.dumps(_finite(document), ensure_ascii=ensure_ascii, allow_nan=False) + "\n"


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
