"""Whole lines of a program: removed, moved, put deeper or less deep."""

import ast
import re
from collections.abc import Sequence

from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Replacement

_REST = re.compile(r"[ \t]*(#[^\r\n]*)?(\r\n|\r|\n|$)")  # what may stand behind a statement
_REMARKS = re.compile(r"(?m:^)(?:[ \t]*#[^\r\n]*(?:\r\n|\r|\n))+\Z")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)")


class SharedLineError(Exception):
    """A statement that shares its line with another one."""


class Lines:
    """What is done with the lines of statements. Raises SharedLineError where they are not a statement's own."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.text = program.text
        self.ending = "\r\n" if "\r\n" in self.text else "\n"

    def find(self, node: ast.stmt) -> tuple[int, int]:
        """From the beginning of its first line to the end of its last, the line's end included."""
        start, end = self.program.source.find(node)
        begin = max(self.text.rfind("\n", 0, start), self.text.rfind("\r", 0, start)) + 1
        match = _REST.match(self.text, end)
        if match is None or self.text[begin:start].strip():
            raise SharedLineError
        return begin, match.end()

    def indentation(self, node: ast.stmt) -> str:
        """The blanks before it."""
        begin, _ = self.find(node)
        return self.text[begin : self.program.source.find(node)[0]]

    def read(self, statements: Sequence[ast.stmt], indentation: str, *, remarks: bool = False) -> str:
        """The lines of neighbours at another depth, with what stands between them, or also right before them."""
        begin, end = self.find(statements[0])[0], self.find(statements[-1])[1]
        begin = self._find_remarks(begin) if remarks else begin
        own = self.indentation(statements[0])
        text = self.text[begin:end]
        text += "" if text.endswith(("\n", "\r")) else self.ending
        within = [place for node in statements for place in self._find_texts(node)]
        moved, place = [], begin
        for line in _LINE.findall(text):
            free = not any(first < place <= last for first, last in within)
            moved.append(indentation + line[len(own) :] if free and line.startswith(own) and line.strip() else line)
            place += len(line)
        return "".join(moved)

    def _find_remarks(self, begin: int) -> int:
        """Where the remarks right before a line begin."""
        match = _REMARKS.search(self.text, 0, begin)
        return match.start() if match else begin

    def _find_texts(self, node: ast.stmt) -> list[tuple[int, int]]:
        """Where texts stand: the blanks in those of several lines must stay."""
        return [
            self.program.source.find(each)
            for each in ast.walk(node)
            if isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str))
        ]

    def is_elif(self, node: ast.stmt) -> bool:
        """Whether it begins with `elif`."""
        return isinstance(node, ast.If) and self.text.startswith("elif", self.program.source.find(node)[0])

    def remove(self, node: ast.stmt) -> Replacement:
        """Its lines; `pass` where nothing would be left."""
        if isinstance(node, ast.If) and self.is_elif(node):
            begin, end = self.find(node)
            return Replacement(begin, self.find(node.body[-1])[1] if node.orelse else end, "")
        if len(self.program.block(node)) == 1:
            return self.program.source.replace(node, "pass")
        return Replacement(*self.find(node), "")

    def unwrap(self, node: ast.If, body: list[ast.stmt]) -> Replacement:
        """What an `if` holds in its place."""
        begin, end = self.find(node)
        text = self.read(body, self.indentation(node), remarks=True)
        return Replacement(begin, end, text if self.text[begin:end].endswith(("\n", "\r")) else text.rstrip("\r\n"))

    def swap(self, one: ast.stmt, other: ast.stmt) -> tuple[Replacement, Replacement]:
        """Two statements in each other's place."""
        source = self.program.source
        self.find(one)
        self.find(other)
        return source.replace(one, source.read(other)), source.replace(other, source.read(one))

    def move(self, node: ast.stmt, beside: ast.stmt, *, before: bool) -> tuple[Replacement, Replacement]:
        """A statement before or behind another one, as deep as that."""
        text = self.read([node], self.indentation(beside))
        begin, end = self.find(beside)
        place = begin if before else end
        if not before and not self.text[begin:end].endswith(("\n", "\r")):
            text = self.ending + text.rstrip("\r\n")
        return self.remove(node), Replacement(place, place, text)
