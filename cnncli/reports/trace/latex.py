"""A trace as a LaTeX document of its own, which needs amsmath alone."""

from collections.abc import Iterator

from cnncli.reports.grids import Parts, as_matrices
from cnncli.reports.look import Look
from cnncli.reports.trace.heading import header, sections, shape_text
from cnncli.reports.trace.matrices import Cells, in_blocks
from cnncli.reports.trace.tex import tex
from cnncli.text import capitalise
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
NOT_ASCII = {"×": r"$\times$", "−": "$-$", "·": r"$\cdot$", "σ": r"$\sigma$", "…": r"\dots{}", "’": "'"}


def render(trace: Trace, look: Look) -> str:
    """The formulas and the numbers as display mathematics."""
    lines = [r"\section*{Trace}"]
    lines += [escape_latex(line) + r"\\" for line in header(trace).splitlines()]
    for heading, steps in sections(trace):
        lines += ["", rf"\subsection*{{{capitalise(heading)}}}"]
        for step in steps:
            formula = f" = {tex(step.formula)}" if step.formula else ""
            lines += ["", rf"\[ {tex(step.name)}{formula} \quad \text{{{shape_text(step.value.shape)}}} \]"]
            lines += in_blocks(step.value, look, _matrix)
    widest: int = max(as_matrices(step.value).shape[-1] for step in trace.steps)
    return PREAMBLE % (widest + 1) + "\n".join(lines) + "\n\\end{document}\n"


def _matrix(label: str, cells: Cells, _: Parts) -> Iterator[str]:
    yield rf"\[ {label} \begin{{pmatrix}}" if label else r"\[ \begin{pmatrix}"
    for line in cells:
        yield " & ".join(r"\cdots" if cell is None else _number(cell) for cell in line) + r" \\"
    yield r"\end{pmatrix} \]"


def _number(written: str) -> str:
    digits, e, exponent = written.partition("e")
    if e:
        return rf"{digits} \cdot 10^{{{int(exponent)}}}"
    return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\text{NaN}"}.get(written, written)


def escape_latex(text: str) -> str:
    """Text from outside, of which LaTeX reads nothing; pdflatex knows few signs beyond ASCII."""
    return "".join(
        ESCAPED.get(sign, sign) if sign.isascii() else NOT_ASCII.get(sign, f"U+{ord(sign):04X}") for sign in text
    ).replace("--", "-{}-")
