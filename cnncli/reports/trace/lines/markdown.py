"""Lines as Markdown, with formulas that GitHub renders."""

from collections.abc import Sequence

from cnncli.reports.trace.lines import Line
from cnncli.reports.trace.lines.aligned import Markup, write
from cnncli.reports.trace.markdown import escape_markdown

MARKDOWN = Markup(
    escape_markdown,
    title="# %s",
    section="\n## %s",
    heading="\n### %s",
    words="\n%s",
    window="\n$%s$",
    begin="\n```math\n\\begin{aligned}",
    end="\\end{aligned}\n```",
)


def render(title: str, lines: Sequence[Line]) -> str:
    """The whole document."""
    return "\n".join(write(MARKDOWN, title, lines)) + "\n"
