"""Lines as a LaTeX document, which needs amsmath alone."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from cnncli.reports.trace.latex import PREAMBLE, escape_latex
from cnncli.reports.trace.lines import Kind, Line
from cnncli.reports.trace.lines.aligned import align, window_cells


def render(title: str, lines: Sequence[Line]) -> str:
    """Equations aligned at their signs, words between them."""
    body = [rf"\section*{{{escape_latex(title)}}}"]
    for mathematical, group in groupby(lines, lambda line: line.kind not in WORDS):
        each = list(group)
        body += _display(each) if mathematical else [WORDS[line.kind](line) for line in each]
    return PREAMBLE % 20 + "\n".join(body) + "\n\\end{document}\n"


def _display(lines: Sequence[Line]) -> Iterator[str]:
    yield r"\begin{align*}"
    yield " \\\\\n".join(align(lines))
    yield r"\end{align*}"


def _words(line: Line) -> str:
    return escape_latex(line.parts[0]) + r"\par"


WORDS: dict[Kind, Callable[[Line], str]] = {
    "section": lambda line: rf"\subsection*{{{escape_latex(line.parts[0].capitalize())}}}",
    "heading": lambda line: rf"\subsubsection*{{{escape_latex(line.parts[0].capitalize())}}}",
    "plain": _words,
    "remark": _words,
    "folded": _words,
    "window": lambda line: rf"\[ {window_cells(line)} \]",
    "gap": lambda _: "",
}
