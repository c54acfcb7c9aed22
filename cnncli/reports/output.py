"""Where a view goes: to stdout, or into a file that is whole or not there; in which format."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from cnncli.errors import DataError, UsageError
from cnncli.files import write_atomically
from cnncli.reports.console import json_text, print_json, stdout

SUFFIXES = {
    ".txt": "table",
    ".json": "json",
    ".npz": "npz",
    ".md": "markdown",
    ".tex": "latex",
    ".csv": "csv",
    ".svg": "svg",
    ".png": "png",
}
FILE_WIDTH = 100  # columns of a table that goes into a file


@dataclass(frozen=True)
class Destination:
    """The format and the file that were asked for."""

    format: str | None = None
    output: Path | None = None
    force: bool = False

    def resolve(self, *possible: str) -> str:
        """The format: the one that was asked for, else that of the file's suffix, else the first of the possible ones.

        Raises UsageError for a suffix that stands for none, for a format in which this view does not come, and for a
        file that exists, before anything is worked out.
        """
        chosen = self.format or self._of_suffix() or possible[0]
        if chosen not in possible:
            raise UsageError(f"this view comes as {', '.join(possible)}, not as {chosen}")
        if chosen == "npz" and self.output is None:
            raise UsageError("npz is not for reading: name a file for it with -o FILE.npz")
        if self.output is not None and self.output.exists() and not self.force:
            raise UsageError(f"{self.output} exists: name another file, or replace it with --force")
        return chosen

    def _of_suffix(self) -> str | None:
        if self.output is None:
            return None
        suffix = self.output.suffix.lower()
        if suffix not in SUFFIXES:
            raise UsageError(
                f"-o {self.output}: the suffix names no format ({', '.join(SUFFIXES)}); name one with --format"
            )
        return SUFFIXES[suffix]

    def deliver(self, content: str | bytes) -> None:
        """Write the content to stdout or into the file. Raises DataError where the file cannot be written."""
        if self.output is None:
            sys.stdout.write(content if isinstance(content, str) else content.decode())
            sys.stdout.flush()  # while a closed pipe is still looked for
            return
        try:
            write_atomically(self.output, content.encode("utf-8") if isinstance(content, str) else content)
        except OSError as error:
            raise DataError(f"{self.output} cannot be written ({error.strerror})") from None

    def deliver_json(self, document: object) -> None:
        """Exactly one JSON document, in UTF-8 in a file, in what stdout can take otherwise. Raises DataError."""
        if self.output is None:
            print_json(document)
        else:
            self.deliver(json_text(document))

    def draw(self, draw: Callable[[Console], None], chosen: str) -> None:
        """What a function prints: as text to stdout or into a file, or as an SVG of the coloured terminal."""
        if chosen == "table" and self.output is None:
            draw(stdout())
            return
        colour: Literal["truecolor"] | None = "truecolor" if chosen == "svg" else None
        console = Console(
            file=io.StringIO(),
            width=FILE_WIDTH,
            record=True,
            highlight=False,
            markup=False,
            emoji=False,
            force_terminal=chosen == "svg",
            color_system=colour,
        )
        draw(console)
        if chosen == "svg":
            self.deliver(console.export_svg(title="cnncli trace"))
        else:
            self.deliver("".join(f"{line.rstrip()}\n" for line in console.export_text().splitlines()))
