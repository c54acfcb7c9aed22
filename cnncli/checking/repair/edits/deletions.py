"""Parts of an expression that should not be there: factors, terms, calls, masks, indexes, options."""

import ast
from collections.abc import Iterator

from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.edits.writing import SIGN, find_level
from cnncli.checking.repair.source import Edit, Replacement

_WRAPPERS = {"clip", "round", "floor", "ceil", "abs", "sign", "maximum", "minimum", "max", "min", "float16", "float32"}
_WRAPPERS |= {"exp", "log", "sqrt", "square", "tanh", "nan_to_num", "flip", "flipud", "fliplr", "rot90", "int", "T"}
_WRAPPERS |= {
    "astype",
    "transpose",
    "swapaxes",
    "copy",
    "reshape",
    "mean",
    "sum",
    "squeeze",
    "where",
    "pad",
    "roll",
    "setdefault",
    "get",
}
_KEPT_WORDS = {"out", "where", "dtype"}  # without them it is another call, not a slip


def delete_operands(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A term of a sum, a factor, a divisor, an exponent, one side of a mask."""
    if isinstance(node, ast.BinOp):
        if not program.is_text(node):
            yield from _delete_side(program, node)
    elif isinstance(node, ast.BoolOp):
        for place, value in enumerate(node.values):
            if len(node.values) == 2:
                yield program.edit("no operand", program.lift(node, node.values[1 - place]))
            else:
                yield program.edit("no operand", _cut(program, node.values, place, value))
    elif isinstance(node, ast.IfExp):
        yield program.edit("choice", program.lift(node, node.body))
        yield program.edit("choice", program.lift(node, node.orelse))


def _delete_side(program: Program, node: ast.BinOp) -> Iterator[Edit]:
    operator = node.op
    kind = "no term" if isinstance(operator, ast.Add | ast.Sub) else "no factor"
    if isinstance(operator, ast.BitAnd | ast.BitOr):
        kind = "no operand"
    if isinstance(operator, ast.Pow | ast.Mod | ast.FloorDiv | ast.Div):
        yield program.edit(kind, program.lift(node, node.left))
        if isinstance(operator, ast.Div):
            yield program.edit(kind, program.lift(node, node.right), extra=FAR)
        return
    yield program.edit(kind, program.lift(node, node.left))
    if isinstance(operator, ast.Sub):
        text = f"-{program.write(node.right, SIGN)}"
        yield program.edit(kind, program.put(node, text, SIGN), extra=MORE)
        if isinstance(node.right, ast.Name):
            yield program.edit(kind, program.lift(node, node.right), extra=MORE)
    else:
        yield program.edit(kind, program.lift(node, node.right))


def _cut(program: Program, values: list[ast.expr], place: int, value: ast.expr) -> Replacement:
    """One of many operands or arguments with the sign that binds it to its neighbour."""
    start, end = program.source.find(value)
    if place:
        return Replacement(program.source.find(values[place - 1])[1], end, "")
    return Replacement(start, program.source.find(values[1])[0], "")


def _cut_behind(program: Program, values: list[ast.expr], kept: int) -> Replacement:
    """All but so many of the first."""
    return Replacement(program.source.find(values[kept - 1])[1], program.source.find(values[-1])[1], "")


def delete_calls(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A call around its argument, or behind it: `np.clip(x, 0, 1)`, `x.astype(int)`, `x.T`."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        extra = 0.0 if name in _WRAPPERS else FAR
        for place, argument in enumerate(node.args[:3]):
            if not isinstance(argument, ast.Starred | ast.GeneratorExp):
                yield program.edit("no call", program.lift(node, argument), extra=extra + MORE * place)
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
            yield program.edit("no call", program.lift(node, node.func.value), extra=extra)
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "real", "flat"):
        yield program.edit("transpose" if node.attr == "T" else "no call", program.lift(node, node.value))


def _is_module(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in ("np", "numpy", "math")) or (
        isinstance(node, ast.Attribute) and _is_module(node.value)
    )


def delete_keywords(program: Program, node: ast.AST) -> Iterator[Edit]:
    """An option of a call, or its last argument."""
    if not isinstance(node, ast.Call):
        return
    arguments = [*node.args, *(word.value for word in node.keywords)]
    for word in node.keywords:
        alone = len(arguments) == 1 and not _is_method(node.func)
        if word.arg and word.arg not in _KEPT_WORDS and not alone:
            yield program.edit("keyword", _cut_keyword(program, node, word))
    if len(node.args) > 1 and not node.keywords:
        yield program.edit("keyword", _cut(program, node.args, len(node.args) - 1, node.args[-1]), extra=MORE)


def _cut_keyword(program: Program, node: ast.Call, word: ast.keyword) -> Replacement:
    end = program.source.find(word.value)[1]
    before = [*node.args, *(each.value for each in node.keywords if each.lineno and _is_before(each, word))]
    if before:
        return Replacement(max(program.source.find(each)[1] for each in before), end, "")
    start = program.source.find(node.func)[1] + 1
    behind = program.find_keyword(node.keywords[1]) if len(node.keywords) > 1 else program.source.find(node)[1] - 1
    return Replacement(start, behind, "")


def _is_method(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and not _is_module(node.value)


def _is_before(one: ast.keyword, other: ast.keyword) -> bool:
    return (one.lineno, one.col_offset) < (other.lineno, other.col_offset)


def delete_indexes(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A subscript, or a part of a slice."""
    if isinstance(node, ast.Subscript):
        if isinstance(node.ctx, ast.Load) and getattr(node.value, "attr", "") != "shape":
            yield program.edit("no index", program.lift(node, node.value), extra=_doubt_index(node.slice))
        if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) > 1:
            for kept in range(1, len(node.slice.elts)):
                yield program.edit("no index", _cut_behind(program, node.slice.elts, kept))
    elif isinstance(node, ast.Slice):
        parts = [program.read(each) if each else "" for each in (node.lower, node.upper, node.step)]
        for text in _list_slices(parts):
            if text != program.read(node):
                yield program.edit("no index", program.source.replace(node, text), extra=-MORE)


def _doubt_index(index: ast.expr) -> float:
    return 0.0 if isinstance(index, ast.Tuple | ast.Slice | ast.Name) and find_level(index) >= 0 else MORE


def _list_slices(parts: list[str]) -> list[str]:
    lower, upper, step = parts
    tail = f":{step}" if step else ""
    texts = [f"{lower}:{upper}"] if step else []
    texts += [f":{upper}{tail}"] if lower and upper else []
    texts += [f"{lower}:{tail}"] if upper and lower else []
    return [*texts, ":"]
