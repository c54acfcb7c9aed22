"""Indexes: where a window begins and ends, which rows are meant, the same index as elsewhere."""

import ast
from collections.abc import Iterator

from cnncli.checking.repair.edits.costs import MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.edits.writing import PRODUCT
from cnncli.checking.repair.source import Edit

_WINDOWS = (  # of the counter i, the window's side k and the step s
    ("{i}:{i} + {k}", 0.0),
    ("{i} * {k}:({i} + 1) * {k}", 0.0),
    ("{i} * {s}:{i} * {s} + {k}", 0.0),
)
_MOST_SIDES = 4


def move_windows(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`i * s:i * s + k` for `i:i + k`: windows that lie apart, one after the other, or overlap."""
    if not isinstance(node, ast.Slice) or node.step or not node.lower or not node.upper:
        return
    scope = program.scope(node)
    names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
    counters = [name for name in names if name in scope.counters]
    if not counters or not (scope.is_whole(node.lower) and scope.is_whole(node.upper)):
        return
    i = counters[0]
    sides = [name for name in scope.known(node.lineno) if name in scope.whole and name not in scope.counters]
    own = [name for name in dict.fromkeys(names) if name != i]
    sides = list(dict.fromkeys([*own, *(name for name in sides if name in scope.given), *sides]))[:_MOST_SIDES]
    spaced = " : " in program.read(node)
    for text, extra in _WINDOWS:
        for k in sides:
            for s in sides if "{s}" in text else sides[:1]:
                window = text.format(i=i, k=k, s=s)
                window = window.replace(":", " : ") if spaced else window
                yield program.edit("window", program.source.replace(node, window), extra=extra)


def name_rows(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`a[np.arange(m), y]` for `a[:, y]`: one entry of each row, not the column of each."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return
    scope = program.scope(node)
    members = node.slice.elts
    arrays = [each for each in members if isinstance(each, ast.Name) and each.id not in scope.whole]
    for member in members:
        if isinstance(member, ast.Slice) and not (member.lower or member.upper or member.step) and arrays:
            rows = f"np.arange(len({arrays[0].id}))"
            yield program.edit("window", program.source.replace(member, rows), extra=-MORE)


def repeat_indexes(program: Program, node: ast.AST) -> Iterator[Edit]:
    """The index that the function uses elsewhere, as a whole or in one place."""
    if not isinstance(node, ast.Subscript):
        return
    own = _read_index(program, node)
    seen = {tuple(own)}
    for other in program.subscripts(node):
        index = _read_index(program, other)
        if len(index) != len(own) or tuple(index) in seen or len(own) == 1:
            continue
        seen.add(tuple(index))
        assert isinstance(node.slice, ast.Tuple)  # noqa: S101  it has several members
        changes = [
            program.source.replace(member, text)
            for member, was, text in zip(node.slice.elts, own, index, strict=True)
            if was != text and ":" in text + was
        ]
        for change in changes:
            yield program.edit("index as elsewhere", change, extra=MORE)
        if len(changes) > 1:
            yield program.edit("index as elsewhere", *changes)


def _read_index(program: Program, node: ast.Subscript) -> list[str]:
    members = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return [program.read(member) for member in members]


def turn_loops(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`range(n)` for `range(n - 1, -1, -1)`, and the other way round."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    if node.func.id == "range" and len(node.args) == 3 and program.read(node.args[2]) == "-1":
        first = node.args[0]
        if isinstance(first, ast.BinOp) and isinstance(first.op, ast.Sub) and program.read(first.right) == "1":
            text = program.read(first.left)
        else:
            text = f"{program.write(first, PRODUCT)} + 1"
        if program.read(node.args[1]) == "0":
            text = f"1, {text}"
        yield program.edit("turn", program.put(node, f"range({text})"))
    elif node.func.id == "range" and len(node.args) == 1:
        yield program.edit("turn", program.put(node, f"reversed({program.read(node)})"), extra=MORE)
    elif node.func.id in ("reversed", "sorted") and len(node.args) == 1:
        yield program.edit("turn", program.lift(node, node.args[0]))
