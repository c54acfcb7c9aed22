"""relu's derivative where a number stands, a mask that is missing, one number for each image."""

import ast
from collections.abc import Iterator

from cnncli.checking.repair.edits.constants import read_number
from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.insertions import is_result
from cnncli.checking.repair.edits.names import find_distance
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.edits.writing import PRODUCT
from cnncli.checking.repair.source import Edit

_MOST_MASKS = 4
_VALUES = {"where": (1, 2), "put_along_axis": (2,), "full": (1,), "full_like": (1,)}  # which arguments are values


def derive_relu(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`(Z > 0)` for Z, sign(Z) or maximum(Z, 0)."""
    if not isinstance(node, ast.expr):
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        inner, name = node.args[0], node.func.attr
        other = read_number(node.args[1]) if len(node.args) > 1 else None
        if name == "sign" or (name in ("maximum", "clip") and other == 0):
            text = f"({program.read(inner)} > 0)"
            yield program.edit("mask", program.source.replace(node, text), extra=-MORE)
    parent = program.parent(node)
    factor = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult)
    if factor and isinstance(node, ast.Name | ast.Attribute) and not program.scope(node).is_whole(node):
        yield program.edit("mask", program.source.replace(node, f"({program.read(node)} > 0)"))


def mark_first(program: Program, node: ast.AST) -> Iterator[Edit]:
    """The first of equal maxima alone for `x == x.max()`, which marks every one."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq):
        return
    for array, largest in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
        if not isinstance(array, ast.Name | ast.Subscript | ast.Attribute) or program.scope(node).is_whole(array):
            continue
        x = program.read(array)
        if isinstance(largest, ast.Name) or (_is_largest(largest) and not _read_axis(largest)):
            text = f"(np.arange({x}.size) == {x}.argmax()).reshape({x}.shape)"
            yield program.edit("mask", program.put(node, text), extra=-MORE)
        if isinstance(largest, ast.Name) or (_is_largest(largest) and _read_axis(largest) == "-1"):
            text = f"(np.arange({x}.shape[-1]) == {x}.argmax(axis=-1)[..., None])"
            yield program.edit("mask", program.source.replace(node, text), extra=-MORE)


def _is_largest(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("max", "amax")


def _read_axis(node: ast.expr) -> str:
    """The axis that a call is given; nothing where it is given none."""
    words = node.keywords if isinstance(node, ast.Call) else []
    return next((ast.unparse(word.value) for word in words if word.arg == "axis"), "")


def give_masks(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A result times the mask of an array: the factor of relu that was forgotten."""
    if not isinstance(node, ast.expr) or not is_result(program, node) or program.scope(node).is_whole(node):
        return
    for name in _list_arrays(program, node):
        text = f"{program.write(node, PRODUCT)} * ({name} > 0)"
        yield program.edit("mask", program.put(node, text, PRODUCT), extra=MORE)


def _list_arrays(program: Program, node: ast.expr) -> list[str]:
    """The arrays that are likest what is assigned, or returned."""
    scope = program.scope(node)
    statement = program.statement(node)
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    own = targets[0].id if targets and isinstance(targets[0], ast.Name) else ""
    names = [name for name in scope.known(node.lineno) if name not in scope.whole and name not in (own, "self")]
    names += [f"self.{name}" for name in program.attributes(node)]
    cut = program.cut_names(node)
    ranked = sorted(names, key=lambda name: (name not in cut, find_distance(own, name.removeprefix("self."))))
    return ranked[:_MOST_MASKS]


def give_columns(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`y[:, None]` for y: one number for each row."""
    parent = program.parent(node)
    if not isinstance(node, ast.Name) or not isinstance(parent, ast.BinOp | ast.Compare):
        return
    scope = program.scope(node)
    if node.id in scope.lines and node.id not in scope.whole and isinstance(node.ctx, ast.Load):
        yield program.edit("axes given", program.put(node, f"{node.id}[:, None]"), extra=MORE)


def change_values(program: Program, node: ast.AST) -> Iterator[Edit]:
    """1 or 0 where a function is given the values that it places."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    for place in _VALUES.get(node.func.attr, ()):
        if place < len(node.args) and read_number(node.args[place]) is None:
            for value, extra in (("1", 0.0), ("0", FAR)):
                yield program.edit("constant", program.source.replace(node.args[place], value), extra=extra)
