"""A trace as an SVG: the table as a coloured terminal shows it."""

from cnncli.reports.drawing import svg_of
from cnncli.reports.look import Look
from cnncli.reports.trace.table import print_trace
from cnncli.tracing.trace import Trace


def render(trace: Trace, look: Look) -> str:
    """The whole table."""
    return svg_of(lambda console: print_trace(console, trace, look))
