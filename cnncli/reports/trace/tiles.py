"""The tensors of a trace as rows of tiles, for a picture and for the terminal."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array
from cnncli.network.record import Recorded
from cnncli.network.steps.step import KinkedStep
from cnncli.network.tensors import Tensor
from cnncli.reports.tints import largest_of, tints
from cnncli.tracing.trace import Trace

MOST_NUMBERED = 8  # numbers of a tile's side that can be written into it


@dataclass(frozen=True)
class TileRow:
    """One tensor: a matrix for each of its leading indices, all on one colour scale."""

    name: str  # "Z1", "Z1[3]"
    tensor: Tensor
    formula: str
    tiles: list[Array]  # each (h, w)
    labels: list[str]
    largest: float  # the |value| that gets the full colour
    winners: list[NDArray[np.bool_]]  # for A and dL/dA: where each window's maximum is, as the tiles; else empty

    @property
    def title(self) -> str:
        """The equation and the shape."""
        return f"{self.name}{f' = {self.formula}' if self.formula else ''}   {self.tensor.shape}"


def tile_rows(trace: Trace, shown: Trace, *, vectors: bool = False) -> Iterator[TileRow]:
    """The image, the filters and what each makes of it, forwards and back to dL/dX; or all values, the small ones too.

    `shown` is the trace or a narrowed part of it; the winners are always those of the whole one.
    """
    for step in shown.steps:
        if len(step.tensor.axes) < 3 and not vectors:
            continue
        value = step.value if len(step.tensor.axes) > 2 else _fold(step.value, step.tensor.axes)
        leading = list(np.ndindex(value.shape[:-2]))
        winners = _find_winners(trace, step)
        yield TileRow(
            step.name,
            step.tensor,
            step.formula,
            [value[index] for index in leading],
            [f"[{','.join(map(str, index))}]" if index else "" for index in leading],
            largest_of(step.value),
            [] if winners is None else [winners[index] for index in leading],
        )


def _fold(value: Array, axes: str) -> Array:
    """One number or row of numbers as a matrix, of which no entry is made up; so each output's row of a dense layer.

    A few numbers become a column, as beside w2, but the biases of filters a row, which fits beneath these.
    """
    if value.ndim == 2 and max(value.shape) <= MOST_NUMBERED:
        return value if len(set(axes)) == 1 else value.T  # a column for each output, beside F
    length = value.shape[-1] if value.ndim else 1
    across = next(side for side in range(int(length**0.5), 0, -1) if length % side == 0)
    rows = length // across if length > MOST_NUMBERED else length
    if axes == "N":
        rows = length // rows
    return value.reshape(*value.shape[:-1], rows, length // rows)


def shrink(matrix: Array, most: int) -> Array:
    """A matrix of at most most×most: each number stands for a square of them, of which it is the strongest."""
    side = -(-max(matrix.shape) // most)
    if side == 1:
        return matrix
    height, width = (-(-length // side) for length in matrix.shape)
    padded = np.zeros((height * side, width * side), matrix.dtype)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    squares = padded.reshape(height, side, width, side).swapaxes(1, 2).reshape(height, width, -1)
    return np.take_along_axis(squares, np.abs(squares).argmax(axis=-1)[..., None], axis=-1)[..., 0]


def colour(matrix: Array, largest: float, cell: int) -> NDArray[np.uint8]:
    """A tile's pixels, cell×cell for each number: (h, w) → (h·cell, w·cell, 3)."""
    return tints(matrix, largest).repeat(cell, axis=0).repeat(cell, axis=1)


def _find_winners(trace: Trace, step: Recorded) -> NDArray[np.bool_] | None:
    """Where the windows' maxima are, for a value that windows choose from, its gradient, or one filter of it."""
    tensor = step.tensor.fraction[1] if step.tensor.fraction else step.tensor
    reader = trace.chain.readers.get(tensor.name)
    if not (isinstance(reader, KinkedStep) and reader.selects):
        return None
    passed = reader.backward(np.ones((1, *reader.output.shape)), trace[tensor.name][None])[0][0]  # (N, h, w)
    won: NDArray[np.bool_] = passed[tuple(slice(None) if place is None else place for place in step.part)] == 1
    return won
