"""Whether a changed program is still one: only the statements that an edit is in are read again."""

import ast
from functools import lru_cache

from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit, Replacement


def still_parses(program: Program, edit: Edit, text: str) -> bool:
    """Whether the text after an edit is a program."""
    touched: dict[tuple[int, int], list[Replacement]] = {}
    for replacement in edit.replacements:
        place = program.find_line(replacement.start, replacement.end)
        if place is None:
            return _parses(text)
        touched.setdefault(place, []).append(replacement)
    return all(_parses(_write(program, place, inside)) for place, inside in touched.items())


def _write(program: Program, place: tuple[int, int], replacements: list[Replacement]) -> str:
    """A statement, or the head of one, as a program of its own."""
    start, end = place
    moved = tuple(Replacement(each.start - start, each.end - start, each.text) for each in replacements)
    text = Edit(moved, 0.0, "").apply(program.text[start:end])
    head = end in program.bodies  # what follows is what the statement holds
    return text.removeprefix("el" if head and text.startswith("elif") else "") + ("pass" if head else "")


@lru_cache(maxsize=10_000)
def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
