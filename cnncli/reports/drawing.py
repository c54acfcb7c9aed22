"""What is drawn on a console, as text or as an SVG of the coloured terminal."""

import io
from collections.abc import Callable
from typing import Literal, get_args

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME

from cnncli.reports.console import SafeConsole

Draw = Callable[[Console], None]
Theme = Literal["light", "dark"]

FILE_WIDTH = 100  # columns of what goes into a file
THEMES = dict(zip(get_args(Theme), (DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME), strict=True))
# Rich's own form draws a window around the text and asks a server for its font.
FORM = """<svg class="cnncli" viewBox="-8 -4 {{terminal_width}} {{terminal_height}}" xmlns="http://www.w3.org/2000/svg">
<style>
.{{unique_id}}-matrix {{{{
  font: {{char_height}}px/{{line_height}}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}}}}
{{styles}}
</style>
<defs>
{{lines}}
</defs>
<rect x="-8" y="-4" width="100%" height="100%" fill="{background}"/>
{{backgrounds}}
<g class="{{unique_id}}-matrix">
{{matrix}}
</g>
</svg>
"""


def text_of(draw: Draw) -> str:
    """What a function draws, as plain text."""
    lines = _take_recorded(draw, FILE_WIDTH, coloured=False).export_text().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def svg_of(draw: Draw, theme: Theme = "light") -> str:
    """What a function draws, as an SVG as wide as its longest line, on a light or a dark ground."""
    width = max(FILE_WIDTH, *map(len, text_of(draw).splitlines())) + 2  # columns of margin
    form = FORM.format(background=THEMES[theme].background_color.hex)
    recorded = _take_recorded(draw, width, coloured=True)
    return recorded.export_svg(title="", theme=THEMES[theme], code_format=form)


def _take_recorded(draw: Draw, width: int, *, coloured: bool) -> Console:
    console = SafeConsole(
        file=io.StringIO(),
        width=width,
        record=True,
        force_terminal=coloured,
        color_system="truecolor" if coloured else None,
    )
    draw(console)
    return console
