"""The picture of a trace, one PNG in landscape: the chain from left to right, each derivative beneath its value."""

import io
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cnncli.network.arrays import Array
from cnncli.network.tensors import LOSS, Tensor
from cnncli.reports.grids import number_writer
from cnncli.reports.trace.formulas import write_number
from cnncli.reports.trace.heading import caption
from cnncli.reports.trace.tiles import TileRow, colour, shrink
from cnncli.tracing.trace import Trace

WIDEST = 2700  # pixels of a page, beyond which the chain goes on below
TILE, LARGEST_TILE = 144, 256  # pixels of a tile's longer side, about; numbers of it that are kept
NUMBERED, MOST_NUMBERED = 44, 8  # pixels of a cell that holds its number; the longer side of such a tile
MOST_TILES = 16  # of a tensor
MARGIN, GUTTER, ARROW, LABEL = 20, 8, 44, 15  # pixels
FRAMEABLE = 12  # the least cell, in pixels, that is framed; smaller ones get a dot that leaves their colour to be seen
INK, FAINT, FRAME = (20, 20, 20), (105, 105, 105), (200, 200, 200)
ABOVE = 38  # pixels of a panel's title

LEGEND = "blue: above 0, red: below 0, each panel on its own scale; frames and dots: the maximum of each pooling window"

Column = dict[int, Image.Image]  # the panel of a value at 0, and of its derivative, beneath it, at 1


def picture_png(trace: Trace, rows: Sequence[TileRow], *, full: bool) -> bytes:
    """The tensors as panels; of one with more than 16 matrices the first, unless `full`."""
    shown = {_column(row.tensor) for row in rows}
    columns: dict[str, Column] = {name: {} for name in _in_order(trace) if name in shown}
    for row in rows:
        line = 0 if row.tensor.fraction is None else 1
        columns[_column(row.tensor)][line] = _panel(row, len(row.tiles) if full else MOST_TILES)
    photos: list[Column] = [{0: photo} for photo in _photo(trace)]
    pages = [_band(band) for band in _bands([*photos, *columns.values()])]
    return _png(_stack([_text(caption(trace), 16), *pages, _text(LEGEND, 12, FAINT)]))


def _column(tensor: Tensor) -> str:
    """The name of the column: a derivative of L stands beneath its value, a local derivative in a column of its own."""
    return tensor.fraction[1].name if tensor.fraction and tensor.fraction[0] == LOSS else tensor.name


def _in_order(trace: Trace) -> Iterator[str]:
    """All columns from X to L, a local derivative between the two values that it links."""
    for step in trace.chain.steps:
        yield from (tensor.name for tensor in step.reads)
        if step.local_derivative:
            yield step.local_derivative.tensor.name
    yield trace.chain.logit.name


