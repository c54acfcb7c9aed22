"""A trace as Markdown that GitHub renders."""

from collections.abc import Iterator

from cnncli.reports.grids import GAP, Parts
from cnncli.reports.look import Look
from cnncli.reports.trace.heading import header, sections, shape_text
from cnncli.reports.trace.matrices import Cells, in_blocks
from cnncli.reports.trace.tex import tex
from cnncli.text import capitalise
from cnncli.tracing.trace import Trace

SIGNS = frozenset("\\`*_{}[]<>()#+-.!|$~&")


def render(trace: Trace, look: Look) -> str:
    """The formulas as $…$, the numbers as tables with their indices."""
    lines = ["# Trace", ""]
    lines += [f"- {escape_markdown(line)}" for line in header(trace).splitlines()]
    for heading, steps in sections(trace):
        lines += ["", f"## {capitalise(heading)}"]
        for step in steps:
            formula = f" = {tex(step.formula)}" if step.formula else ""
            lines += ["", f"**{step.name}**, {shape_text(step.value.shape)}: ${tex(step.name)}{formula}$"]
            lines += in_blocks(step.value, look, _table)
    return "\n".join(lines) + "\n"


def _table(label: str, cells: Cells, parts: Parts) -> Iterator[str]:
    """A table whose head and first column are the indices."""
    yield ""
    yield f"| {label} | {' | '.join(GAP if column is None else str(column) for column in parts.columns)} |"
    yield "| ---: |" + " ---: |" * len(parts.columns)
    for row, line in zip(parts.rows, cells, strict=True):
        yield f"| **{GAP if row is None else row}** | {' | '.join(cell or GAP for cell in line)} |"


def escape_markdown(text: str) -> str:
    """Text from outside, of which Markdown reads nothing."""
    return "".join("\\" + sign if sign in SIGNS else sign for sign in text)
