"""A trace as HTML: one document of its own, or the part of it that a notebook shows."""

from collections.abc import Callable, Iterator
from html import escape

import numpy as np

from cnncli.network.record import Recorded
from cnncli.reports.grids import GAP, as_matrices, grid_parts, number_writer
from cnncli.reports.look import Look
from cnncli.reports.tints import largest_of, tints
from cnncli.reports.trace.heading import header, sections, shape_text
from cnncli.text import printable
from cnncli.tracing.trace import Trace

# Every rule begins with the class, so that nothing around the trace is touched.
STYLE = """
.cnncli-trace { font: 14px/1.4 system-ui, sans-serif; }
.cnncli-trace table { border-collapse: collapse; display: inline-table; margin: 0 1em 1em 0; }
.cnncli-trace td { padding: 1px 8px; text-align: right; font-variant-numeric: tabular-nums; color: #000; }
.cnncli-trace caption { text-align: left; color: #666; }
.cnncli-trace h4 { margin: .8em 0 .2em; }
""".strip()


def render(trace: Trace, look: Look) -> str:
    """The whole document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>cnncli trace</title>\n</head>\n'
        f"<body>\n{render_fragment(trace, look)}</body>\n</html>\n"
    )


def render_fragment(trace: Trace, look: Look) -> str:
    """The header, and each value with its formula and its numbers, tinted by sign and size."""
    parts = [f"<style>{STYLE}</style>", f"<pre>{escape(header(trace).rstrip())}</pre>"]
    for heading, steps in sections(trace):
        parts.append(f"<h3>{escape(heading)}</h3>")
        for step in steps:
            parts += _step(step, look)
    return '<div class="cnncli-trace">\n' + "\n".join(parts) + "\n</div>\n"


def _step(step: Recorded, look: Look) -> Iterator[str]:
    formula = f" = {step.formula}" if step.formula else ""
    yield f"<h4>{escape(printable(step.name + formula))} &nbsp; {shape_text(step.value.shape)}</h4>"
    array = as_matrices(step.value)
    parts = grid_parts(array, array.shape[-1] if look.full else 2 * look.edge + 1, look)
    write, largest = number_writer(array, look.precision), largest_of(array)
    for index in parts.leading:
        caption = f"<caption>[{','.join(map(str, index))}]</caption>" if parts.number > 1 else ""
        rows = (
            "".join(
                f"<td>{GAP}</td>" if row is None or column is None else _cell(array[index][row, column], write, largest)
                for column in parts.columns
            )
            for row in parts.rows
        )
        yield f"<table>{caption}" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    if parts.number > len(parts.leading):
        yield f"<p>and {parts.number - len(parts.leading)} more like it</p>"


def _cell(value: float, write: Callable[[float], str], largest: float) -> str:
    colour = "".join(f"{part:02x}" for part in tints(np.array(value), largest))
    return f'<td style="background:#{colour}">{write(value)}</td>'
