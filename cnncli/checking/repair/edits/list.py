"""All edits of a program, the likelier first."""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator

from cnncli.checking.repair.edits.constants import (
    change_axes,
    change_numbers,
    flip_truths,
    reverse_members,
    swap_members,
    swap_parts,
)
from cnncli.checking.repair.edits.deletions import delete_calls, delete_indexes, delete_keywords, delete_operands
from cnncli.checking.repair.edits.insertions import (
    change_by_one,
    copy,
    extend_conditions,
    give_axes,
    multiply,
    replace_divisors,
    turn,
)
from cnncli.checking.repair.edits.letters import change_formulas
from cnncli.checking.repair.edits.lines import SharedLineError
from cnncli.checking.repair.edits.masks import change_values, derive_relu, give_columns, give_masks, mark_first
from cnncli.checking.repair.edits.names import replace_attributes, replace_names
from cnncli.checking.repair.edits.operators import (
    change_assignments,
    change_powers,
    change_signs,
    exchange_factors,
    swap_comparisons,
    swap_logic,
    swap_operators,
)
from cnncli.checking.repair.edits.parsing import still_parses
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.edits.shapes import (
    change_reshapes,
    change_transposes,
    exchange_before_flattening,
    exchange_methods,
)
from cnncli.checking.repair.edits.sizes import replace_sizes
from cnncli.checking.repair.edits.statements import change_conditions, delete_statements, give_jumps, move_statements
from cnncli.checking.repair.edits.windows import move_windows, name_rows, repeat_indexes, turn_loops
from cnncli.checking.repair.edits.words import give_types, swap_functions, swap_words, widen_types
from cnncli.checking.repair.source import Edit, Source

MOST = 2500  # edits: each is run
MOST_WRITTEN = 30_000_000  # characters of changed files, a second or two of a file of hundreds of lines
MOST_SIZES = 600  # the largest family, which must not push out the others
KINDS: tuple[Callable[[Program, ast.AST], Iterator[Edit]], ...] = (
    swap_comparisons,
    swap_operators,
    exchange_factors,
    swap_parts,
    change_signs,
    swap_logic,
    change_assignments,
    change_powers,
    swap_functions,
    swap_words,
    widen_types,
    give_types,
    change_numbers,
    change_axes,
    swap_members,
    reverse_members,
    flip_truths,
    delete_operands,
    delete_calls,
    delete_keywords,
    delete_indexes,
    change_by_one,
    multiply,
    replace_divisors,
    turn,
    copy,
    give_axes,
    extend_conditions,
    mark_first,
    derive_relu,
    give_masks,
    give_columns,
    change_values,
    move_windows,
    name_rows,
    repeat_indexes,
    turn_loops,
    replace_names,
    replace_attributes,
    change_formulas,
    change_reshapes,
    change_transposes,
    exchange_before_flattening,
    exchange_methods,
    delete_statements,
    change_conditions,
    move_statements,
    give_jumps,
)


def list_edits(source: Source, functions: Collection[str] | None = None) -> list[Edit]:
    """All single edits of a file, or of these functions, classes and constants of it; the likelier first."""
    program = Program(source, functions)
    return choose_best(program, find_all(program))


def find_all(program: Program) -> Iterator[Edit]:
    """Every edit of every kind, and the likeliest of the sizes."""
    for node in program.nodes:
        for find in KINDS:
            try:
                yield from find(program, node)
            except SharedLineError:
                continue
    found = [edit for node in program.nodes for edit in replace_sizes(program, node)]
    yield from sorted(found, key=lambda each: each.cost)[:MOST_SIZES]


def choose_best(program: Program, edits: Iterable[Edit], most: int = MOST, known: Collection[str] = ()) -> list[Edit]:
    """The likeliest, each resulting text once and none that is known; those that are still a program."""
    chosen: list[Edit] = []
    seen = {hash(text) for text in (program.text, *known)}
    written = 0
    for edit in sorted(edits, key=lambda each: each.cost):
        text = edit.apply(program.text)
        if hash(text) not in seen and still_parses(program, edit, text):
            seen.add(hash(text))
            chosen.append(edit)
        written += len(text)
        if len(chosen) == most or written > MOST_WRITTEN:
            break
    return chosen
