"""Images as they stand in a page: PNG files inside it."""

import io
from base64 import b64encode
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnncli.data.decoding import Pixels
from cnncli.network.arrays import Array
from cnncli.pages.markup import element
from cnncli.reports.tints import largest_of, tints

LARGEST = 96  # pixels a side; what is larger is scaled down


def picture(pixels: Pixels, told: str) -> Element:
    """One image as the network reads it, (C, H, W)."""
    colours = pixels[0] if len(pixels) == 1 else np.moveaxis(pixels[:3], 0, 2)  # (H, W) or (H, W, 3)
    image = Image.fromarray(np.ascontiguousarray(colours))
    image.thumbnail((LARGEST, LARGEST))
    return element("img", src=_data(image), alt=told, width=image.width, height=image.height)


def tile(matrix: Array, told: str, largest: float | None = None) -> Element:
    """A matrix of numbers, a coloured pixel each: (h, w)."""
    image = Image.fromarray(tints(matrix, largest or largest_of(matrix)))
    return element("img", src=_data(image), alt=told, width=image.width, height=image.height, class_="tile")


def sheet(w: Array, gap: int = 1) -> NDArray[np.float64]:
    """Filters beside each other, their channels below each other, NaN between: (N, C, k, k) → 2-D."""
    N, C, k, _ = w.shape
    matrix = np.full((C * (k + gap) - gap, N * (k + gap) - gap), np.nan)
    for n, c in np.ndindex(N, C):
        row, column = c * (k + gap), n * (k + gap)
        matrix[row : row + k, column : column + k] = w[n, c]
    return matrix


def _data(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
