"""Numbers, axes and orders of axes."""

import ast
from collections.abc import Iterator
from itertools import combinations

from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.edits.writing import ATOM, SIGN
from cnncli.checking.repair.source import Edit

_AXES = range(-2, 5)
_AXIS_WORDS = {"axis", "axes"}
_AXIS_CALLS = {"sum", "mean", "max", "min", "argmax", "argmin", "flip", "stack", "repeat", "any", "all", "cumsum"}
_AXIS_CALLS |= {"concatenate", "expand_dims", "squeeze", "take_along_axis", "put_along_axis", "swapaxes", "moveaxis"}
_AXIS_CALLS |= {"transpose", "rot90", "tensordot", "roll", "split", "prod"}
_ORDERS = {"transpose", "reshape", "zeros", "empty", "ones", "tile", "swapaxes", "moveaxis"}
SMALL, LARGE = 1e-3, 5.0  # what is at most the one is an ε, what is at least the other a bound


def read_number(node: ast.AST) -> int | float | None:
    """The number that is written there, with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = read_number(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value) if isinstance(node.value, float) else int(str(node.value))
    return None


def is_signed(program: Program, node: ast.AST) -> bool:
    """Whether a sign before it belongs to the number."""
    parent = program.parent(node)
    return isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)


def change_numbers(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A whole number by one, 0, 1, 2 or with another sign; a decimal 0, 1, half, twice; ε nothing; a bound infinite."""
    value = read_number(node)
    if value is None or is_signed(program, node) or not isinstance(node, ast.expr):
        return
    others = _list_whole(value) if isinstance(value, int) else _list_decimals(value)
    if value == 0 and isinstance(value, int) and _is_assigned(program, node):
        others |= {
            "-np.inf": ("constant", -MORE),
            "np.inf": ("constant", 0.0),
        }  # what a largest number is searched from
    axis = is_axis(program, node)
    for text, (kind, extra) in others.items():
        if not axis and text != program.read(node):
            yield program.edit(kind, program.put(node, text, SIGN if text.startswith("-") else ATOM), extra=extra)


def _is_assigned(program: Program, node: ast.AST) -> bool:
    """Whether a number is what a name begins with, alone or among several."""
    parent = program.parent(node)
    return isinstance(program.parent(parent) if isinstance(parent, ast.Tuple) else parent, ast.Assign)


def _list_whole(value: int) -> dict[str, tuple[str, float]]:
    others = {str(value + 1): ("one more or less", 0.0), str(value - 1): ("one more or less", 0.0)}
    for other, extra in ((0, 0.0), (1, 0.0), (2, 0.0), (-value, MORE)):
        others.setdefault(str(other), ("constant", extra))
    if abs(value) >= LARGE:
        others["np.inf" if value > 0 else "-np.inf"] = ("constant", 0.0)
    return {text: why for text, why in others.items() if text != str(value)}


def _list_decimals(value: float) -> dict[str, tuple[str, float]]:
    others: dict[str, tuple[str, float]] = {}
    if 0 < abs(value) <= SMALL:
        others = {"0": ("constant", -MORE), "1e-300": ("constant", -MORE)}
    elif abs(value) >= LARGE:
        others = {"np.inf" if value > 0 else "-np.inf": ("constant", -MORE)}
    if value == 0:
        others = {"-np.inf": ("constant", 0.0), "np.inf": ("constant", MORE)}
    for other in (0.0, 1.0, 0.5, 2.0, -value, value * 2, value / 2, value + 1, value - 1):
        if other != value and abs(other) < 1e6:
            others.setdefault(repr(other), ("constant", 0.0 if other in (0.0, 1.0, 0.5, 2.0) else MORE))
    return others


def is_axis(program: Program, node: ast.AST) -> bool:
    """Whether a number names an axis."""
    parent = program.parent(node)
    while isinstance(parent, ast.Tuple | ast.List):
        node, parent = parent, program.parent(parent)
    if isinstance(parent, ast.keyword):
        return parent.arg in _AXIS_WORDS
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and node in parent.args:
        of_module = isinstance(parent.func.value, ast.Name) and parent.func.value.id in ("np", "numpy")
        method = parent.func.attr
        return method in _AXIS_CALLS and (parent.args.index(node) > 0 or not of_module)
    return False


