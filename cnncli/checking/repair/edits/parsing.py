"""Whether a changed program is still one: only the statements that an edit is in are read again."""

import ast
import textwrap

from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit, cut_statement


def cut_edited(program: Program, edit: Edit, text: str) -> str:
    """Of the text after an edit the smallest part that must be a program: a simple statement, or some of the file."""
    first, last = edit.replacements[0].start, edit.replacements[-1].end
    moved = len(text) - len(program.text)
    for start, end in program.simple:
        if start <= first and last <= end:
            return text[start : end + moved]
    return cut_statement(program.source, edit)


def still_parses(text: str) -> bool:
    """Whether a part of a file is a program."""
    try:
        ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError):
        return False
    return True
