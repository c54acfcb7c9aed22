"""The tensors of a trace as half-block pictures in the terminal: two rows of numbers in each line of text."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from cnncli.network.arrays import Array
from cnncli.reports.look import Look
from cnncli.reports.trace.formulas import write_number
from cnncli.reports.trace.tiles import TileRow, colour, shrink

Pixels = NDArray[np.uint8]

LEAST, MOST = 16, 36  # columns of a picture: small matrices are enlarged, large ones shrunk
GAP = 2  # columns


def print_heat(console: Console, rows: Sequence[TileRow], look: Look) -> None:
    """A title with its scale and the pictures of each tensor, one line of them unless `full`; it needs colours."""
    for row in rows:
        largest = write_number(row.largest, look.precision)
        console.print(Text(row.title, "bold").append(f"   -{largest} … {largest}", "not bold"), soft_wrap=True)
        pictures = [_picture(tile, row.largest) for tile in row.tiles]
        wide = pictures[0].shape[1]
        beside = max((console.width + GAP) // (wide + GAP), 1)
        shown = len(pictures) if look.full else beside
        for first in range(0, min(shown, len(pictures)), beside):
            group = pictures[first : first + beside]
            if len(pictures) > 1:
                console.print(
                    "".join(f"{label:<{wide + GAP}}" for label in row.labels[first : first + beside]).rstrip()
                )
            console.print(Text("\n").join(_lines(group)), no_wrap=True)
        if shown < len(pictures):
            console.print(Text(f"… and {len(pictures) - shown} more like it", "dim"))
        console.print()


def _picture(matrix: Array, largest: float) -> Pixels:
    """A tile's colours: (h, w, 3)."""
    small = shrink(matrix, MOST)
    return colour(small, largest, max(LEAST // max(small.shape), 1))


def _lines(pictures: Sequence[Pixels]) -> Iterator[Text]:
    """Pictures of one size beside each other: the upper row of each two is the sign's colour, the lower its ground."""
    for row in range(0, len(pictures[0]), 2):
        line = Text()
        for picture in pictures:
            for column in picture[row : row + 2].swapaxes(0, 1).tolist():
                line.append("▀", " on ".join(map(_hex, column)))  # an odd last row has no ground
            line.append(" " * GAP)
        line.rstrip()
        yield line


def _hex(colour: Sequence[int]) -> str:
    red, green, blue = colour
    return f"#{red:02x}{green:02x}{blue:02x}"
