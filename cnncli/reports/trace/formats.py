"""The formats of a trace, in one table: a new one is a file beside this one, named like it, and its line here.

The file has a function `render(trace, look)`. It is imported when it is asked for, so that no trace waits for a format
that it does not take.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnncli.reports.look import Look

if TYPE_CHECKING:
    from cnncli.tracing.trace import Trace

Content = str | bytes | Mapping[str, Any]  # text, the bytes of a file, or a JSON document


@dataclass(frozen=True)
class Format:
    """What is known of a format before it is rendered."""

    suffix: str
    for_people: bool  # else for other programs: every number at full precision
    needs_file: bool = False


FORMATS = {
    "table": Format(".txt", for_people=True),
    "json": Format(".json", for_people=False),
    "npz": Format(".npz", for_people=False, needs_file=True),
    "markdown": Format(".md", for_people=True),
    "html": Format(".html", for_people=True),
    "latex": Format(".tex", for_people=True),
    "csv": Format(".csv", for_people=False),
    "svg": Format(".svg", for_people=True),
}


def names(*, for_people: bool) -> list[str]:
    """The formats for people, or those for other programs."""
    return [name for name, each in FORMATS.items() if each.for_people == for_people]


def render(name: str, trace: "Trace", look: Look) -> Content:
    """The trace in the format of that name, as it goes into a file."""
    content: Content = import_module(f"{__package__}.{name}").render(trace, look)
    return content
