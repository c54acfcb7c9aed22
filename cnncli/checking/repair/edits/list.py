"""All edits of a program, the likelier first."""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator

from cnncli.checking.repair.edits import (
    constants,
    deletions,
    insertions,
    letters,
    masks,
    names,
    operators,
    shapes,
    sizes,
    statements,
    windows,
    words,
)
from cnncli.checking.repair.edits.lines import SharedLineError
from cnncli.checking.repair.edits.parsing import still_parses
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit, Source

MOST = 2500  # edits: each is run
MOST_WRITTEN = 30_000_000  # characters of changed files, a second or two of a file of hundreds of lines
MOST_SIZES = 600  # the largest family, which must not push out the others
KINDS: tuple[Callable[[Program, ast.AST], Iterator[Edit]], ...] = (
    operators.swap_comparisons,
    operators.swap_operators,
    operators.exchange_factors,
    constants.swap_parts,
    operators.change_signs,
    operators.swap_logic,
    operators.change_assignments,
    operators.change_powers,
    words.swap_functions,
    words.swap_words,
    words.widen_types,
    words.give_types,
    constants.change_numbers,
    constants.change_axes,
    constants.swap_members,
    constants.reverse_members,
    constants.flip_truths,
    deletions.delete_operands,
    deletions.delete_calls,
    deletions.delete_keywords,
    deletions.delete_indexes,
    insertions.change_by_one,
    insertions.multiply,
    insertions.turn,
    insertions.copy,
    insertions.give_axes,
    insertions.extend_conditions,
    masks.derive_relu,
    masks.give_masks,
    masks.give_columns,
    masks.change_values,
    windows.move_windows,
    windows.name_rows,
    windows.repeat_indexes,
    windows.turn_loops,
    names.replace_names,
    names.replace_attributes,
    letters.change_formulas,
    shapes.change_reshapes,
    shapes.change_transposes,
    shapes.exchange_before_flattening,
    shapes.exchange_methods,
    statements.delete_statements,
    statements.change_conditions,
    statements.move_statements,
    statements.give_jumps,
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
    found = [edit for node in program.nodes for edit in sizes.replace_sizes(program, node)]
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
