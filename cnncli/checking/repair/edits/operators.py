"""Operators: one for another, signs, and assignments that should or should not accumulate."""

import ast
from collections.abc import Iterator

from cnncli.checking.repair.edits.constants import read_number
from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.edits.writing import (
    ATOM,
    COMPARISON,
    COMPARISONS,
    OPERATORS,
    POWER,
    PRODUCT,
    SIGN,
    find_level,
)
from cnncli.checking.repair.source import Edit, Replacement

_OTHER_COMPARISONS = {
    ">": {">=": 0.0, "<": 0.0, "<=": MORE, "!=": MORE, "==": FAR},
    ">=": {">": 0.0, "<=": 0.0, "<": MORE, "==": MORE, "!=": FAR},
    "<": {"<=": 0.0, ">": 0.0, ">=": MORE, "!=": MORE, "==": FAR},
    "<=": {"<": 0.0, ">=": 0.0, ">": MORE, "==": MORE, "!=": FAR},
    "==": {"!=": 0.0, ">=": MORE, "<=": MORE, ">": FAR, "<": FAR},
    "!=": {"==": 0.0, ">": MORE, "<": MORE},
    "in": {"not in": 0.0},
    "not in": {"in": 0.0},
    "is": {"is not": 0.0},
    "is not": {"is": 0.0},
}
_OTHER_OPERATORS = {
    "+": {"-": 0.0, "*": MORE},
    "-": {"+": 0.0},
    "*": {"/": 0.0, "@": MORE, "+": FAR, "//": FAR},
    "/": {"*": 0.0, "//": FAR},
    "//": {"/": 0.0, "%": MORE, "*": FAR},
    "%": {"//": 0.0},
    "@": {"*": MORE},
    "**": {"*": MORE},
    "&": {"|": 0.0},
    "|": {"&": 0.0},
}
_OTHER_ASSIGNMENTS = {
    "+=": {"=": 0.0, "-=": 0.0},
    "-=": {"+=": 0.0, "=": MORE},
    "*=": {"/=": 0.0, "=": MORE},
    "/=": {"*=": 0.0, "=": MORE},
    "//=": {"/=": 0.0, "=": MORE},
}


def swap_comparisons(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`>` for `>=`, and so on."""
    if not isinstance(node, ast.Compare):
        return
    operands = [node.left, *node.comparators]
    for left, right, operator in zip(operands, operands[1:], node.ops, strict=False):
        symbol = COMPARISONS[type(operator)]
        for other, extra in _OTHER_COMPARISONS[symbol].items():
            yield program.edit("comparison", program.swap_operator(left, right, symbol, other), extra=extra)


def swap_operators(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`+` for `-`, `*` for `/`, `//` for `/`, and so on."""
    if not isinstance(node, ast.BinOp) or program.is_text(node):
        return
    symbol, level = OPERATORS[type(node.op)]
    for other, extra in _OTHER_OPERATORS.get(symbol, {}).items():
        if _binds_alike(program, node, level, other):
            yield program.edit("operator", program.swap_operator(node.left, node.right, symbol, other), extra=extra)
        else:
            left, right = program.write(node.left, PRODUCT), program.write(node.right, POWER)
            yield program.edit("operator", program.put(node, f"{left} {other} {right}", PRODUCT), extra=extra)
    if symbol == "//":
        left, right = program.write(node.left, SIGN), program.write(node.right, POWER)
        yield program.edit("operator", program.put(node, f"-(-{left} // {right})", SIGN), extra=MORE)
    if symbol in ("@", "-", "/", "//"):
        left, right = program.write(node.right, level), program.write(node.left, level + 1)
        yield program.edit("order of arguments", program.put(node, f"{left} {symbol} {right}", level))


def exchange_factors(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`B.T @ A` for `A.T @ B`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        left, right = node.left, node.right
        if isinstance(left, ast.Attribute) and left.attr == "T":
            text = f"{program.write(right, ATOM)}.T @ {program.write(left.value, PRODUCT)}"
            yield program.edit("order of arguments", program.put(node, text, PRODUCT), extra=-MORE)
        if isinstance(right, ast.Attribute) and right.attr == "T":
            text = f"{program.write(right.value, PRODUCT)} @ {program.write(left, ATOM)}.T"
            yield program.edit("order of arguments", program.put(node, text, PRODUCT), extra=-MORE)


def _binds_alike(program: Program, node: ast.BinOp, level: int, other: str) -> bool:
    """Whether a change of the operator alone leaves its operands what they are."""
    new = next(held for symbol, held in OPERATORS.values() if symbol == other)
    if new == level and other in ("+", "*"):  # a - (b - c) keeps its parentheses
        return True
    if new == level:
        return True
    wrapped = program.is_wrapped(node)
    parent = program.parent(node)
    alone = wrapped or not isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Attribute)
    return alone and all(
        program.is_wrapped(each) or find_level(each) > max(new, level) for each in (node.left, node.right)
    )


def change_signs(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A minus or a `not` too many, or one too few."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield program.edit("sign", program.lift(node, node.operand))
        return
    if not isinstance(node, ast.expr):
        return
    parent = program.parent(node)
    if isinstance(parent, ast.If | ast.While | ast.IfExp) and node is parent.test:
        yield program.edit("sign", program.put(node, f"not {program.write(node, COMPARISON)}", COMPARISON))
    elif _may_be_negated(program, node):
        yield program.edit("sign", program.put(node, f"-{program.write(node, SIGN)}", SIGN), extra=_doubt_sign(node))
    if isinstance(parent, ast.Subscript) and node is parent.slice and isinstance(node, ast.Name | ast.Compare):
        yield program.edit("sign", program.put(node, f"~{program.write(node, SIGN)}", SIGN), extra=MORE)


def _may_be_negated(program: Program, node: ast.expr) -> bool:
    parent = program.parent(node)
    if isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.Compare | ast.BoolOp | ast.Slice):
        return False
    if isinstance(parent, ast.Return | ast.Assign | ast.AugAssign | ast.Dict):
        return node in (getattr(parent, "value", None), *getattr(parent, "values", ())) and not isinstance(
            node, ast.Name
        )
    if isinstance(parent, ast.Tuple) and isinstance(program.parent(parent), ast.Return):
        return True
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult | ast.Div | ast.MatMult):
        return node is parent.left
    return isinstance(parent, ast.Call) and node in parent.args and not program.scope(node).is_whole(node)


