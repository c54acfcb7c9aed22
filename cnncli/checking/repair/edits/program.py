"""The user's program as edits see it: its nodes, what is around each of them, and what may be changed."""

import ast
from collections.abc import Collection, Iterator
from functools import cached_property

from cnncli.checking.repair.edits.costs import COSTS
from cnncli.checking.repair.edits.reach import find_harmful, find_names, list_changeable
from cnncli.checking.repair.edits.scopes import Scope, read_scope
from cnncli.checking.repair.edits.writing import ATOM, find_level, find_needed_level, find_operator
from cnncli.checking.repair.source import Edit, Replacement, Source

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_HEADED = ast.If | ast.For | ast.While | ast.With | ast.Try | ast.FunctionDef | ast.ClassDef


class Program:
    """A source, with what an edit asks of it."""

    def __init__(self, source: Source, functions: Collection[str] | None = None) -> None:
        self.source = source
        self.text = source.text
        self.parts = list_changeable(source, functions)
        self.harmful = find_harmful(source)
        self._parents = {child: node for part in self.parts for node in ast.walk(part) for child in _children(node)}
        self._scopes: dict[ast.AST, Scope] = {}
        self._subscripts: dict[ast.AST | None, list[ast.Subscript]] = {}
        self._cut_names: dict[ast.AST | None, set[str]] = {}

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All that may be changed: expressions, statements and keywords, in the order of the text."""
        return [node for part in self.parts for node in self._walk(part)]

    def _walk(self, node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.stmt):
            if self.is_docstring(node):
                return
            if self.is_harmful(node):
                for block in _list_blocks(node):
                    for statement in block:
                        yield from self._walk(statement)
                return
        if isinstance(node, ast.JoinedStr | ast.arguments):
            return  # texts are left alone, and so is what a function is given
        yield node
        skipped = (
            getattr(node, "decorator_list", []),
            [getattr(node, "returns", None), getattr(node, "annotation", None)],
        )
        for child in _children(node):
            if not any(child is each for part in skipped for each in part):
                yield from self._walk(child)

    @cached_property
    def bodies(self) -> set[int]:
        """Where what a statement holds begins."""
        return {self.source.find(node.body[0])[0] for node in self.nodes if isinstance(node, _HEADED)}

    def find_line(self, start: int, end: int) -> tuple[int, int] | None:
        """Where the statement, or the head of one, begins and ends that this part of the text is in."""
        statement = self.statement_at(start) or self.statement_at(max(start - 1, 0))
        if statement is None:
            return None
        first, last = self.source.find(statement)
        if isinstance(statement, _HEADED):
            last = self.source.find(statement.body[0])[0]
        return (first, last) if first <= start and end <= last else None

    def is_docstring(self, node: ast.AST) -> bool:
        """Whether it is a text that does nothing."""
        return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

    def is_harmful(self, node: ast.AST) -> bool:
        """Whether a statement, or one that it holds, reaches outside the program."""
        return bool(find_names(node) & self.harmful)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """What it is a part of."""
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """What it is a part of, from the inside to the outside."""
        above = self.parent(node)
        while above is not None:
            yield above
            above = self.parent(above)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that it is in, or it itself."""
        return next((each for each in (node, *self.ancestors(node)) if isinstance(each, ast.stmt)), None)

    def function(self, node: ast.AST) -> ast.AST | None:
        """The innermost function that it is in."""
        return next((each for each in self.ancestors(node) if isinstance(each, ast.FunctionDef)), None)

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements among which it stands."""
        above = self.parent(statement)
        blocks = [self.parts] if above is None else _list_blocks(above)
        return next(block for block in blocks if any(each is statement for each in block))

    def scope(self, node: ast.AST) -> Scope:
        """The names that the function around it knows, those of a function around that among them."""
        function = self.function(node)
        if function is None:
            return Scope({})
        if function not in self._scopes:
            self._scopes[function] = read_scope(function, self.scope(function))
        return self._scopes[function]

    def is_called(self, node: ast.AST) -> bool:
        """Whether it is the function of a call."""
        parent = self.parent(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def attributes(self, node: ast.AST) -> list[str]:
        """What the class around it keeps in self."""
        home = next((each for each in self.ancestors(node) if isinstance(each, ast.ClassDef)), None)
        inside = ast.walk(home) if home else ()
        names = {each.attr: None for each in inside if isinstance(each, ast.Attribute) and self._is_kept(each)}
        return list(names)

    def _is_kept(self, node: ast.Attribute) -> bool:
        return isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"

    @cached_property
    def _innermost(self) -> list[ast.expr | ast.stmt | None]:
        """For each character, the smallest expression or statement that it is of."""
        owners: list[ast.expr | ast.stmt | None] = [None] * (len(self.text) + 1)
        found = [(self.source.find(node), node) for node in self.nodes if isinstance(node, ast.expr | ast.stmt)]
        for (start, end), node in sorted(found, key=lambda each: each[0][0] - each[0][1]):
            owners[start:end] = [node] * (end - start)
        return owners

    def expression_at(self, start: int, end: int) -> ast.expr | None:
        """The smallest expression that holds this part of the text, or ends where it begins."""
        homes = [self._climb(self._innermost[place], start, end) for place in (start, max(start - 1, 0))]
        found = [home for home in homes if isinstance(home, ast.expr)]
        return min(found, key=lambda home: self.source.find(home)[1] - self.source.find(home)[0], default=None)

    def _climb(self, node: ast.AST | None, start: int, end: int) -> ast.AST | None:
        while isinstance(node, ast.expr):
            first, last = self.source.find(node)
            if first <= start and end <= last:
                break
            node = self.parent(node)
        return node

    def statement_at(self, start: int) -> ast.stmt | None:
        """The innermost statement there."""
        node = self._innermost[start]
        return self.statement(node) if node else None

    def function_at(self, start: int) -> ast.AST | None:
        """The innermost function there."""
        statement = self.statement_at(start)
        return self.function(statement) if statement else None

    @cached_property
    def constants(self) -> set[str]:
        """The names that are assigned at the top level of the file."""
        plain = [part for part in self.parts if isinstance(part, ast.Assign)]
        return {target.id for part in plain for target in part.targets if isinstance(target, ast.Name)}

    def subscripts(self, node: ast.AST) -> list[ast.Subscript]:
        """All of the function around it."""
        function = self.function(node)
        if function not in self._subscripts:
            inside = ast.walk(function) if function else ()
            self._subscripts[function] = [each for each in inside if isinstance(each, ast.Subscript)]
        return self._subscripts[function]

    def cut_names(self, node: ast.AST) -> set[str]:
        """What the function, or the class, around it compares with something or cuts off at 0."""
        homes = [each for each in self.ancestors(node) if isinstance(each, ast.FunctionDef | ast.ClassDef)]
        home = homes[-1] if homes else None
        if home not in self._cut_names:
            self._cut_names[home] = _find_cut_names(home)
        return self._cut_names[home]

    def is_text(self, node: ast.AST) -> bool:
        """Whether it is a text, or one that is put together."""
        if isinstance(node, ast.BinOp):
            return self.is_text(node.left) or self.is_text(node.right)
        return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))

    def read(self, node: ast.AST) -> str:
        """The text of a node."""
        assert isinstance(node, ast.expr | ast.stmt)  # noqa: S101
        return self.source.read(node)

    def is_wrapped(self, node: ast.expr) -> bool:
        """Whether it stands in parentheses of its own."""
        start, end = self.source.find(node)
        before, after = self.text[:start].rstrip(), self.text[end:].lstrip()
        parent = self.parent(node)
        if not (before.endswith("(") and after.startswith(")")):
            return False
        only = isinstance(parent, ast.Call) and [*parent.args, *(word.value for word in parent.keywords)] == [node]
        return not only

    def write(self, node: ast.expr, level: int) -> str:
        """Its text, as an operand that must hold together at least so closely."""
        text = self.read(node)
        held = find_level(node) >= level and not (isinstance(node, ast.Tuple) and not text.startswith("("))
        if held and not ("\n" in text and self.is_wrapped(node)):
            return text
        return f"({text})"

    def put(self, node: ast.expr, text: str, level: int = ATOM) -> Replacement:
        """Another text in the place of a node, in parentheses where it needs them."""
        needed = find_needed_level(self.parent(node), node)
        if not self.is_wrapped(node):
            return self.source.replace(node, text if level >= needed else f"({text})")
        start, end = self.source.find(node)
        begin, close = self.text.rindex("(", 0, start), self.text.index(")", end) + 1
        if text.startswith(f"({self.read(node)})"):  # it brings its parentheses along
            return Replacement(begin, close, text if level >= needed else f"({text})")
        if find_level(node) < needed <= level and "\n" not in text:  # it no longer needs them
            return Replacement(begin, close, text)
        return self.source.replace(node, text)

    def lift(self, node: ast.expr, child: ast.expr) -> Replacement:
        """A part of a node in the place of the whole."""
        text = self.read(child)
        if "\n" in text and self.is_wrapped(child):
            return self.source.replace(node, f"({text})")
        return self.put(node, text, find_level(child))

    def find_keyword(self, word: ast.keyword) -> int:
        """Where an option of a call begins."""
        return self.text.rindex(str(word.arg), 0, self.source.find(word.value)[0])

    def swap_operator(self, left: ast.expr, right: ast.expr, symbol: str, other: str) -> Replacement:
        """Another operator between two operands."""
        begin = self.source.find(left)[1]
        start, end = find_operator(self.text[begin : self.source.find(right)[0]], symbol)
        return Replacement(begin + start, begin + end, other)

    def edit(self, kind: str, *replacements: Replacement, extra: float = 0.0) -> Edit:
        """An edit of a kind, which has its cost."""
        return Edit(tuple(sorted(replacements, key=lambda each: each.start)), COSTS[kind] + extra, kind)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr_context | ast.operator | ast.cmpop | ast.boolop | ast.unaryop):
            yield child


def _list_blocks(node: ast.AST) -> list[list[ast.stmt]]:
    blocks = [getattr(node, field, []) for field in ("body", "orelse", "finalbody")]
    blocks += [handler.body for handler in getattr(node, "handlers", [])]
    return [block for block in blocks if isinstance(block, list) and block]


def _find_cut_names(home: ast.AST | None) -> set[str]:
    cut = set()
    for each in ast.walk(home) if home else ():
        if isinstance(each, ast.Call) and getattr(each.func, "attr", "") in ("maximum", "clip") and each.args:
            cut.add(ast.unparse(each.args[0]))
        elif isinstance(each, ast.Compare):
            cut.add(ast.unparse(each.left))
    return cut
