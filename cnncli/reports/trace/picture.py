"""The picture of a trace, one PNG in landscape: the chain from left to right, each derivative beneath its value.

Between two values stands their link: an arrow for each way, from which hangs what the step reads beside its source, the
parameters, and what the way back makes or needs there, their derivatives and the local one.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from cnncli.network.arrays import Array
from cnncli.network.tensors import Tensor
from cnncli.reports.trace.heading import caption
from cnncli.reports.trace.panels import ABOVE, FAINT, INK, draw_panel, font, marks_winners, plain, titled
from cnncli.reports.trace.tiles import TileRow
from cnncli.tracing.trace import Trace

NARROWEST, WIDER = 2000, 100  # pixels: the least width of a page of several bands, and the steps to wider ones
SHAPE = 0.6  # the height of a page for its width, about
TILE = 144  # pixels of the photo's longer side, about
MOST_TILES = 16  # of a tensor
MARGIN, SPACE = 20, 12  # pixels between bands and parts of them, and between columns
ARROW, STEM, TIP = 44, 26, 5  # pixels: the shortest arrow, what links a panel to it, half the width of a tip
LINE = ABOVE + 20  # pixels from the top of a panel to the arrow beside it

LEGEND = "blue: above 0, red: below 0, each panel on its own scale"
WINNERS = "; frames and dots: the maximum of each pooling window"

Panels = Mapping[str, Image.Image]


class Column(NamedTuple):
    """A value over its derivative, or the two ways of a link; either may be missing."""

    above: Image.Image | None
    below: Image.Image | None

    @property
    def width(self) -> int:
        """Of the wider one."""
        return max(part.width for part in self if part)


def picture_png(trace: Trace, rows: Sequence[TileRow], *, full: bool) -> bytes:
    """The tensors as panels; of one with more than 16 matrices the first, unless `full`."""
    panels = {row.tensor.name: draw_panel(row, len(row.tiles) if full else MOST_TILES) for row in rows}
    columns = [column for column in (*_photo(trace), *_columns(trace, panels)) if any(column)]
    legend = LEGEND + WINNERS * any(marks_winners(row, MOST_TILES) for row in rows)
    bands = [_band(band) for band in _landscape(columns)]
    return _png(_stack([_text(caption(trace), 16), *bands, _text(legend, 12, FAINT)]))


def _columns(trace: Trace, panels: Panels) -> Iterator[Column]:
    """Values and links in turn, from X to L."""
    chain, output = trace.chain, trace.chain.output
    yield _value(chain.image, panels)
    for step in chain.steps:
        local = step.local_derivative.tensor if step.local_derivative else None
        yield _link(step.description, step.source, step.output, step.parameters, local, panels)
        yield _value(step.output, panels)
    yield _link(output.description, output.source, output.output, (), output.local_derivative, panels)
    yield _value(output.output, panels)
    label = [tensor for tensor in chain.tensors.values() if tensor.role == "label"]
    yield _link("cross-entropy", output.output, output.loss, label, None, panels, ends=True)
    yield _value(output.loss, panels)


def _value(tensor: Tensor, panels: Panels) -> Column:
    return Column(panels.get(tensor.name), panels.get(tensor.gradient.name))


def _link(
    description: str,
    source: Tensor,
    output: Tensor,
    parameters: Sequence[Tensor],
    local: Tensor | None,
    panels: Panels,
    *,
    ends: bool = False,
) -> Column:
    """The way from a value to the next over the way back; an arrow where both of its ends are shown.

    At the end of the chain the way back begins at L itself.
    """
    above = [_shown(parameters, panels)]
    below = [_shown([tensor.gradient for tensor in parameters], panels), _shown([local] if local else [], panels)]
    forwards = {source.name, output.name} <= panels.keys()
    back = {source.gradient.name, output.name if ends else output.gradient.name} <= panels.keys()
    widths = [_width_of(above), _width_of(below), ARROW * (forwards or back)]
    widths += [_text(description, 11).width] if forwards else []
    return Column(
        _hang(above, max(widths), description, leftwards=False) if forwards else _beside(above),
        _hang(below, max(widths), f"from {output.name}" if ends else "", leftwards=True) if back else _beside(below),
    )


def _shown(tensors: Sequence[Tensor], panels: Panels) -> list[Image.Image]:
    return [panels[tensor.name] for tensor in tensors if tensor.name in panels]


def _width_of(piles: Sequence[Sequence[Image.Image]]) -> int:
    widths = [max(panel.width for panel in pile) for pile in piles if pile]
    return sum(widths) + SPACE * max(len(widths) - 1, 0)


def _hang(piles: Sequence[Sequence[Image.Image]], width: int, text: str, *, leftwards: bool) -> Image.Image:
    """An arrow as wide as the link, and piles of panels that hang from it.

    What is read flows into the arrow: the parameters, and the local derivative; the parameters' derivatives flow out.
    """
    hanging = _beside(piles)
    part = Image.new("RGB", (width, LINE + TIP + 1 + (STEM - TIP + hanging.height if hanging else 0)), "white")
    draw = ImageDraw.Draw(part)
    _arrow(draw, (width - 1, LINE) if leftwards else (0, LINE), (0, LINE) if leftwards else (width - 1, LINE))
    draw.text((width // 2, LINE - 10), plain(text), FAINT, font(11), anchor="mb")
    if hanging:
        left = (width - hanging.width) // 2
        part.paste(hanging, (left, LINE + STEM))
        for place, pile in enumerate(piles):
            if pile:
                wide = max(panel.width for panel in pile)
                ends = [(left + wide // 2, LINE + 2), (left + wide // 2, LINE + STEM - 3)]
                _arrow(draw, *(ends if leftwards and place == 0 else ends[::-1]))
                left += wide + SPACE
    return part


def _beside(piles: Sequence[Sequence[Image.Image]]) -> Image.Image | None:
    """Piles of panels beside each other; None for none."""
    if not any(piles):
        return None
    heights = [sum(panel.height + MARGIN for panel in pile) - MARGIN for pile in piles]
    part = Image.new("RGB", (_width_of(piles), max(heights)), "white")
    left = 0
    for pile in filter(None, piles):
        wide, top = max(panel.width for panel in pile), 0
        for panel in pile:
            part.paste(panel, (left + (wide - panel.width) // 2, top))
            top += panel.height + MARGIN
        left += wide + SPACE
    return part


def _arrow(draw: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int]) -> None:
    """A line with a tip, level or upright."""
    draw.line((*start, *end), FAINT, 2)
    x, y = end
    step_x, step_y = (TIP * int(np.sign(to - at)) for at, to in zip(start, end, strict=True))
    back_x, back_y = x - 2 * step_x, y - 2 * step_y
    draw.polygon([(x, y), (back_x + step_y, back_y + step_x), (back_x - step_y, back_y - step_x)], FAINT)


def _photo(trace: Trace) -> Iterator[Column]:
    """The image as it was before it became X, if it has colours."""
    normalisation = trace.subject.normalisation
    if normalisation is None or len(normalisation.mean) == 1:
        return
    X = trace.subject.X[0]  # (C, H, W)
    mean, std = (np.array(each)[:, None, None] for each in (normalisation.mean, normalisation.std))
    pixels = np.clip(np.rint((X * std + mean) * 255), 0, 255).astype(np.uint8).transpose(1, 2, 0)  # (H, W, 3)
    cell = max(TILE // max(pixels.shape[:2]), 1)
    photo = Image.fromarray(_enlarge(pixels, cell))
    yield Column(titled("the photo", f"{pixels.shape[0]}×{pixels.shape[1]}", photo), None)


def _enlarge(pixels: Array, cell: int) -> Array:
    return pixels.repeat(cell, axis=0).repeat(cell, axis=1)


def _landscape(columns: Sequence[Column]) -> list[list[Column]]:
    """The columns in bands, so that the page is in landscape and little of it is empty."""
    whole = sum(column.width + SPACE for column in columns)
    possible = [_fill(columns, widest) for widest in range(NARROWEST, max(whole, NARROWEST) + WIDER, WIDER)]

    def cost(bands: Sequence[Sequence[Column]]) -> float:
        width = max(sum(column.width + SPACE for column in band) for band in bands)
        height = sum(sum(_heights(band)) + 2 * MARGIN for band in bands)
        shape = height / width / SHAPE
        return width * height * max(shape, 1 / shape)

    return min(possible, key=cost)


def _fill(columns: Sequence[Column], widest: int) -> list[list[Column]]:
    """The columns in order, as many beside each other as fit."""
    bands: list[list[Column]] = []
    room = 0
    for column in columns:
        if column.width > room:
            bands.append([])
            room = widest
        bands[-1].append(column)
        room -= column.width + SPACE
    return bands


def _heights(columns: Sequence[Column]) -> list[int]:
    """Of both lines."""
    return [max((part.height for part in line if part), default=0) for line in zip(*columns, strict=True)]


def _band(columns: Sequence[Column]) -> Image.Image:
    """Values and links from left to right, and under them the way back."""
    above, below = _heights(columns)
    width = sum(column.width + SPACE for column in columns) - SPACE
    top = above + MARGIN * bool(above and below)
    band = Image.new("RGB", (width, top + below), "white")
    left = 0
    for column in columns:
        for part, y in zip(column, (0, top), strict=True):
            if part:
                band.paste(part, (left + (column.width - part.width) // 2, y))
        left += column.width + SPACE
    return band


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
    line = Image.new("RGB", (round(font(size).getlength(plain(text))) + 2, size + 6), "white")
    ImageDraw.Draw(line).text((0, 0), plain(text), ink, font(size))
    return line


def _png(page: Image.Image) -> bytes:
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()
