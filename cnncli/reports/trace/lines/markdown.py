"""Lines as Markdown, with formulas that GitHub renders."""

from collections.abc import Callable, Sequence
from itertools import groupby

from cnncli.reports.trace.lines import Kind, Line
from cnncli.reports.trace.lines.aligned import align, window_cells
from cnncli.reports.trace.markdown import escape_markdown


def render(title: str, lines: Sequence[Line]) -> str:
    """Equations aligned at their signs in display mathematics, words between them."""
    body = [f"# {escape_markdown(title)}"]
    for mathematical, group in groupby(lines, lambda line: line.kind not in WORDS):
        each = list(group)
        if mathematical:
            body += ["", "```math", r"\begin{aligned}", " \\\\\n".join(align(each)), r"\end{aligned}", "```"]
        else:
            body += [WORDS[line.kind](line) for line in each]
    return "\n".join(body) + "\n"


def _words(line: Line) -> str:
    return f"\n{escape_markdown(line.parts[0])}"


WORDS: dict[Kind, Callable[[Line], str]] = {
    "section": lambda line: f"\n## {escape_markdown(line.parts[0].capitalize())}",
    "heading": lambda line: f"\n### {escape_markdown(line.parts[0].capitalize())}",
    "plain": _words,
    "remark": _words,
    "folded": _words,
    "window": lambda line: f"\n${window_cells(line)}$",
    "gap": lambda _: "",
}
