"""Whether a changed program is still one: only the statements that an edit is in are read again."""

import ast
import textwrap

from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit


def still_parses(program: Program, edit: Edit, text: str) -> bool:
    """Whether the text after an edit is a program."""
    first, last = edit.replacements[0].start, edit.replacements[-1].end
    moved = len(text) - len(program.text)
    for start, end in program.simple:
        if start <= first and last <= end:
            return _parses(text[start : end + moved])
    return _parses(text)


def _parses(text: str) -> bool:
    try:
        ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError):
        return False
    return True
