"""Sizes: a whole number that is computed replaced by another simple one of the names that are known there."""

import ast
from collections.abc import Iterator
from itertools import permutations

from cnncli.checking.repair.edits.constants import is_axis, read_number
from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.edits.writing import PRODUCT, SUM
from cnncli.checking.repair.source import Edit

_MOST_NAMES = 5  # of a function's whole numbers, in one place
_ONE = (  # of one number n
    ("{n}", PRODUCT, 0.0),
    ("{n} - 1", SUM, 0.0),
    ("{n} + 1", SUM, MORE),
    ("2 * {n}", PRODUCT, MORE),
    ("{n} // 2", PRODUCT, MORE),
    ("{n} * {n}", PRODUCT, 0.0),
    ("2 * ({n} - 1)", PRODUCT, FAR),
)
_TWO = (  # of two
    ("{n} * {k}", PRODUCT, MORE),
    ("{n} - {k}", SUM, MORE),
    ("{n} - {k} + 1", SUM, 0.0),
    ("{n} // {k}", PRODUCT, 0.0),
    ("{n} + {k}", SUM, MORE),
    ("{n} % {k}", PRODUCT, FAR),
    ("{n} - 1 - {k}", SUM, MORE),
    ("({n} - 1) * {k} + 1", SUM, FAR),
    ("{n} + {k} - 1", SUM, MORE),
    ("({n} - {k}) // {k} + 1", SUM, FAR),
)


def replace_sizes(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Another size."""
    if not isinstance(node, ast.expr) or not _is_size(program, node):
        return
    names = _choose_names(program, node)
    texts = [(text.format(n=name), level, extra) for name in names for text, level, extra in _ONE]
    for n, k in permutations(names, 2):
        texts += [(text.format(n=n, k=k), level, extra + MORE) for text, level, extra in _TWO]
    for n, k, s in permutations(names, 3):
        texts.append((f"({n} - {k}) // {s} + 1", SUM, 2 * FAR))
    for text, level, extra in texts:
        yield program.edit("size", program.put(node, text, level), extra=extra)


def _is_size(program: Program, node: ast.expr) -> bool:
    """Whether it is a whole number as a whole, where a size is wanted."""
    if not program.scope(node).is_whole(node) or isinstance(getattr(node, "ctx", None), ast.Store):
        return False
    if is_axis(program, node) or (read_number(node) is not None and not _is_divisor(program, node)):
        return False
    parent = program.parent(node)
    if isinstance(parent, ast.Call):
        return getattr(parent.func, "id", "") in ("range", "slice") or getattr(parent.func, "attr", "") == "reshape"
    if isinstance(parent, ast.Tuple) and not isinstance(node, ast.Name):
        return not isinstance(program.parent(parent), ast.Subscript)
    return isinstance(parent, ast.Assign | ast.Slice) or _is_divisor(program, node)


def _is_divisor(program: Program, node: ast.expr) -> bool:
    parent = program.parent(node)
    if isinstance(parent, ast.BinOp):
        return isinstance(parent.op, ast.Div) and node is parent.right
    return isinstance(parent, ast.AugAssign) and isinstance(parent.op, ast.Div) and node is parent.value


def _choose_names(program: Program, node: ast.expr) -> list[str]:
    """Those of the expression itself, then the function's, those known last first."""
    scope = program.scope(node)
    own = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} & scope.whole
    known = [name for name in scope.known(node.lineno) if name in scope.whole and name != "_"]
    ranked = sorted(known, key=lambda name: (name not in own, name in scope.counters, -scope.lines[name]))
    return ranked[:_MOST_NAMES]
