"""What is drawn on a console, as text or as an SVG of the coloured terminal."""

import io
from collections.abc import Callable

from rich.console import Console

from cnncli.reports.console import SafeConsole

Draw = Callable[[Console], None]

FILE_WIDTH = 100  # columns of what goes into a file


def text_of(draw: Draw) -> str:
    """What a function draws, as plain text."""
    lines = _take_recorded(draw, coloured=False).export_text().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def svg_of(draw: Draw) -> str:
    """What a function draws, as an SVG."""
    return _take_recorded(draw, coloured=True).export_svg(title="cnncli trace")


def _take_recorded(draw: Draw, *, coloured: bool) -> Console:
    console = SafeConsole(
        file=io.StringIO(),
        width=FILE_WIDTH,
        record=True,
        force_terminal=coloured,
        color_system="truecolor" if coloured else None,
    )
    draw(console)
    return console
