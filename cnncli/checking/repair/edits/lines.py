"""Whole lines of a program: removed, moved, put deeper or less deep."""

import ast
import re

from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Replacement


class Lines:
    """What is done with the lines of statements."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.text = program.text
        self.ending = "\r\n" if "\r\n" in self.text else "\n"

    def find(self, node: ast.stmt) -> tuple[int, int]:
        """From the beginning of its first line to the end of its last, the line's end included; else the node alone."""
        start, end = self.program.source.find(node)
        decorators = getattr(node, "decorator_list", [])
        if decorators:
            start = self.program.source.find(decorators[0])[0] - 1
        begin = max(self.text.rfind("\n", 0, start), self.text.rfind("\r", 0, start)) + 1
        match = re.compile(r"[ \t]*(#[^\r\n]*)?(\r\n|\r|\n|$)").match(self.text, end)
        if match is None or self.text[begin:start].strip():
            raise SharedLineError
        return begin, match.end()

    def indentation(self, node: ast.stmt) -> str:
        """The blanks before it."""
        begin, _ = self.find(node)
        return self.text[begin : self.program.source.find(node)[0]]

    def read(self, node: ast.stmt, indentation: str) -> str:
        """Its lines, as they are at another depth."""
        begin, end = self.find(node)
        own = self.indentation(node)
        text = self.text[begin:end]
        if not text.endswith(("\n", "\r")):
            text += self.ending
        within = self._find_texts(node, begin)
        moved, place = [], 0
        for line in re.findall(r"[^\r\n]*(?:\r\n|\r|\n)", text):
            free = not any(first < place <= last for first, last in within)
            moved.append(indentation + line[len(own) :] if free and line.startswith(own) and line.strip() else line)
            place += len(line)
        return "".join(moved)

    def _find_texts(self, node: ast.stmt, begin: int) -> list[tuple[int, int]]:
        """Where texts of several lines stand, whose blanks must stay."""
        strings = [
            self.program.source.find(each)
            for each in ast.walk(node)
            if isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str))
        ]
        return [(start - begin, end - begin) for start, end in strings]

    def is_elif(self, node: ast.stmt) -> bool:
        """Whether it begins with `elif`."""
        return isinstance(node, ast.If) and self.text.startswith("elif", self.program.source.find(node)[0])

    def remove(self, node: ast.stmt) -> Replacement:
        """Its lines; `pass` where nothing would be left."""
        if self.is_elif(node):
            assert isinstance(node, ast.If)  # noqa: S101
            return self._remove_elif(node)
        if len(self.program.block(node)) == 1:
            return self.program.source.replace(node, "pass")
        begin, end = self.find(node)
        return Replacement(begin, end, "")

    def _remove_elif(self, node: ast.If) -> Replacement:
        begin, end = self.find(node)
        if not node.orelse:
            return Replacement(begin, end, "")
        last = self.find(node.body[-1])[1]
        return Replacement(begin, last, "")

    def unwrap(self, node: ast.If, body: list[ast.stmt]) -> Replacement:
        """What an `if` holds in its place."""
        begin, end = self.find(node)
        indentation = self.indentation(node)
        first, last = self.find(body[0])[0], self.find(body[-1])[1]
        between = self.text[first:last]
        del between
        text = "".join(self.read(each, indentation) for each in body)
        return Replacement(begin, end, text if self.text[begin:end].endswith(("\n", "\r")) else text.rstrip("\r\n"))

    def swap(self, one: ast.stmt, other: ast.stmt) -> tuple[Replacement, Replacement]:
        """Two statements in each other's place."""
        source = self.program.source
        self.find(one), self.find(other)
        return source.replace(one, source.read(other)), source.replace(other, source.read(one))

    def move(self, node: ast.stmt, beside: ast.stmt, *, before: bool) -> tuple[Replacement, Replacement]:
        """A statement before or behind another one, as deep as that."""
        text = self.read(node, self.indentation(beside))
        begin, end = self.find(beside)
        place = begin if before else end
        if not before and not self.text[begin:end].endswith(("\n", "\r")):
            text = self.ending + text.rstrip("\r\n")
        return self.remove(node), Replacement(place, place, text)


class SharedLineError(Exception):
    """A statement that shares its line with another one."""
