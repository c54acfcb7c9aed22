"""Whole statements: left out, done always or never, moved to where they belong."""

import ast
from collections.abc import Iterator

from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.lines import Lines
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit

_SIMPLE = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr
_LOOPS = ast.For | ast.While


def delete_statements(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A statement that should not be there, or an `if` with all that it holds."""
    if not isinstance(node, _SIMPLE | ast.If | ast.Continue | ast.Break) or program.parent(node) is None:
        return
    if isinstance(node, ast.If) and any(isinstance(each, ast.Return | ast.Raise) for each in ast.walk(node)):
        extra = MORE
    else:
        extra = _doubt_deletion(program, node)
    lines = Lines(program)
    yield program.edit("no statement", lines.remove(node), extra=extra)


def _doubt_deletion(program: Program, node: ast.stmt) -> float:
    """The only assignment of a name cannot be left out."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        lines = program.scope(node).lines
        if any(isinstance(target, ast.Tuple) for target in targets) or any(
            lines.get(name) == node.lineno for name in names
        ):
            return FAR
    return 0.0


def change_conditions(program: Program, node: ast.AST) -> Iterator[Edit]:
    """A condition that always holds, or never."""
    if not isinstance(node, ast.If):
        return
    lines = Lines(program)
    if not lines.is_elif(node):
        yield program.edit("no condition", lines.unwrap(node, node.body))
        if node.orelse and not lines.is_elif(node.orelse[0]):
            yield program.edit("no condition", lines.unwrap(node, node.orelse))


def move_statements(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Two neighbours exchanged, a statement moved into a loop or out of it."""
    if not isinstance(node, ast.stmt) or program.parent(node) is None:
        return
    block = program.block(node)
    place = next(place for place, each in enumerate(block) if each is node)
    lines = Lines(program)
    following = block[place + 1] if place + 1 < len(block) else None
    if following is not None and not program.is_harmful(following) and not _is_end(node, following):
        yield program.edit("moved", *lines.swap(node, following), extra=_doubt_swap(node, following))
    if isinstance(node, _LOOPS | ast.If | ast.With):
        yield from _move_past_edges(program, lines, block, place, node)


def _is_end(*statements: ast.stmt) -> bool:
    ends = ast.Return | ast.Continue | ast.Break | ast.Raise | ast.FunctionDef | ast.ClassDef
    return any(isinstance(each, ends) for each in statements)


def _doubt_swap(one: ast.stmt, other: ast.stmt) -> float:
    """Two statements of which neither reads what the other writes may stand in any order."""
    names = [[each for each in ast.walk(node) if isinstance(each, ast.Name)] for node in (one, other)]
    written = [{each.id for each in of_one if isinstance(each.ctx, ast.Store)} for of_one in names]
    named = [{each.id for each in of_one} for of_one in names]
    return MORE if written[0] & named[1] or written[1] & named[0] else 2 * FAR


def _move_past_edges(
    program: Program, lines: Lines, block: list[ast.stmt], place: int, node: ast.For | ast.While | ast.If | ast.With
) -> Iterator[Edit]:
    """Between the inside of a loop and what stands before and behind it."""
    first, last = node.body[0], node.body[-1]
    loop = isinstance(node, _LOOPS)
    if place and loop and isinstance(block[place - 1], _SIMPLE) and not program.is_harmful(block[place - 1]):
        yield from _move_in(program, lines, block[place - 1], node)
        if place > 1 and isinstance(block[place - 2], _SIMPLE) and not program.is_harmful(block[place - 2]):
            yield from _move_in(program, lines, block[place - 2], node, MORE)
    if len(node.body) > 1:
        if isinstance(first, _SIMPLE) and not program.is_harmful(first):
            yield program.edit("moved", *lines.move(first, node, before=True), extra=MORE)
        if isinstance(last, _SIMPLE | ast.Return | ast.If) and not program.is_harmful(last) and not _jumps(last):
            yield program.edit("moved", *lines.move(last, node, before=False))
    following = block[place + 1] if place + 1 < len(block) else None
    if isinstance(following, _SIMPLE) and not program.is_harmful(following):
        yield program.edit("moved", *lines.move(following, last, before=False))


def _move_in(program: Program, lines: Lines, node: ast.stmt, loop: ast.stmt, extra: float = 0.0) -> Iterator[Edit]:
    """To the beginning of a loop's body, or of that of a loop within it: a sum that is to begin anew."""
    for _ in range(4):
        if not isinstance(loop, _LOOPS):
            return
        yield program.edit("moved", *lines.move(node, loop.body[0], before=True), extra=extra)
        loop = next((each for each in loop.body if isinstance(each, _LOOPS)), loop.body[0])


def _jumps(node: ast.stmt) -> bool:
    return any(isinstance(each, ast.Continue | ast.Break) for each in ast.walk(node))


def give_jumps(program: Program, node: ast.AST) -> Iterator[Edit]:
    """`continue` for `break`."""
    if isinstance(node, ast.Continue | ast.Break):
        other = "break" if isinstance(node, ast.Continue) else "continue"
        yield program.edit("function", program.source.replace(node, other))
