"""Lines as a LaTeX document, which needs amsmath alone."""

from collections.abc import Sequence

from cnncli.reports.trace.latex import PREAMBLE, escape_latex
from cnncli.reports.trace.lines import Line
from cnncli.reports.trace.lines.aligned import Markup, write

LATEX = Markup(
    escape_latex,
    title=r"\section*{%s}",
    section=r"\subsection*{%s}",
    heading=r"\subsubsection*{%s}",
    words=r"%s\par",
    window=r"\[ %s \]",
    begin=r"\begin{align*}",
    end=r"\end{align*}",
)


def render(title: str, lines: Sequence[Line]) -> str:
    """The whole document."""
    return PREAMBLE % 20 + "\n".join(write(LATEX, title, lines)) + "\n\\end{document}\n"