def change_axes(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Another axis, one axis more or less."""
    if not isinstance(node, ast.expr) or not is_axis(program, node) or is_signed(program, node):
        return
    value = read_number(node)
    inside = isinstance(program.parent(node), ast.Tuple | ast.List)
    if isinstance(value, int):
        for other in _AXES:
            if other != value:
                extra = 0.0 if not inside and 0 <= other <= 3 else MORE
                yield program.edit("axis", program.source.replace(node, str(other)), extra=extra)
        if not inside:
            for pair in ((0, 2, 3), (2, 3), (0, 1), (1, 2), (0, 1, 2), (1, 2, 3), (-2, -1), None):
                yield program.edit("axis", program.source.replace(node, str(pair)), extra=MORE)
    elif isinstance(node, ast.Tuple | ast.List) and all(isinstance(read_number(each), int) for each in node.elts):
        yield from _change_axis_tuples(program, node)


def _change_axis_tuples(program: Program, node: ast.Tuple | ast.List) -> Iterator[Edit]:
    axes = [int(read_number(each) or 0) for each in node.elts]
    others = [axes[:place] + axes[place + 1 :] for place in range(len(axes))]
    others += [sorted([*axes, axis]) for axis in range(4) if axis not in axes and axis - 4 not in axes]
    for other in others:
        if other:
            text = program.read(node)
            body = ", ".join(map(str, other)) + ("," if len(other) == 1 and text[:1] != "[" else "")
            wrap = ("[", "]") if text.startswith("[") else ("(", ")") if text.startswith("(") else ("", "")
            yield program.edit("axis", program.source.replace(node, f"{wrap[0]}{body}{wrap[1]}"))


def swap_members(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Two members of a tuple, of an index or of an order of axes in each other's place."""
    members: list[ast.expr] = []
    kind = "order of members"
    if isinstance(node, ast.Dict):
        members = node.values
    elif isinstance(node, ast.Tuple | ast.List):
        members = node.elts
        if isinstance(program.parent(node), ast.Subscript):
            kind = "order of indexes"
    elif isinstance(node, ast.Call) and not node.keywords:
        members = node.args
        named = isinstance(node.func, ast.Attribute) and node.func.attr in _ORDERS
        kind = "order of members" if named else "order of arguments"
    if any(isinstance(each, ast.Starred) for each in members):
        return
    for one, other in combinations(members, 2):
        first, second = program.read(one), program.read(other)
        if first != second:
            near = members.index(other) - members.index(one) == 1
            swap = program.source.replace(one, second), program.source.replace(other, first)
            yield program.edit(kind, *swap, extra=0.0 if near else MORE)


def swap_parts(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Two parts of an index or a tuple in each other's place: `[i + r, j + c]` for `[i + c, j + r]`."""
    if not isinstance(node, ast.Tuple) or len(node.elts) > 8:
        return
    found = [
        [each for each in ast.walk(member) if isinstance(each, ast.Name | ast.BinOp)] if _is_plain(member) else []
        for member in node.elts
    ]
    for one, other in combinations(found, 2):
        for first in one[1:]:
            for second in other[1:]:
                texts = program.read(first), program.read(second)
                if type(first) is type(second) and texts[0] != texts[1]:
                    swap = program.put(first, texts[1]), program.put(second, texts[0])
                    yield program.edit("order of indexes", *swap, extra=MORE)


def _is_plain(member: ast.expr) -> bool:
    return not any(isinstance(each, ast.Call | ast.Subscript | ast.Attribute) for each in ast.walk(member))


def reverse_members(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Three members or more in reverse order, or moved round by one."""
    members = node.elts if isinstance(node, ast.Tuple) else node.args if isinstance(node, ast.Call) else []
    whole = all(program.scope(node).is_whole(each) or read_number(each) is not None for each in members)
    if len(members) < 3 or not whole or getattr(node, "keywords", None):
        return
    texts = [program.read(each) for each in members]
    orders = [texts[::-1]] + [texts[turn:] + texts[:turn] for turn in range(1, len(texts))]
    for order in orders:
        changes = [
            program.source.replace(each, text)
            for each, was, text in zip(members, texts, order, strict=True)
            if was != text
        ]
        if len(changes) > 2:
            yield program.edit("order of members", *changes, extra=MORE)


def flip_truths(program: Program, node: ast.AST) -> Iterator[Edit]:
    """True for False, and None where an axis is meant."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        parent = program.parent(node)
        kind = "keyword" if isinstance(parent, ast.keyword) else "constant"
        yield program.edit(kind, program.source.replace(node, str(not node.value)))
    elif isinstance(node, ast.Constant) and node.value is None:
        parent = program.parent(node)
        if isinstance(parent, ast.Call):
            yield program.edit("constant", program.source.replace(node, "0"), extra=FAR)
