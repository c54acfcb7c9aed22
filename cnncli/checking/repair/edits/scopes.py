"""The names of a function, and which of them are whole numbers."""

import ast
from dataclasses import dataclass, field

_WHOLE_ARGUMENTS = {"pool", "stride", "padding", "dilation", "pool_stride", "classes"}
_WHOLE_CALLS = {"len", "int", "round", "count_nonzero"}
_COUNTERS = {"range", "ndindex", "divmod", "unravel_index"}


@dataclass(frozen=True)
class Scope:
    """The names of a function, each with the line it is first known in."""

    lines: dict[str, int]
    whole: set[str] = field(default_factory=set)  # those that hold whole numbers, as far as can be seen
    given: set[str] = field(default_factory=set)  # the function's arguments
    counters: dict[str, str] = field(default_factory=dict)  # of loops, each with its range's end where there is one

    def known(self, line: int) -> list[str]:
        """The names that are known in a line."""
        return [name for name, first in self.lines.items() if first < line]

    def is_whole(self, node: ast.AST) -> bool:
        """Whether an expression is a whole number, as far as can be seen."""
        return _is_whole(node, self.whole)


def read_scope(function: ast.AST, outer: Scope) -> Scope:
    """The names that a function is given or assigns, and those of the function that it is in."""
    lines: dict[str, int] = {}
    whole: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            lines.setdefault(node.arg, node.lineno - 1 if isinstance(function, ast.Lambda) else node.lineno)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id != "_":  # which says: not used
            lines[node.id] = min(lines.get(node.id, node.lineno), node.lineno)
    whole |= {name for name in lines if name in _WHOLE_ARGUMENTS}
    for _ in range(3):  # what is computed of whole numbers is one, wherever it is written
        for node in ast.walk(function):
            whole |= _find_whole(node, whole)
    given = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    counters = outer.counters | _find_counters(function)
    return Scope(outer.lines | lines, (whole & lines.keys()) | outer.whole, given, counters)


def _find_counters(function: ast.AST) -> dict[str, str]:
    counters: dict[str, str] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.comprehension):
            for each in ast.walk(node.target):
                if isinstance(each, ast.Name):
                    counters.setdefault(each.id, "")
            loop = node.iter
            if isinstance(node.target, ast.Name) and isinstance(loop, ast.Call) and _called(loop) == "range":
                plain = len(loop.args) == 1 and isinstance(loop.args[0], ast.Name | ast.Subscript)
                counters[node.target.id] = ast.unparse(loop.args[0]) if plain else ""
    return counters


def _find_whole(node: ast.AST, whole: set[str]) -> set[str]:
    """The names that a statement shows to be whole numbers."""
    if isinstance(node, ast.Assign):
        return {name for target in node.targets for name in _match(target, node.value, whole)}
    if isinstance(node, ast.For | ast.comprehension):
        return _read_loop(node.target, node.iter)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        return {name for argument in node.args for name in _read_terms(argument)}
    if isinstance(node, ast.Slice):
        return {name for bound in (node.lower, node.upper) if bound for name in _read_terms(bound)}
    return set()


def _match(target: ast.expr, value: ast.expr, whole: set[str]) -> set[str]:
    if isinstance(target, ast.Name):
        return {target.id} if _is_whole(value, whole) else set()
    if not isinstance(target, ast.Tuple | ast.List):
        return set()
    names = {element.id for element in target.elts if isinstance(element, ast.Name)}
    if _is_shape(value) or (isinstance(value, ast.Call) and _called(value) in _COUNTERS):
        return names
    if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
        pairs = zip(target.elts, value.elts, strict=True)
        return {name for one, other in pairs for name in _match(one, other, whole)}
    return set()


def _read_loop(target: ast.expr, source: ast.expr) -> set[str]:
    if not isinstance(source, ast.Call):
        return set()
    counted = target
    if _called(source) in ("enumerate", "ndenumerate") and isinstance(target, ast.Tuple):
        counted = target.elts[0]
    elif _called(source) not in _COUNTERS:
        return set()
    return {node.id for node in ast.walk(counted) if isinstance(node, ast.Name)}


def _read_terms(node: ast.expr) -> set[str]:
    if isinstance(node, ast.BinOp):
        return _read_terms(node.left) | _read_terms(node.right)
    return {node.id} if isinstance(node, ast.Name) else set()


def _is_whole(node: ast.AST, whole: set[str]) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    if isinstance(node, ast.Name):
        return node.id in whole
    if isinstance(node, ast.Attribute):
        return node.attr in ("size", "ndim")
    if isinstance(node, ast.Subscript):
        return _is_shape(node.value) and not isinstance(node.slice, ast.Slice)
    if isinstance(node, ast.UnaryOp):
        return _is_whole(node.operand, whole)
    if isinstance(node, ast.BinOp):
        return not isinstance(node.op, ast.Div) and _is_whole(node.left, whole) and _is_whole(node.right, whole)
    if isinstance(node, ast.Call):
        return _called(node) in _WHOLE_CALLS or (
            _called(node) in ("min", "max", "abs") and all(_is_whole(each, whole) for each in node.args)
        )
    return False


def _is_shape(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        return _is_shape(node.value) and isinstance(node.slice, ast.Slice)
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))
