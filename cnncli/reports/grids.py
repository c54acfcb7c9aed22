"""Arrays as aligned grids of numbers, tinted by sign and size, and cut in the middle where they are large."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from rich.text import Text

from cnncli.network.arrays import Array
from cnncli.reports.look import PRECISION, Look
from cnncli.reports.tints import largest_of, tints

WHOLE = 200  # an array of at most so many numbers is never cut if its rows fit the width
GAP = "…"


def grid(values: Array, width: int, look: Look) -> tuple[Text, bool]:
    """An array of any rank as lines of at most `width`, and whether something was left out.

    The last two axes are rows and columns. Every leading index is a block of its own, [n] or [n,c], side by side as far
    as they fit.
    """
    array = as_matrices(values)
    write = number_writer(array, look.precision)
    cell = max(len(write(value)) for value in (array.min(), array.max()))  # no number is wider than the outermost two
    parts = grid_parts(array, width // (cell + 2), look)
    paint = _painter(array, look)
    blocks = []
    for index in parts.leading:
        lines = [Text(_label(index))] if parts.number > 1 else []
        lines += [_row(array[index], row, parts.columns, write, paint, cell) for row in parts.rows]
        blocks.append(lines)
    text = Text("\n").join(_side_by_side(blocks, width))
    if len(parts.leading) < parts.number:
        text.append(f"\n{GAP} and {parts.number - len(parts.leading)} more like it", "dim")
    return text, parts.cut


class Parts(NamedTuple):
    """What is shown of an array; None stands for the gap in the middle."""

    leading: list[tuple[int, ...]]
    number: int  # of leading indices that there are
    rows: list[int | None]
    columns: list[int | None]

    @property
    def cut(self) -> bool:
        """Whether something was left out."""
        return len(self.leading) < self.number or None in self.rows or None in self.columns


def grid_parts(array: Array, fitting: int, look: Look) -> Parts:
    """What to show of an array of which `fitting` columns can be shown: all, or the edges of its first matrix."""
    whole = look.full or (array.size <= WHOLE and array.shape[-1] <= fitting)
    leading = list(np.ndindex(array.shape[:-2]))
    height, width = array.shape[-2:]
    return Parts(
        leading if whole else leading[:1],
        len(leading),
        _keep(height, height if whole else 2 * look.edge + 1),
        _keep(width, width if whole else min(fitting, 2 * look.edge + 1)),
    )


def as_matrices(values: Array) -> Array:
    """The array with at least two axes: one number or one row becomes a matrix."""
    return values.reshape((1,) * (2 - values.ndim) + values.shape) if values.ndim < 2 else values


def number_writer(array: Array, precision: int = PRECISION) -> Callable[[float], str]:
    """How the numbers of an array are written, all alike: whole, with up to `precision` decimals, or scientific.

    An exact zero is "0"; a number that only rounds to zero keeps its decimals, if any, so that the two are told apart.
    """
    finite = array[np.isfinite(array)]
    largest = np.abs(finite).max(initial=0)
    if largest >= 1e6 or 0 < largest < 1e-3:
        return lambda value: "0" if value == 0 else f"{value:.{max(precision - 1, 0)}e}"
    # The first numbers answer for nearly every large array.
    off = min(1e-12, 10.0 ** -(precision + 2))  # rounding in the last bits of 0.1 + 0.2 is not worth a decimal
    exact = (d for d in range(precision) if _have_decimals(finite[:64], d, off) and _have_decimals(finite, d, off))
    decimals = next(exact, precision)
    if not decimals:
        return lambda value: f"{value:z.0f}"  # "-0" would be neither
    return lambda value: "0" if value == 0 else f"{value:.{decimals}f}"


def _have_decimals(values: Array, decimals: int, off: float) -> bool:
    return bool((np.abs(values - np.round(values, decimals)) <= off).all())


def _keep(length: int, most: int) -> list[int | None]:
    """The indices of an axis that are shown, at most `most`, None for the gap in the middle."""
    if length <= max(most, 2):  # a gap between two numbers would hide none
        return [*range(length)]
    edge = max((most - 1) // 2, 1)
    return [*range(edge), None, *range(length - edge, length)]


def _row(
    matrix: Array,
    row: int | None,
    columns: Sequence[int | None],
    write: Callable[[float], str],
    paint: Callable[[float], str],
    cell: int,
) -> Text:
    line = Text()
    for column in columns:
        if row is None or column is None:
            line.append(f" {GAP:>{cell}} ", "dim")
        else:
            value = matrix[row, column]
            line.append(f" {write(value):>{cell}} ", paint(value))
    return line


def _side_by_side(blocks: Sequence[Sequence[Text]], width: int) -> Iterator[Text]:
    """The lines of blocks of equal size, as many blocks beside each other as fit."""
    block_width = max(line.cell_len for line in blocks[0])
    beside = max((width + 2) // (block_width + 2), 1)
    for first in range(0, len(blocks), beside):
        for parts in zip(*blocks[first : first + beside], strict=True):
            line = Text()
            for part in parts:
                line.append_text(part).append(" " * (block_width - part.cell_len + 2))
            line.rstrip()
            yield line


def _label(index: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, index))}]"


def _painter(array: Array, look: Look) -> Callable[[float], str]:
    """The style of a number: black on its tint; zero, and what is no finite number, is dim."""
    largest = largest_of(array)

    def style(value: float) -> str:
        if value == 0 or not np.isfinite(value):
            return "dim"
        if not look.shades:
            return f"#000000 on bright_{'blue' if value > 0 else 'red'}"
        red, green, blue = tints(np.array(value), largest)
        return f"#000000 on #{red:02x}{green:02x}{blue:02x}"

    return style
