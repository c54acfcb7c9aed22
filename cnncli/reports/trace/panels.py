"""The panels of a picture: one tensor as tiles, with its numbers where there is room."""

from collections.abc import Callable
from math import floor, log10

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cnncli.network.arrays import Array
from cnncli.reports.grids import number_writer
from cnncli.reports.trace.formulas import write_number
from cnncli.reports.trace.tiles import MOST_NUMBERED, TileRow, colour, shrink

LARGEST_TILE = 256  # numbers of a tile's side that are kept
SIDES = {4: 144, 8: 112, 1000: 72}  # pixels of a tile's longer side, about, for up to so many tiles
NUMBERED = {4: (MOST_NUMBERED, 44), 8: (4, 36)}  # the longest side of tiles that hold numbers, and a cell's pixels
GUTTER, LABEL = 8, 15  # pixels between tiles, and of the line under each
FRAMEABLE, DOTTABLE = 12, 6  # the least cells, in pixels, whose winners are framed, and marked by a dot
INK, FAINT, FRAME = (20, 20, 20), (105, 105, 105), (200, 200, 200)
ABOVE = 38  # pixels of a panel's title


def draw_panel(row: TileRow, most: int) -> Image.Image:
    """A tensor: its name and size over its tiles, in a block about as wide as high."""
    matrices = [shrink(tile, LARGEST_TILE) for tile in row.tiles[:most]]
    cell, write = _scale(row, matrices)
    height, width = (length * cell for length in matrices[0].shape)
    labels = label_tiles(row, matrices, numbered=write is not None)
    label = LABEL if any(labels) else 0
    beside = _beside(len(matrices), width, height + label)
    lines = -(-len(matrices) // beside)
    block = Image.new("RGB", (beside * (width + GUTTER) - GUTTER, lines * (height + label + GUTTER) - GUTTER), "white")
    for place, matrix in enumerate(matrices):
        corner = place % beside * (width + GUTTER), place // beside * (height + label + GUTTER)
        winners = row.winners[place] if row.winners else None
        block.paste(_tile(matrix, row.largest, cell, winners, write), corner)
        ImageDraw.Draw(block).text((corner[0], corner[1] + height), labels[place], FAINT, font(11))
    shown = f", the first {most} of {len(row.tiles)}" if len(row.tiles) > len(matrices) else ""
    size = "×".join(map(str, row.tensor.shape))
    single = sum(tile.size for tile in row.tiles) == 1
    largest = write_number(row.largest if any(tile.any() for tile in row.tiles) else 0.0, 3)
    return titled(row.name, "" if single else f"{size}, largest {largest}{shown}", block)


def label_tiles(row: TileRow, matrices: list[Array], *, numbered: bool) -> list[str]:
    """The index of each tile where there are several, and which of them are 0 where no number says so."""
    indices = row.labels if len(row.tiles) > 1 else [""]
    notes = ["" if numbered or matrix.any() else "all 0" for matrix in matrices]
    return [f"{index} {note}".strip() for index, note in zip(indices, notes, strict=False)]


def marks_winners(row: TileRow, most: int) -> bool:
    """Whether the panel has frames or dots."""
    return bool(row.winners) and _scale(row, [shrink(tile, LARGEST_TILE) for tile in row.tiles[:most]])[0] >= DOTTABLE


def titled(title: str, line: str, block: Image.Image) -> Image.Image:
    """A panel: a title and a line of facts over a block."""
    line = plain(line)
    width = round(max(block.width, font(15).getlength(title), font(11).getlength(line)))
    panel = Image.new("RGB", (width, ABOVE + block.height), "white")
    draw = ImageDraw.Draw(panel)
    draw.text((0, 0), title, INK, font(15))
    draw.text((0, 20), line, FAINT, font(11))
    panel.paste(block, (0, ABOVE))
    return panel


def plain(text: str) -> str:
    """The text in signs that the font has."""
    return text.replace("×", "x")


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of that many pixels."""
    return ImageFont.load_default(size=size)


def _scale(row: TileRow, matrices: list[Array]) -> tuple[int, Callable[[float], str] | None]:
    """The pixels of a cell, and how its number is written; None where it has no room for one."""
    longest, count = max(matrices[0].shape), len(matrices)
    few = len(row.tensor.axes) > 1 or matrices[0].size <= MOST_NUMBERED  # a long vector is no matrix to read
    for most, (side, cell) in NUMBERED.items():
        if few and count <= most and longest <= side:
            values = np.concatenate([tile.ravel() for tile in row.tiles])
            return cell, number_writer(values, _decimals(row.largest, values.size))
    return max(next(side for most, side in SIDES.items() if count <= most or most == 1000) // longest, 1), None


def _decimals(largest: float, size: int) -> int:
    """As many as give the largest number two digits; a single number has room for four."""
    if size == 1:
        return 4
    return 2 if largest < 1e-3 else max(2, 1 - floor(log10(largest)))


def _beside(number: int, width: int, height: int) -> int:
    """How many tiles stand in a line so that the block is rather wide than high."""
    return min(range(1, number + 1), key=lambda beside: abs(beside * width - 1.5 * -(-number // beside) * height))


def _tile(
    matrix: Array, largest: float, cell: int, winners: Array | None, write: Callable[[float], str] | None
) -> Image.Image:
    """The numbers as colours, written where there is room; winners framed, or marked by a dot, if that leaves room."""
    tile = Image.fromarray(colour(matrix, largest, cell))
    draw = ImageDraw.Draw(tile)
    draw.rectangle((0, 0, tile.width - 1, tile.height - 1), outline=FRAME)
    if write:
        fitting = _fit([write(value) for value in matrix.ravel().tolist()], cell)
        for (row, column), value in np.ndenumerate(matrix):
            place = (column + 0.5) * cell, (row + 0.5) * cell
            draw.text(place, write(value), INK if value else FAINT, fitting, anchor="mm")
    for row, column in np.argwhere(winners).tolist() if winners is not None and cell >= DOTTABLE else ():
        x, y = column * cell, row * cell
        if cell >= FRAMEABLE:
            draw.rectangle((x, y, x + cell - 1, y + cell - 1), outline=INK, width=max(cell // 16, 1))
        else:
            middle = x + cell // 2, y + cell // 2
            draw.rectangle((*middle, *middle), fill=INK)
    return tile


def _fit(texts: list[str], cell: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The largest font, up to a quarter of the cell, in which all texts fit into a cell."""
    sizes = range(cell // 4, 5, -1)
    return next((font(size) for size in sizes if max(map(font(size).getlength, texts)) <= cell - 4), font(6))