def _doubt_sign(node: ast.expr) -> float:
    return FAR if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) else 0.0


def swap_logic(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`and` for `or`."""
    if not isinstance(node, ast.BoolOp):
        return
    symbol, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    pairs = zip(node.values, node.values[1:], strict=False)
    swaps = [program.swap_operator(left, right, symbol, other) for left, right in pairs]
    yield program.edit("logic", *swaps)


def change_assignments(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`=` for `+=`, `+=` for `-=`, and so on."""
    if isinstance(node, ast.AugAssign):
        symbol = OPERATORS[type(node.op)][0] + "="
        for other, extra in _OTHER_ASSIGNMENTS.get(symbol, {}).items():
            yield program.edit("assignment", program.swap_operator(node.target, node.value, symbol, other), extra=extra)
        if isinstance(node.op, ast.Add | ast.Sub) and isinstance(node.target, ast.Subscript):
            yield from _accumulate(program, node, node.target, "add" if isinstance(node.op, ast.Add) else "subtract")
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and not isinstance(node.targets[0], ast.Tuple):
        target = node.targets[0]
        for other, extra in ({"+=": 0.0} if isinstance(target, ast.Subscript) else {"+=": MORE}).items():
            if _is_known(program, node, target) and read_number(node.value) != 0:
                yield program.edit("assignment", program.swap_operator(target, node.value, "=", other), extra=extra)
        if isinstance(target, ast.Subscript):
            yield from _accumulate(program, node, target, "add")


def _is_known(program: Program, node: ast.Assign, target: ast.expr) -> bool:
    """Whether a target has a value before it is assigned."""
    return not isinstance(target, ast.Name) or target.id in program.scope(node).known(node.lineno)


def _accumulate(
    program: Program, node: ast.Assign | ast.AugAssign, target: ast.Subscript, function: str
) -> Iterator[Edit]:
    """`x[i] += v` adds once where an index comes twice; np.add.at adds each time."""
    if isinstance(target.slice, ast.Slice) or any(isinstance(each, ast.Slice) for each in ast.walk(target.slice)):
        return
    index = program.read(target.slice)
    if isinstance(target.slice, ast.Tuple) and not index.startswith("("):
        index = f"({index})"
    text = f"np.{function}.at({program.read(target.value)}, {index}, {program.read(node.value)})"
    yield program.edit(
        "accumulated", _replace_statement(program, node, text), extra=0.0 if isinstance(node, ast.AugAssign) else FAR
    )


def _replace_statement(program: Program, node: ast.stmt, text: str) -> Replacement:
    return program.source.replace(node, text)


def change_powers(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`a ** 2` for `a`, and `a * b` with one of them squared: sides for areas."""
    if not isinstance(node, ast.expr):
        return
    parent = program.parent(node)
    if not (isinstance(parent, ast.BinOp | ast.AugAssign) and isinstance(parent.op, ast.Mult | ast.Div)):
        return
    divisor = parent.right if isinstance(parent, ast.BinOp) else parent.value
    if node is divisor and isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
        extra = 0.0 if program.scope(node).is_whole(node) else FAR
        yield program.edit("factor", program.put(node, f"{program.read(node)} ** 2", POWER), extra=extra)
