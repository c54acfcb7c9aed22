"""One name for another: of an array, of a size, of an attribute."""

import ast
from collections.abc import Iterator

from cnncli.checking.repair.edits.costs import MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit

_NEAR = 8  # names: more alike than others, or used nearer
_PAIRS = ("ij", "rc", "uv", "hw", "HW", "pq", "mn", "xy", "ab", "kl", "st", "nc", "NC", "DK", "zy", "bn", "nm", "ac")


def replace_names(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A name that is read replaced by another one of its function, the likest first."""
    if not isinstance(node, ast.Name):
        return
    parent = program.parent(node)
    scope = program.scope(node)
    constant = node.id in program.constants and program.function(node) is not None
    if not (node.id in scope.lines or constant) or (isinstance(parent, ast.Call) and node is parent.func):
        return
    stored = not isinstance(node.ctx, ast.Load)
    if stored and not isinstance(parent, ast.Assign | ast.AugAssign):
        return
    known = [name for name in scope.known(node.lineno) if name not in (node.id, "_")]
    if stored:
        others = [name for name in known if name not in scope.counters]
    else:
        whole = constant or node.id in scope.whole
        others = [name for name in known if (name in scope.whole) == whole]
    ranked = sorted(others, key=lambda name: (find_distance(node.id, name), -scope.lines[name]))
    for place, name in enumerate(ranked[: 4 if stored else _NEAR]):
        near = find_distance(node.id, name) <= 1
        kind = "target" if stored else "similar name" if near else "name"
        yield program.edit(kind, program.source.replace(node, name), extra=MORE * (place > 3))


def find_distance(one: str, other: str) -> int:
    """How unlike two names are: 0 where only a digit, a d or the case differs, 1 for a pair such as i and j."""
    if _strip(one) == _strip(other):
        return 0
    if any({one, other} == set(pair) for pair in _PAIRS):
        return 1
    first = {each for each in zip(one, other, strict=False) if each[0] != each[1]}
    if len(one) == len(other) and len(first) == 1 and len(one) > 1:
        return 1
    shared = len(_strip(one)) > 1 and (one in other or other in one)
    return 2 if shared or len(one) == len(other) == 1 else 3


def _strip(name: str) -> str:
    return name.lower().strip("_0123456789").removeprefix("d").replace("_", "") or name


def replace_attributes(program: Program, node: ast.AST) -> Iterator[Edit]:
    """self.x replaced by self.y."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name) or node.value.id != "self":
        return
    if not isinstance(node.ctx, ast.Load) or program.is_called(node):
        return
    end = program.source.find(node)[1]
    ranked = sorted(program.attributes(node), key=lambda name: find_distance(node.attr, name))
    for name in [each for each in ranked if each != node.attr][:_NEAR]:
        near = find_distance(node.attr, name) <= 1
        replacement = program.source.replace(node, f"self.{name}")
        assert replacement.end == end  # noqa: S101
        yield program.edit("similar name" if near else "name", replacement)
