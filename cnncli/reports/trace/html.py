"""A trace as HTML: the page in which every number is alive, in a file of its own or in a frame of a notebook."""

from html import escape

from cnncli.errors import UsageError
from cnncli.reports.look import Look
from cnncli.reports.trace.page.data import embed, page_data
from cnncli.reports.trace.page.source import script, style
from cnncli.reports.trace.page.static import static_trace
from cnncli.text import printable
from cnncli.tracing.trace import Trace

MOST_NUMBERS = 1_000_000
MOST_IN_TABLES = 100_000  # numbers of a trace that stand there as tables too, uncut, for where scripts are off
HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""
FRAME = (
    '<iframe title="cnncli trace" srcdoc="{page}" style="width:100%;height:56rem;border:0" loading="lazy"></iframe>\n'
)


def render(trace: Trace, look: Look) -> str:
    """The whole document; of a narrowed trace, which is no chain, its tables alone.

    Raises UsageError for more numbers than a browser takes.
    """
    count = sum(step.value.size for step in trace.steps)
    if count > MOST_NUMBERS:
        raise UsageError(
            f"{count:,} numbers are more than a page can hold, {MOST_NUMBERS:,}: "
            "choose a smaller image or fewer filters, or another format, as npz"
        )
    title = escape(f"cnncli trace · {printable(trace.subject.images[0])}")
    head = HEAD.format(title=title, style=style())
    if not trace.is_whole:
        return f"{head}{static_trace(trace, look)}</body>\n</html>\n"
    tables = static_trace(trace, Look(full=count <= MOST_IN_TABLES, precision=look.precision))
    data = embed(page_data(trace, look.precision))
    return (
        f"{head}<noscript>\n{tables}</noscript>\n"
        f'<div id="page"></div>\n<script type="application/json" id="data">{data}</script>\n'
        f'<script type="module">\n{script("main.js")}</script>\n</body>\n</html>\n'
    )


def render_fragment(trace: Trace, look: Look) -> str:
    """The same in a frame, so that its styles and those around it do not meet."""
    try:
        return FRAME.format(page=escape(render(trace, look)))
    except UsageError as error:
        return f"<p>{escape(str(error))}</p>"
