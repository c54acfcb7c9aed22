"""The contact sheet: every tensor of a trace as a row of tiles, with a colour bar, in one PNG."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cnncli.network.arrays import Array
from cnncli.reports.trace.formulas import write_number
from cnncli.reports.trace.tiles import TileRow, colour, shrink

TILE = 144  # pixels of a tile's longer side, about; more where the tensor has more numbers: 28 get 5 pixels each
LARGEST_TILE = 256
MOST_TILES = 16  # of a row
MARGIN, GUTTER, TITLE, LABEL, BAR = 16, 10, 22, 16, 14  # pixels
MARKABLE = 5  # the least cell, in pixels, in which a winner's frame can be seen
INK, FAINT, FRAME = (20, 20, 20), (110, 110, 110), (200, 200, 200)


def picture_png(rows: Sequence[TileRow], *, full: bool) -> bytes:
    """The rows from top to bottom as one PNG; of a tensor of more than 16 matrices the first, unless `full`."""
    sheets = [_row(row, len(row.tiles) if full else MOST_TILES) for row in rows]
    width = max(sheet.width for sheet in sheets) + 2 * MARGIN
    height = sum(sheet.height + MARGIN for sheet in sheets) + MARGIN
    page = Image.new("RGB", (width, height), "white")
    top = MARGIN
    for sheet in sheets:
        page.paste(sheet, (MARGIN, top))
        top += sheet.height + MARGIN
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def _row(row: TileRow, most: int) -> Image.Image:
    """The title over the tiles, eight to a line, the colour bar at their right."""
    matrices = [shrink(tile, LARGEST_TILE) for tile in row.tiles[:most]]
    cell = max(TILE // max(matrices[0].shape), 1)
    height, width = (length * cell for length in matrices[0].shape)
    beside = min(len(matrices), 8)
    lines = -(-len(matrices) // beside)
    tiles_width, tiles_height = beside * (width + GUTTER), lines * (height + LABEL)
    left_out = len(row.tiles) - len(matrices)
    title = row.title + (f"   the first {most} of {len(row.tiles)}" if left_out else "")
    if row.winners and cell >= MARKABLE:
        title += "   framed: each window's maximum"
    font = ImageFont.load_default(size=15)
    bar_height = max(tiles_height - LABEL, 3 * LABEL)
    sheet_width = max(round(font.getlength(title)), tiles_width + BAR + 90)
    sheet = Image.new("RGB", (sheet_width, TITLE + max(tiles_height, bar_height + LABEL)), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((0, 0), title, INK, font)
    for place, matrix in enumerate(matrices):
        left, top = place % beside * (width + GUTTER), TITLE + place // beside * (height + LABEL)
        sheet.paste(Image.fromarray(colour(matrix, row.largest, cell)), (left, top))
        draw.rectangle((left, top, left + width - 1, top + height - 1), outline=FRAME)
        draw.text((left, top + height + 1), row.labels[place], FAINT, ImageFont.load_default(size=12))
        if row.winners and cell >= MARKABLE:
            _frame(draw, row.winners[place], left, top, cell)
    _bar(sheet, row.largest, tiles_width, bar_height)
    return sheet


def _frame(draw: ImageDraw.ImageDraw, winners: Array, left: int, top: int, cell: int) -> None:
    for row, column in np.argwhere(winners).tolist():
        x, y = left + column * cell, top + row * cell
        draw.rectangle((x, y, x + cell - 1, y + cell - 1), outline=INK, width=max(cell // 12, 1))


def _bar(sheet: Image.Image, largest: float, left: int, height: int) -> None:
    """The scale of a row, from the largest positive number at the top to the largest negative one."""
    values = np.linspace(largest, -largest, height)[:, None]
    sheet.paste(Image.fromarray(colour(values, largest, 1).repeat(BAR, axis=1)), (left, TITLE))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    for value, top in ((largest, 0), (0.0, height // 2 - 7), (-largest, height - 14)):
        draw.text((left + BAR + 4, TITLE + top), write_number(value, 4), INK, font)
