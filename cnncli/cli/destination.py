"""Where a view goes: to stdout, or into a file that is whole or not there; in which format."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cnncli.errors import DataError, UsageError
from cnncli.files import is_replaceable, write_atomically
from cnncli.reports.console import json_text, print_json, stdout, write_text
from cnncli.reports.drawing import Draw, Theme, svg_of, text_of
from cnncli.reports.trace.formats import FORMATS, Content
from cnncli.text import printable_lines

PAGE = "html"
SVG = "svg"
PNG = "png"  # the format of a picture, which only a view of its own draws
SUFFIXES = {each.suffix: name for name, each in FORMATS.items()} | {".png": PNG}


@dataclass(frozen=True)
class Destination:
    """The format and the file that were asked for."""

    format: str | None = None
    output: Path | None = None
    force: bool = False
    theme: Theme | None = None  # of an SVG
    option: str = "-o"  # which names the file

    def resolve(self, *possible: str) -> str:
        """The format: the one that was asked for, else that of the file's suffix, else the first of the possible ones.

        Raises UsageError for a suffix that stands for none or for another format than the one asked for, for a format
        in which this view does not come, and for a file that exists, before anything is worked out; and for leave to
        replace where no file is named.
        """
        chosen = self._choose(*possible) or possible[0]
        if chosen not in possible:
            raise UsageError(f"this view comes as {', '.join(possible)}, not as {chosen}")
        if self.output is None and chosen in FORMATS and FORMATS[chosen].needs_file:
            suffix = FORMATS[chosen].suffix
            raise UsageError(f"{chosen} is not for reading: name a file for it with -o FILE{suffix}")
        if self.theme is not None and chosen != SVG:
            raise UsageError(f"colours an {SVG}, not {chosen}: leave it out", argument="theme")
        if self.output is None and self.force:
            raise UsageError("--force has nothing to replace: name a file with -o, or leave it out")
        self._refuse_existing()
        return chosen

    def _refuse_existing(self) -> None:
        """Raise UsageError where the file is there already, and DataError where nobody can tell, or it is a folder."""
        if self.output is None:
            return
        if self.output.is_dir():
            raise DataError(f"{self.output} is a folder: name a file")
        try:
            there = is_replaceable(self.output)
        except OSError as error:
            raise self._cannot_write(error) from None
        if there and not self.force:
            raise UsageError(f"{self.output} exists: name another file, or replace it with --force")

    def _cannot_write(self, error: OSError) -> DataError:
        return DataError(f"{self.output} cannot be written ({error.strerror})")

    def as_page(self) -> "Destination":
        """The same for the page, in a temporary file where none is named.

        Raises UsageError for any other format.
        """
        chosen = self._choose(*FORMATS) or PAGE
        if chosen != PAGE:
            raise UsageError(
                f"opens a page, which is {PAGE}, not {chosen}: name its file with -o FILE.html", argument="open"
            )
        page = replace(self, format=PAGE)
        page.resolve(PAGE)
        return page if self.output else replace(page, output=Path(tempfile.mkdtemp(prefix="cnncli-")) / "trace.html")

    def _choose(self, *possible: str) -> str | None:
        """What the format or the file's suffix asks for, if there is either and they do not contradict each other."""
        if self.output is None:
            return self.format
        told = SUFFIXES.get(self.output.suffix.lower())
        if self.format and told not in (None, self.format):
            raise UsageError(f"{self.option} {self.output} means {told}, --format {self.format}: leave one out")
        if not (self.format or told):
            suffixes = [suffix for suffix, name in SUFFIXES.items() if name in possible]
            or_format = ", or name the format with --format" if self.option == "-o" else ""
            raise UsageError(
                f"{self.option} {self.output}: the suffix names no format: take one of {', '.join(suffixes)}{or_format}"
            )
        return self.format or told

    def deliver(self, content: Content) -> None:
        """Write the content to stdout or into the file. Raises DataError where the file cannot be written."""
        if self.output is None and isinstance(content, Mapping):
            print_json(content)
            return
        text = json_text(content) if isinstance(content, Mapping) else content
        if self.output is None:
            write_text(text if isinstance(text, str) else text.decode())
            return
        encoded = printable_lines(text).encode("utf-8") if isinstance(text, str) else text
        try:
            write_atomically(self.output, encoded, replace=self.force)
        except FileExistsError:
            raise UsageError(f"{self.output} exists: name another file, or replace it with --force") from None
        except OSError as error:
            raise self._cannot_write(error) from None

    def draw(self, draw: Draw, chosen: str) -> None:
        """What a function draws: on stdout, as text in a file, or as an SVG."""
        if chosen == SVG:
            self.deliver(svg_of(draw, self.theme or "light"))
        elif self.output is not None:
            self.deliver(text_of(draw))
        else:
            draw(stdout())