def _photo(trace: Trace) -> Iterator[Image.Image]:
    """The image as it was before it became X, if it has colours."""
    normalisation = trace.subject.normalisation
    if normalisation is None or len(normalisation.mean) == 1:
        return
    X = trace.subject.X[0]  # (C, H, W)
    mean, std = (np.array(each)[:, None, None] for each in (normalisation.mean, normalisation.std))
    pixels = np.clip(np.rint((X * std + mean) * 255), 0, 255).astype(np.uint8).transpose(1, 2, 0)  # (H, W, 3)
    cell = max(TILE // max(pixels.shape[:2]), 1)
    yield _titled("the photo", f"{pixels.shape[0]}×{pixels.shape[1]}", Image.fromarray(_enlarge(pixels, cell)))


def _enlarge(pixels: Array, cell: int) -> Array:
    return pixels.repeat(cell, axis=0).repeat(cell, axis=1)


def _panel(row: TileRow, most: int) -> Image.Image:
    """A tensor: its name and size over its tiles, in a block about as wide as high."""
    matrices = [shrink(tile, LARGEST_TILE) for tile in row.tiles[:most]]
    longest = max(matrices[0].shape)
    several = len(matrices) > 4
    numbered, side = (36, 112) if several else (NUMBERED, TILE)
    cell = numbered if longest <= MOST_NUMBERED else max(side // longest, 1)
    height, width = (length * cell for length in matrices[0].shape)
    label = LABEL if len(row.tiles) > 1 else 0
    beside = _beside(len(matrices), width, height + label)
    lines = -(-len(matrices) // beside)
    block = Image.new("RGB", (beside * (width + GUTTER) - GUTTER, lines * (height + label + GUTTER) - GUTTER), "white")
    for place, matrix in enumerate(matrices):
        corner = place % beside * (width + GUTTER), place // beside * (height + label + GUTTER)
        winners = row.winners[place] if row.winners else None
        block.paste(_tile(matrix, row.largest, cell, winners), corner)
        if label:
            draw = ImageDraw.Draw(block)
            draw.text((corner[0], corner[1] + height), row.labels[place], FAINT, _font(11))
    shown = f", the first {most} of {len(row.tiles)}" if len(row.tiles) > len(matrices) else ""
    size = "×".join(map(str, row.tensor.shape))
    return _titled(row.name, f"{size}, largest {write_number(row.largest, 3)}{shown}", block)


def _beside(number: int, width: int, height: int) -> int:
    """How many tiles stand in a line so that the block is rather wide than high."""
    return min(range(1, number + 1), key=lambda beside: abs(beside * width - 1.5 * -(-number // beside) * height))


def _tile(matrix: Array, largest: float, cell: int, winners: Array | None) -> Image.Image:
    """The numbers as colours, written where there is room; winners framed, or marked by a dot."""
    tile = Image.fromarray(colour(matrix, largest, cell))
    draw = ImageDraw.Draw(tile)
    draw.rectangle((0, 0, tile.width - 1, tile.height - 1), outline=FRAME)
    if max(matrix.shape) <= MOST_NUMBERED:
        write = number_writer(matrix, 2)
        for (row, column), value in np.ndenumerate(matrix):
            place = (column + 0.5) * cell, (row + 0.5) * cell
            draw.text(place, write(value), INK if value else FAINT, _font(cell // 4), anchor="mm")
    for row, column in np.argwhere(winners if winners is not None else np.zeros((0, 2))).tolist():
        x, y = column * cell, row * cell
        if cell >= FRAMEABLE:
            draw.rectangle((x, y, x + cell - 1, y + cell - 1), outline=INK, width=max(cell // 16, 1))
        else:
            middle = x + cell // 2, y + cell // 2
            draw.rectangle((*middle, *middle), fill=INK)
    return tile


def _titled(title: str, line: str, block: Image.Image) -> Image.Image:
    """A panel: a title and a line of facts over a block."""
    line = _plain(line)
    width = round(max(block.width, _font(15).getlength(title), _font(11).getlength(line)))
    panel = Image.new("RGB", (width, ABOVE + block.height), "white")
    draw = ImageDraw.Draw(panel)
    draw.text((0, 0), title, INK, _font(15))
    draw.text((0, 20), line, FAINT, _font(11))
    panel.paste(block, (0, ABOVE))
    return panel


def _bands(columns: Sequence[Column]) -> Iterator[list[Column]]:
    """The columns in order, as many beside each other as fit."""
    waiting = list(columns)
    while waiting:
        number, width = 0, 0
        while number < len(waiting) and (number == 0 or width + _width(waiting[number]) <= WIDEST):
            width += _width(waiting[number]) + ARROW
            number += 1
        yield list(islice(waiting, number))
        del waiting[:number]


def _width(column: Column) -> int:
    return max(panel.width for panel in column.values())


def _band(columns: Sequence[Column]) -> Image.Image:
    """Values from left to right with arrows, and under them the way back."""
    lines = sorted({line for column in columns for line in column})
    heights = {line: max(column[line].height for column in columns if line in column) for line in lines}
    width = sum(_width(column) for column in columns) + ARROW * (len(columns) - 1)
    band = Image.new("RGB", (width, sum(heights.values()) + MARGIN * (len(lines) - 1)), "white")
    draw = ImageDraw.Draw(band)
    left = 0
    for number, column in enumerate(columns):
        top = 0
        for line in lines:
            if line in column:
                band.paste(column[line], (left, top))
            if number and line in column and line in columns[number - 1]:
                _arrow(draw, left - ARROW // 2, top + ABOVE + 24, forwards=line == 0)
            top += heights[line] + MARGIN
        left += _width(column) + ARROW
    return band


def _arrow(draw: ImageDraw.ImageDraw, x: int, y: int, *, forwards: bool) -> None:
    tip = 9 if forwards else -9
    draw.line((x - tip, y, x + tip, y), FAINT, 2)
    draw.polygon([(x + tip, y), (x, y - 5), (x, y + 5)], FAINT)


def _stack(parts: Sequence[Image.Image]) -> Image.Image:
    """Parts below each other on a page with margins."""
    width = max(part.width for part in parts) + 2 * MARGIN
    page = Image.new("RGB", (width, sum(part.height + MARGIN for part in parts) + MARGIN), "white")
    top = MARGIN
    for part in parts:
        page.paste(part, (MARGIN, top))
        top += part.height + MARGIN
    return page


def _text(text: str, size: int, ink: tuple[int, int, int] = INK) -> Image.Image:
    line = Image.new("RGB", (round(_font(size).getlength(_plain(text))) + 2, size + 6), "white")
    ImageDraw.Draw(line).text((0, 0), _plain(text), ink, _font(size))
    return line


def _plain(text: str) -> str:
    """The text in signs that the font has."""
    return text.replace("×", "x")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def _png(page: Image.Image) -> bytes:
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()
