"""A trace as tables without scripts: what a page shows where they are off, and a narrowed trace as a document."""

from collections.abc import Callable, Iterator
from html import escape
from math import inf

from cnncli.network.record import Recorded
from cnncli.reports.grids import GAP, as_matrices, grid_parts, number_writer
from cnncli.reports.look import Look
from cnncli.reports.tints import largest_of
from cnncli.reports.trace.heading import header, sections, shape_text
from cnncli.reports.trace.mathml import mathml
from cnncli.text import capitalise, printable
from cnncli.tracing.trace import Trace

SHADES = 7  # of each sign in the style sheet
MOST_SHADED = 1000  # numbers of an array: the shades of more would weigh more than the numbers


def static_trace(trace: Trace, look: Look) -> str:
    """The header, and each value with its formula and its numbers, tinted by sign and size."""
    parts = [f"<h1>{escape('One image, forwards and backwards')}</h1>", f"<pre>{escape(header(trace).rstrip())}</pre>"]
    for heading, steps in sections(trace):
        parts.append(f"<h2>{escape(capitalise(heading))}</h2>")
        for step in steps:
            parts += _step(step, look)
    return '<div class="static">\n' + "\n".join(parts) + "\n</div>\n"


def _step(step: Recorded, look: Look) -> Iterator[str]:
    name = escape(printable(step.name))
    yield f'<h3 data-name="{name}">{mathml(step.name, step.formula)} <small>{shape_text(step.value.shape)}</small></h3>'
    array = as_matrices(step.value)
    parts = grid_parts(array, array.shape[-1] if look.full else 2 * look.edge + 1, look)
    write = number_writer(array, look.precision)
    largest = largest_of(array) if array.size <= MOST_SHADED else inf
    for index in parts.leading:
        caption = f"<caption>[{','.join(map(str, index))}]" if parts.number > 1 else ""
        rows = (
            "".join(
                f"<td>{GAP}" if row is None or column is None else _cell(array[index][row, column], write, largest)
                for column in parts.columns
            )
            for row in parts.rows
        )
        yield f"<table>{caption}" + "".join(f"<tr>{row}" for row in rows) + "</table>"
    if parts.number > len(parts.leading):
        yield f"<p>and {parts.number - len(parts.leading)} more like it</p>"


def _cell(value: float, write: Callable[[float], str], largest: float) -> str:
    """A number, with the class of its shade; end tags are left out, as HTML permits: there are many cells."""
    if value == 0 or value != value or largest == inf:
        return f"<td>{write(value)}"
    shade = min(1 + int(SHADES * abs(value) / largest), SHADES) if abs(value) < inf else SHADES
    return f"<td class={'p' if value > 0 else 'n'}{shade}>{write(value)}"
