"""The matrices of an array as written numbers, cut as the table cuts them: what documents are made of."""

from collections.abc import Callable, Iterator

from cnncli.network.arrays import Array
from cnncli.reports.grids import Parts, as_matrices, grid_parts, number_writer
from cnncli.reports.look import Look

Cells = list[list[str | None]]  # the written numbers; None for a gap
Block = Callable[[str, Cells, Parts], Iterator[str]]  # the lines of one matrix


def in_blocks(values: Array, look: Look, block: Block) -> Iterator[str]:
    """Each matrix of an array, and how many are left out."""
    array = as_matrices(values)
    parts = grid_parts(array, array.shape[-1] if look.full else 2 * look.edge + 1, look)
    write = number_writer(array, look.precision)
    for index in parts.leading:
        label = f"[{','.join(map(str, index))}]" if parts.number > 1 else ""
        matrix = array[index]
        cells = [
            [None if row is None or column is None else write(matrix[row, column]) for column in parts.columns]
            for row in parts.rows
        ]
        yield from block(label, cells, parts)
    if parts.number > len(parts.leading):
        yield f"\nand {parts.number - len(parts.leading)} more like it"
