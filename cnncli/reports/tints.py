"""Numbers as colours, the same ones in tables and pictures: blue for positive, red for negative, white for zero."""

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array

POSITIVE, NEGATIVE = (88, 148, 255), (255, 112, 92)  # the largest numbers; black letters can be read on both
FAINTEST = 0.15  # the smallest number that is not zero, so that it is not taken for one


def largest_of(array: Array) -> float:
    """The largest finite |value|, which gets the full colour; 1 where there is none."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=0)) or 1.0


def tints(array: Array, largest: float) -> NDArray[np.uint8]:
    """The colour of every number, the stronger the larger: any shape → (…, 3); what is not finite is gray."""
    finite = np.isfinite(array)
    values = np.where(finite, array, 0.0)[..., None]
    strength = np.where(values == 0, 0, FAINTEST + (1 - FAINTEST) * np.abs(values) / largest)
    ends = np.where(values > 0, POSITIVE, NEGATIVE)
    colours = 255 + (ends - 255) * np.minimum(strength, 1)
    return np.where(finite[..., None], np.rint(colours), 128).astype(np.uint8)
