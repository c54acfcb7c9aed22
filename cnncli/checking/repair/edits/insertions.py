"""Parts of an expression that are missing: one more or less, a factor, a transposition, a copy, an axis."""

import ast
from collections.abc import Iterator

from cnncli.checking.repair.edits.constants import is_axis, read_number
from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.edits.words import add_argument
from cnncli.checking.repair.edits.writing import ATOM, POWER, PRODUCT, SUM, find_level
from cnncli.checking.repair.source import Edit, Replacement

_REDUCTIONS = {"sum", "mean", "max", "min", "argmax", "argmin", "prod", "any", "all", "amax", "amin", "std", "var"}
_PRODUCTS = {"dot", "matmul", "einsum", "tensordot", "outer", "multiply", "flip", "pad", "correlate", "convolve"}
_SHARING = {
    "get",
    "setdefault",
    "asarray",
    "reshape",
    "ravel",
    "view",
    "transpose",
    "swapaxes",
}  # what is kept elsewhere


def change_by_one(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`n + 1` and `n - 1` for a whole number n that is computed; `n` for `n - 1`."""
    if not isinstance(node, ast.expr) or not _is_count(program, node):
        return
    for sign in ("+", "-"):
        yield program.edit("one more or less", program.put(node, f"{program.write(node, SUM)} {sign} 1", SUM))


def _is_count(program: Program, node: ast.expr) -> bool:
    """Whether it is a whole number as a whole: no part of a longer sum, and no plain number."""
    if read_number(node) is not None or not program.scope(node).is_whole(node) or isinstance(node, ast.UnaryOp):
        return False
    if isinstance(getattr(node, "ctx", None), ast.Store) or is_axis(program, node):
        return False
    parent = program.parent(node)
    if isinstance(parent, ast.BinOp):
        return not isinstance(parent.op, ast.Add | ast.Sub) and program.scope(node).is_whole(parent)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and read_number(node.right) == 1:
        return False  # its number is changed by itself
    return isinstance(parent, ast.Call | ast.Slice | ast.Tuple | ast.Assign | ast.Subscript | ast.Compare | ast.List)


def multiply(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A missing factor or divisor: the number of images, the side of a window or its area."""
    if not isinstance(node, ast.expr) or not is_result(program, node):
        return
    scope = program.scope(node)
    left = program.write(node, PRODUCT)
    for factor, extra in _list_factors(program, node):
        if factor not in {program.read(each) for each in ast.walk(node) if isinstance(each, ast.expr)}:
            for symbol in "/*":
                more = extra + (MORE if scope.is_whole(node) else 0.0)
                yield program.edit("factor", program.put(node, f"{left} {symbol} {factor}", PRODUCT), extra=more)
    if not scope.is_whole(node) and find_level(node) >= PRODUCT and not isinstance(node, ast.Constant):
        yield program.edit("factor", program.put(node, f"1 - {left}", SUM), extra=FAR)


def replace_divisors(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Another number to divide by."""
    if not isinstance(node, ast.BinOp | ast.AugAssign) or not isinstance(node.op, ast.Div):
        return
    divisor = node.right if isinstance(node, ast.BinOp) else node.value
    whole, text = program.scope(divisor).is_whole(divisor), program.read(divisor)
    for factor, extra in _list_factors(program, divisor):
        if factor != text:
            level = POWER if "**" in factor else ATOM
            yield program.edit("factor", program.put(divisor, factor, level), extra=extra + (0.0 if whole else FAR))


def is_result(program: Program, node: ast.expr) -> bool:
    """Whether it is what an assignment assigns or a function returns."""
    if isinstance(node, ast.Tuple | ast.Dict | ast.List | ast.Constant | ast.Lambda | ast.Compare):
        return False
    parent = program.parent(node)
    if isinstance(parent, ast.Tuple):
        node, parent = parent, program.parent(parent)
    if isinstance(parent, ast.Dict):
        return node in parent.values
    return isinstance(parent, ast.Return | ast.Assign | ast.AugAssign) and node is parent.value


def _list_factors(program: Program, node: ast.expr) -> Iterator[tuple[str, float]]:
    scope = program.scope(node)
    function = program.function(node)
    known = scope.known(node.lineno)
    for name in known:
        if name != "_" and name in scope.whole and name not in scope.counters:
            yield name, 0.0
            if name in scope.given:
                yield f"{name} ** 2", MORE
    if isinstance(function, ast.FunctionDef) and "m" not in known and function.args.args:
        given = [each.arg for each in function.args.args if each.arg not in scope.whole]
        if given and given[0] not in ("self", "cls"):
            yield f"len({given[0]})", 0.0


def turn(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A transposed operand, a kernel turned by 180°, an index counted from the other end."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) or not isinstance(node, ast.expr):
        return
    parent = program.parent(node)
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or program.scope(node).is_whole(node):
        yield from _count_back(program, node)
        return
    if _is_factor(program, node):
        yield program.edit("transpose", program.put(node, f"{program.read(node)}.T"))
    indexed = isinstance(parent, ast.Subscript) and node is parent.value
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and (indexed or _is_operand(program, node)):
        text = program.read(node)
        for index, extra in (("..., ::-1, ::-1", 0.0), ("::-1", MORE)):
            yield program.edit("turn", program.put(node, f"{text}[{index}]"), extra=extra)
        for pair, extra in (("0, 1", 0.0), ("-2, -1", MORE)):
            yield program.edit("transpose", program.put(node, f"{text}.swapaxes({pair})"), extra=MORE + extra)
    yield from _turn_further(program, node)


def _turn_further(program: Program, node: ast.expr) -> Iterator[Edit]:
    """`::-1, ::-1` where one axis alone is turned."""
    if isinstance(node, ast.Subscript):
        last = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice
        if isinstance(last, ast.Slice) and program.read(last) == "::-1":
            yield program.edit("turn", program.source.replace(last, "::-1, ::-1"))


def _is_factor(program: Program, node: ast.expr) -> bool:
    parent = program.parent(node)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult):
        return True
    if isinstance(parent, ast.Call) and node in parent.args:
        return getattr(parent.func, "attr", "") in ("dot", "matmul")
    if is_result(program, node) and isinstance(node, ast.Call):
        return getattr(node.func, "attr", "") in ("dot", "matmul")
    return isinstance(parent, ast.Attribute) and parent.attr in ("dot", "reshape", "ravel", "flatten")


def _is_operand(program: Program, node: ast.expr) -> bool:
    parent = program.parent(node)
    if isinstance(parent, ast.BinOp):
        return isinstance(parent.op, ast.MatMult | ast.Mult)
    if isinstance(parent, ast.Call) and node in parent.args:
        return getattr(parent.func, "attr", "") in _PRODUCTS or isinstance(parent.func, ast.Name)
    if isinstance(parent, ast.Attribute):
        return parent.attr in ("transpose", "reshape", "dot", "swapaxes")
    return isinstance(parent, ast.Assign) and not isinstance(node, ast.Name)


def _count_back(program: Program, node: ast.expr) -> Iterator[Edit]:
    """`k - 1 - u` for u."""
    parent = program.parent(node)
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    within = isinstance(parent, ast.Subscript) or (
        isinstance(parent, ast.Tuple) and isinstance(program.parent(parent), ast.Subscript)
    )
    count = program.scope(node).counters.get(node.id)
    if within and count:
        yield program.edit("turn", program.put(node, f"{count} - 1 - {node.id}", SUM))


def copy(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A copy of what would be changed with the name that it is given."""
    shared = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _SHARING
    if not (shared or isinstance(node, ast.Name | ast.Subscript | ast.Attribute)) or program.scope(node).is_whole(node):
        return
    parent = program.parent(node)
    if isinstance(parent, ast.Assign) and node is parent.value and not _is_sizes(node):
        yield program.edit("copy", program.put(node, f"{program.read(node)}.copy()"))


def _is_sizes(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Attribute) and each.attr == "shape" for each in ast.walk(node))


def give_axes(program: Program, node: ast.AST) -> Iterator[Edit]:
    """An axis, or keepdims, where a call has none."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    name = node.func.attr
    of_module = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
    words = {word.arg for word in node.keywords}
    places = len(node.args) - of_module
    has_axis = "axis" in words or places > 0
    if name in _REDUCTIONS and not has_axis:
        for axis, extra in {"0": 0.0, "1": 0.0, "-1": 0.0, "2": MORE, "(2, 3)": MORE, "(0, 2, 3)": MORE}.items():
            yield program.edit("axes given", add_argument(program, node, f"axis={axis}"), extra=extra)
            if axis in ("1", "-1", "0"):
                kept = add_argument(program, node, f"axis={axis}, keepdims=True")
                yield program.edit("axes given", kept, extra=MORE)
    elif name in _REDUCTIONS and "keepdims" not in words:
        yield program.edit("axes given", add_argument(program, node, "keepdims=True"))
    elif name in ("flip", "repeat", "stack", "concatenate") and not (
        "axis" in words or len(node.args) > 1 + (name == "repeat")
    ):
        for axis in ("(2, 3)", "(-2, -1)", "0", "1", "2", "3", "-1") if name == "flip" else ("0", "1", "2", "3", "-1"):
            yield program.edit("axes given", add_argument(program, node, f"axis={axis}"))
    elif name == "rot90" and "axes" not in words and len(node.args) < 3:
        for axes in ("(2, 3)", "(-2, -1)", "(0, 1)", "(1, 2)"):
            yield program.edit("axes given", add_argument(program, node, f"axes={axes}"))


def extend_conditions(program: Program, node: ast.AST) -> Iterator[Edit]:
    """One more comparison of a chain: `a >= b and a >= c` may want `a >= d` too."""
    if not isinstance(node, ast.BoolOp) or not all(isinstance(each, ast.Compare) for each in node.values):
        return
    last = node.values[-1]
    assert isinstance(last, ast.Compare)  # noqa: S101
    used = {program.read(each) for each in ast.walk(node) if isinstance(each, ast.Name)}
    text, other = program.read(last), last.comparators[-1]
    if not isinstance(other, ast.Name):
        return
    symbol = "and" if isinstance(node.op, ast.And) else "or"
    head = text[: len(text) - len(other.id)]
    scope = program.scope(node)
    for name in scope.known(node.lineno):
        if name not in used and (name in scope.whole) == scope.is_whole(other):
            end = program.source.find(last)[1]
            yield program.edit("condition added", Replacement(end, end, f" {symbol} {head}{name}"))
