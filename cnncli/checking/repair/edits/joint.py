"""Edits in several places at once: the same slip made wherever it could be, and two deletions."""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from itertools import combinations, pairwise

from cnncli.checking.repair.edits.costs import SEVERAL, TWICE
from cnncli.checking.repair.edits.list import choose_best, find_all
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit, Source

MOST = 2500  # edits: each is run
MOST_PAIRS = 600
LIKELY, MOST_OF_ONE = 1.7, 20  # the cost of edits that are paired, and how many of one statement
_NAME = re.compile(r"(?<![\w.])(?!np\b|numpy\b|range\b|len\b)[A-Za-z_]\w*(\.shape\[-?\d+\]|(?!\w*\s*[(.=]))")


def list_joint_edits(source: Source, functions: Collection[str] | None = None) -> list[Edit]:
    """The same edit in all places or in neighbouring ones, and pairs of deletions; the likelier first."""
    program = Program(source, functions)
    singles = choose_best(program, find_all(program), 2 * MOST)
    pairs: list[Edit] = []
    for found in (_pair_deletions(singles), _pair_within_statements(program, singles)):
        pairs += sorted(found, key=lambda each: each.cost)[:MOST_PAIRS]
    alone = {edit.apply(source.text) for edit in singles}
    return choose_best(program, [*_repeat(program, singles), *pairs], MOST, alone)


def _repeat(program: Program, singles: list[Edit]) -> Iterator[Edit]:
    """The same change in all of a function's places, in those of a statement, and in two that follow one another."""
    for key in (_key_exactly, _key_around, _key_alike):
        groups = _group(program, singles, key)
        for group in groups:
            if len(group) > 1:
                yield from _choose_places(program, group)


Key = tuple[str, ...]


def _group(program: Program, singles: list[Edit], key: Callable[[Program, Edit], Key | None]) -> list[list[Edit]]:
    groups: dict[Key, list[Edit]] = defaultdict(list)
    for edit in singles:
        found = key(program, edit)
        if found is not None:
            groups[(edit.kind, *found)].append(edit)
    return [sorted(group, key=lambda each: each.replacements[0].start) for group in groups.values()]


def _choose_places(program: Program, group: list[Edit]) -> Iterator[Edit]:
    functions: dict[ast.AST | None, list[Edit]] = defaultdict(list)
    lines: dict[ast.AST | None, list[Edit]] = defaultdict(list)
    for edit in group:
        start = edit.replacements[0].start
        functions[program.function_at(start)].append(edit)
        lines[program.statement_at(start)].append(edit)
    for edits in [*functions.values(), *lines.values()]:
        yield from _join(edits, SEVERAL)
    for pair in pairwise(group):
        if program.text.count("\n", pair[0].replacements[0].start, pair[1].replacements[0].start) <= 2:
            yield from _join(list(pair), SEVERAL)


def _join(edits: list[Edit], extra: float) -> Iterator[Edit]:
    """Several edits as one, unless they overlap."""
    places = sorted((each for edit in edits for each in edit.replacements), key=lambda each: (each.start, each.end))
    apart = all(one.end <= other.start for one, other in pairwise(places))
    if len(edits) > 1 and apart:
        yield Edit(tuple(places), max(edit.cost for edit in edits) + extra, edits[0].kind)


def _key_exactly(program: Program, edit: Edit) -> Key | None:
    """The text of the innermost expression before and after."""
    return _read_change(program, edit, 0)


def _key_around(program: Program, edit: Edit) -> Key | None:
    """The text of the expression around it before and after."""
    return _read_change(program, edit, 1)


def _key_alike(program: Program, edit: Edit) -> Key | None:
    """The same, whatever the names are: `h - pool` is like `w - pool`."""
    found = _read_change(program, edit, 0)
    if found is None:
        return None
    names: dict[str, str] = {}
    before = _NAME.sub(lambda match: names.setdefault(match[0], f"?{len(names)}"), found[0])
    after = _NAME.sub(lambda match: names.get(match[0], match[0]), found[1])
    return before, after


def _read_change(program: Program, edit: Edit, outwards: int) -> Key | None:
    start, end = edit.replacements[0].start, edit.replacements[-1].end
    node = program.expression_at(start, end)
    for _ in range(outwards):
        parent = program.parent(node) if node is not None else None
        node = parent if isinstance(parent, ast.expr) else None
    if node is None:
        return None
    first, last = program.source.find(node)
    before = program.text[first:last]
    after = Edit(
        tuple(type(each)(each.start - first, each.end - first, each.text) for each in edit.replacements), 0.0, ""
    ).apply(before)
    return before, after


def _pair_deletions(singles: list[Edit]) -> Iterator[Edit]:
    """Two deletions of a file."""
    deletions = [edit for edit in singles if edit.kind.startswith("no ") and edit.kind != "no index"][:60]
    for one, other in combinations(deletions, 2):
        for joint in _join([one, other], TWICE):
            yield Edit(joint.replacements, one.cost + other.cost + TWICE, "two deletions")


def _pair_within_statements(program: Program, singles: list[Edit]) -> Iterator[Edit]:
    """Two likely edits of one statement."""
    groups: dict[ast.stmt | None, list[Edit]] = defaultdict(list)
    for edit in singles:
        statement = program.statement_at(edit.replacements[0].start)
        if edit.cost <= LIKELY and len(groups[statement]) < MOST_OF_ONE and edit.kind != "moved":
            groups[statement].append(edit)
    for edits in groups.values():
        for one, other in combinations(edits, 2):
            for joint in _join([one, other], TWICE):
                yield Edit(joint.replacements, one.cost + other.cost + TWICE, "two slips")
