"""Arrays brought into another shape: reshape where the axes must be exchanged, and the other way round."""

import ast
from collections.abc import Iterator
from itertools import permutations

from cnncli.checking.repair.edits.constants import read_number
from cnncli.checking.repair.edits.costs import MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit, Replacement

_LAYOUTS = ((1, 0, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2), (2, 3, 0, 1), (1, 2, 3, 0), (3, 0, 1, 2), (2, 3, 1, 0))


def change_reshapes(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`x.reshape(a, b)` for `x.T`; axes exchanged before or after."""
    found = _read_call(node, "reshape")
    if found is None:
        return
    array, sizes = found
    assert isinstance(node, ast.Call)  # noqa: S101
    text, whole = program.write(array, 15), program.read(node)
    texts = [program.read(size) for size in sizes]
    if len(sizes) == 2:
        yield program.edit(
            "reshape", program.put(node, text.removesuffix(".T") if text.endswith(".T") else f"{text}.T"), extra=-MORE
        )
        yield program.edit("reshape", program.put(node, f"{text}.reshape({texts[1]}, {texts[0]}).T"))
    for one, other in ((0, 1), (1, 2), (2, 3), (-2, -1), (0, 2), (1, 3), (0, -1)):
        end = program.source.find(array)[1] + (program.is_wrapped(array))
        swap = f".swapaxes({one}, {other})"
        yield program.edit("reshape", Replacement(end, end, swap), extra=MORE)
        if max(one, other) < len(sizes):
            yield program.edit("reshape", program.put(node, whole + swap), extra=MORE)
    start = 0 if len(sizes) == 3 else 1
    if 3 <= len(sizes) <= 5:
        yield from _permute(program, node, text, texts, start)


def _permute(program: Program, node: ast.Call, text: str, sizes: list[str], start: int) -> Iterator[Edit]:
    """The sizes in another order, and the axes put back."""
    for moved in permutations(range(start, len(sizes))):
        order = [*range(start), *moved]
        if order != sorted(order):
            back = ", ".join(str(order.index(place)) for place in range(len(order)))
            shape = ", ".join(sizes[place] for place in order)
            yield program.edit("reshape", program.put(node, f"{text}.reshape({shape}).transpose({back})"), extra=MORE)


def change_transposes(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`x.reshape(…).transpose(…)` made at once; another pair of axes; the order undone instead of done."""
    found = _read_call(node, "transpose") or _read_call(node, "swapaxes")
    if found is None:
        return
    array, axes = found
    assert isinstance(node, ast.Call)  # noqa: S101
    numbers = [read_number(axis) for axis in axes]
    order = [number for number in numbers if isinstance(number, int)]
    if len(order) != len(axes):
        return
    swap = isinstance(node.func, ast.Attribute) and node.func.attr == "swapaxes"
    inner = _read_call(array, "reshape")
    if inner is not None:
        source, sizes = inner
        if swap and len(order) == 2 and max(order) < len(sizes):
            one, other = order
            order = list(range(len(sizes)))
            order[one], order[other] = order[other], order[one]
        if sorted(order) == list(range(len(sizes))):
            shape = ", ".join(program.read(sizes[place]) for place in order)
            yield program.edit("reshape", program.put(node, f"{program.write(source, 15)}.reshape({shape})"))
    if not swap and sorted(order) == list(range(len(order))):
        yield from _reorder(program, axes, order)


def _reorder(program: Program, axes: list[ast.expr], order: list[int]) -> Iterator[Edit]:
    inverse = [order.index(place) for place in range(len(order))]
    others = {tuple(inverse)}
    if len(order) <= 4:
        others |= set(permutations(range(len(order))))
    for other in sorted(others - {tuple(order)}):
        replacements = [
            program.source.replace(axis, str(new))
            for axis, was, new in zip(axes, order, other, strict=True)
            if was != new
        ]
        extra = -MORE if list(other) == inverse else MORE if len(replacements) > 2 else 0.0
        yield program.edit("reshape", *replacements, extra=extra)


def exchange_before_flattening(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Axes exchanged before an array is laid out in one row, or cut into another shape."""
    if not isinstance(node, ast.Attribute) or node.attr not in ("ravel", "flatten", "reshape", "flat"):
        return
    array = node.value
    if isinstance(array, ast.Name) and array.id in ("np", "numpy"):
        return
    end = program.source.find(array)[1] + program.is_wrapped(array)
    for pair in ("3, 4", "2, 3"):  # the rows of a window and the columns of the windows
        yield program.edit("reshape", Replacement(end, end, f".swapaxes({pair})"))
    for order in _LAYOUTS:
        yield program.edit("reshape", Replacement(end, end, f".transpose{order}"), extra=MORE)


def exchange_methods(program: Program, node: ast.AST) -> Iterator[Edit]:
    """reshape where transpose is meant, and the other way round."""
    for name, other in (("reshape", "transpose"), ("transpose", "reshape")):
        found = _read_call(node, name)
        if found is not None and found[1] and isinstance(node, ast.Call):
            end = program.source.find(node.func)[1]
            yield program.edit("reshape", Replacement(end - len(name), end, other))


def _read_call(node: ast.AST, name: str) -> tuple[ast.expr, list[ast.expr]] | None:
    """The array and the arguments of such a call of a method."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != name:
        return None
    value = node.func.value
    if isinstance(value, ast.Name) and value.id in ("np", "numpy"):
        return None
    sizes = node.args
    if len(sizes) == 1 and isinstance(sizes[0], ast.Tuple):
        sizes = sizes[0].elts
    if any(isinstance(each, ast.Starred) for each in sizes) or node.keywords:
        return None
    return value, sizes
