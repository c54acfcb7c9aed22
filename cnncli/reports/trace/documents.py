"""A trace as a document: Markdown that GitHub renders, and LaTeX that needs amsmath alone."""

from collections.abc import Callable, Iterator

from cnncli.network.arrays import Array
from cnncli.network.record import Recorded
from cnncli.reports.grids import GAP, Look, Parts, as_matrices, grid_parts, number_writer
from cnncli.reports.trace.table import HEADINGS, header, shape_text
from cnncli.reports.trace.tex import tex
from cnncli.tracing.trace import Trace

PREAMBLE = r"""\documentclass{article}
\usepackage{amsmath}
\setcounter{MaxMatrixCols}{%d}
\setlength{\parindent}{0pt}
\allowdisplaybreaks
\begin{document}
"""
ESCAPED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    sign: "\\" + sign for sign in "&%$#_{}"
}
NOT_ASCII = {"×": r"$\times$", "−": "$-$"}
MARKDOWN_SIGNS = frozenset("\\`*_{}[]<>()#+-.!|$~&")


def trace_markdown(trace: Trace, look: Look) -> str:
    """The trace in Markdown: the formulas as $…$, the numbers as tables with their indices."""
    lines = ["# Trace", ""]
    lines += [f"- {_markdown_text(line)}" for line in header(trace).splitlines()]
    for kind, steps in _by_kind(trace):
        lines += ["", f"## {HEADINGS[kind].capitalize()}"]
        for step in steps:
            formula = f" = {tex(step.formula)}" if step.formula else ""
            lines += ["", f"**{step.name}**, {shape_text(step.value.shape)}: ${tex(step.name)}{formula}$"]
            lines += _in_parts(step.value, look, _markdown_table)
    return "\n".join(lines) + "\n"


def trace_latex(trace: Trace, look: Look) -> str:
    """The trace as a LaTeX document of its own: the formulas and the numbers as display mathematics."""
    lines = [r"\section*{Trace}"]
    lines += [_latex_text(line) + r"\\" for line in header(trace).splitlines()]
    for kind, steps in _by_kind(trace):
        lines += ["", rf"\subsection*{{{HEADINGS[kind].capitalize()}}}"]
        for step in steps:
            formula = f" = {tex(step.formula)}" if step.formula else ""
            lines += ["", rf"\[ {tex(step.name)}{formula} \quad \text{{{shape_text(step.value.shape)}}} \]"]
            lines += _in_parts(step.value, look, _latex_matrix)
    widest: int = max(as_matrices(step.value).shape[-1] for step in trace.steps)
    return PREAMBLE % (widest + 1) + "\n".join(lines) + "\n\\end{document}\n"


def _by_kind(trace: Trace) -> Iterator[tuple[str, list[Recorded]]]:
    for kind in HEADINGS:
        steps = [step for step in trace.steps if step.kind == kind]
        if steps:
            yield kind, steps


Cells = list[list[str | None]]  # the written numbers; None for a gap
Block = Callable[[str, Cells, Parts], Iterator[str]]


def _in_parts(values: Array, look: Look, block: Block) -> Iterator[str]:
    """Each matrix of an array, and how many are left out."""
    array = as_matrices(values)
    parts = grid_parts(array, array.shape[-1] if look.full else 2 * look.edge + 1, look)
    write = number_writer(array, look.precision)
    for index in parts.leading:
        label = f"[{','.join(map(str, index))}]" if parts.number > 1 else ""
        matrix = array[index]
        cells = [
            [None if row is None or column is None else write(matrix[row, column]) for column in parts.columns]
            for row in parts.rows
        ]
        yield from block(label, cells, parts)
    if parts.number > len(parts.leading):
        yield f"\nand {parts.number - len(parts.leading)} more like it"


def _markdown_table(label: str, cells: Cells, parts: Parts) -> Iterator[str]:
    """A table whose head and first column are the indices."""
    yield ""
    yield f"| {label} | {' | '.join(GAP if column is None else str(column) for column in parts.columns)} |"
    yield "| ---: |" + " ---: |" * len(parts.columns)
    for row, line in zip(parts.rows, cells, strict=True):
        yield f"| **{GAP if row is None else row}** | {' | '.join(cell or GAP for cell in line)} |"


def _latex_matrix(label: str, cells: Cells, _: Parts) -> Iterator[str]:
    yield rf"\[ {label} \begin{{pmatrix}}" if label else r"\[ \begin{pmatrix}"
    for line in cells:
        yield " & ".join(r"\cdots" if cell is None else _tex_number(cell) for cell in line) + r" \\"
    yield r"\end{pmatrix} \]"


def _tex_number(written: str) -> str:
    digits, e, exponent = written.partition("e")
    if e:
        return rf"{digits} \cdot 10^{{{int(exponent)}}}"
    return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\text{NaN}"}.get(written, written)


def _markdown_text(text: str) -> str:
    """Text from outside, of which Markdown reads nothing."""
    return "".join("\\" + sign if sign in MARKDOWN_SIGNS else sign for sign in text)


def _latex_text(text: str) -> str:
    """Text from outside, of which LaTeX reads nothing; pdflatex knows few signs beyond ASCII."""
    return "".join(
        ESCAPED.get(sign, sign) if sign.isascii() else NOT_ASCII.get(sign, f"U+{ord(sign):04X}") for sign in text
    )
