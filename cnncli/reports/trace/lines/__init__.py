"""Explanations as lines, for the terminal and for documents: where an entry comes from, its paths, the derivation.

A view gives its lines once; each file here sets them in one format with `render(title, lines)`.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import Literal, NamedTuple

DOCUMENTS = ("markdown", "html", "latex")

Kind = Literal[
    "section",  # the heading of a part of the page
    "heading",  # of a path
    "equation",  # a name and what it is, in symbols
    "continued",  # what the last equation is too
    "written",  # an entry of the last equation: its name and what it is
    "term",  # of the sum of the last equation: symbols, numbers, value
    "link",  # of a path: name, value, reason
    "result",  # a name and its number
    "total",  # the result of a whole page
    "plain",  # words at the beginning of a page, or of a part of it
    "remark",  # words about the lines above
    "folded",  # words about what is left out
    "window",  # a row of a pooling window, the winner in brackets
    "gap",  # between two explanations
]


class Line(NamedTuple):
    """One line; its parts are joined by equals signs, but for links, whose columns are aligned, and words."""

    kind: Kind
    parts: tuple[str, ...] = ()
    relation: str = "="  # of the last part


def render_lines(document: str, title: str, lines: Iterable[Line]) -> str:
    """The lines as a document of its own: markdown, html or latex."""
    text: str = import_module(f"{__name__}.{document}").render(title, list(lines))
    return text
