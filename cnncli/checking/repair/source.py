"""A program as text that can be changed in places, and what one change of it is."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Replacement:
    """Characters start to end of a source, and the text that stands there instead."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Edit:
    """One change of a program, in one place or in several."""

    replacements: tuple[Replacement, ...]  # in the order of the text; none overlaps another
    cost: float  # the smaller, the likelier that this was the mistake
    kind: str  # "comparison", "name", …: what was changed, for statistics and tests

    def apply(self, text: str) -> str:
        """The text after it."""
        for each in reversed(self.replacements):
            text = text[: each.start] + each.text + text[each.end :]
        return text


@dataclass(frozen=True)
class Source:
    """The text of a Python file. Raises SyntaxError where it is none."""

    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """What it means."""
        return ast.parse(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line begins; Python ends a line at fewer characters than str.splitlines does."""
        return [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", self.text)), len(self.text)]

    def find(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The first character of a node and the one behind its last."""
        end_line, end_column = node.end_lineno, node.end_col_offset
        assert end_line is not None  # noqa: S101  it was parsed
        assert end_column is not None  # noqa: S101
        return self._count(node.lineno, node.col_offset), self._count(end_line, end_column)

    def read(self, node: ast.expr | ast.stmt) -> str:
        """The text of a node."""
        start, end = self.find(node)
        return self.text[start:end]

    def replace(self, node: ast.expr | ast.stmt, text: str) -> Replacement:
        """Another text in the place of a node."""
        return Replacement(*self.find(node), text)

    def _count(self, line: int, column: int) -> int:
        start = self._starts[line - 1]
        text = self.text[start : self._starts[line]]
        return start + (column if text.isascii() else len(text.encode()[:column].decode()))  # ast counts bytes


def cut_statement(source: Source, edit: Edit) -> str:
    """The statements of the file, from its top level, that hold the places of an edit, and those between, after it."""
    first, last = edit.replacements[0].start, edit.replacements[-1].end
    spans = [_find_all(source, statement) for statement in source.tree.body]
    start = next(start for start, end in spans if first <= end)
    end = next((end for _, end in spans if last <= end), len(source.text))
    text = edit.apply(source.text)
    return text[start : end + len(text) - len(source.text)]


def _find_all(source: Source, statement: ast.stmt) -> tuple[int, int]:
    """Its place with its decorators."""
    start, end = source.find(statement)
    decorators = getattr(statement, "decorator_list", [])
    return min([start, *(source.find(each)[0] - 1 for each in decorators)]), end
