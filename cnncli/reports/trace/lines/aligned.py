"""Lines for a language in which TeX sets the mathematics: equations aligned at their signs, words between them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from cnncli.reports.trace.lines import Line
from cnncli.reports.trace.tex import tex
from cnncli.text import capitalise

RELATIONS = {"=": "=", "≈": r"\approx"}
TERMS = 5  # of a sum in one row
WORDS = {"section", "heading", "plain", "remark", "folded", "window", "gap"}  # what is no row of an equation


class Markup(NamedTuple):
    """How the language writes what is no equation, with %s for the text, and what encloses equations."""

    escape: Callable[[str], str]
    title: str
    section: str
    heading: str
    words: str
    window: str
    begin: str
    end: str


def write(markup: Markup, title: str, lines: Sequence[Line]) -> Iterator[str]:
    """The parts of the document, one below the other."""
    yield markup.title % markup.escape(title)
    for in_words, group in groupby(lines, lambda line: line.kind in WORDS):
        if in_words:
            yield from (_word(markup, line) for line in group)
        else:
            yield from (markup.begin, " \\\\\n".join(map(_row, group)), markup.end)


def _word(markup: Markup, line: Line) -> str:
    match line.kind:
        case "gap":
            return ""
        case "window":
            return markup.window % r" \quad ".join(map(_window_cell, line.parts))
        case "section":
            return markup.section % markup.escape(capitalise(line.parts[0]))
        case "heading":
            return markup.heading % markup.escape(capitalise(line.parts[0]))
        case _:
            return markup.words % markup.escape(line.parts[0])


def _row(line: Line) -> str:
    """What stands before the first equals sign, & and the rest."""
    if line.kind == "continued":
        return f"& {RELATIONS[line.relation]} {tex(line.parts[0])}"
    if line.kind == "link":
        name, number, reason = line.parts
        return rf"{_left(name)} & = {tex(number)}" + (f" && {tex(reason)}" if reason else "")
    if line.kind == "written":
        name, sum_ = line.parts
        return rf"\qquad {_left(name)} & = {_break(sum_)}"
    left, *rest = (part for part in line.parts if part)
    signs = ["=" for _ in rest[:-1]] + [RELATIONS[line.relation]]
    indent = r"\qquad " if line.kind == "term" else ""
    right = " ".join(f"{sign} {tex(part)}" for sign, part in zip(signs, rest, strict=True))
    return f"{indent}{_left(left)} & {right}"


def _break(sum_: str) -> str:
    """A sum in rows, as long as a page is wide."""
    terms = [*map(tex, sum_.split(" + "))]
    rows = [" + ".join(terms[at : at + TERMS]) for at in range(0, len(terms), TERMS)]
    return " \\\\\n& \\quad + ".join(rows)


def _window_cell(cell: str) -> str:
    """A number of a window, the winner boxed."""
    return rf"\boxed{{{tex(cell[1:-1])}}}" if cell.startswith("[") else tex(cell)


def _left(name: str) -> str:
    return r"\text{product}" if name == "product" else tex(name)
