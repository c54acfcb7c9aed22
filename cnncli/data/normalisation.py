"""Pixels to numbers: each channel with mean 0 and standard deviation 1, as measured on the training images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from cnncli.data.decoding import Pixels
from cnncli.distributed.communicator import ALONE, Communicator
from cnncli.network.arrays import Array, Labels

COUNTED_AT_ONCE = 1000  # images


@dataclass(frozen=True)
class Normalisation:
    """X = (pixel/255 - mean)/std, with one mean and one std for each channel, in units of the full scale 255."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def none(cls, channels: int) -> "Normalisation":
        """X = pixel/255."""
        return cls((0.0,) * channels, (1.0,) * channels)

    @classmethod
    def measured(cls, images: Pixels, communicator: Communicator = ALONE) -> "Normalisation":
        """Mean and std of each channel, over the images of all ranks; a channel that never changes is not scaled."""
        levels = np.arange(256)
        means, stds = [], []
        # Counts instead of pixels: exact, and no float copy of the whole data set.
        for counts in np.sum(communicator.gather(_count_levels(images)), axis=0):
            mean = float(counts @ levels) / counts.sum()
            variance = float(counts @ (levels - mean) ** 2) / counts.sum()
            means.append(mean / 255)
            stds.append(variance**0.5 / 255 or 1.0)
        return cls(tuple(means), tuple(stds))

    def apply_into(self, X: Array, images: Pixels) -> None:
        """As `apply`, into an array (…, C, H, W) of a floating dtype that is there already, without a copy between."""
        mean = np.array(self.mean, X.dtype)[:, None, None]  # (C, 1, 1)
        std = np.array(self.std, X.dtype)[:, None, None]  # (C, 1, 1)
        np.divide(images, X.dtype.type(255), out=X, dtype=X.dtype)
        X -= mean
        X /= std

    def apply(self, images: Pixels, dtype: DTypeLike) -> Array:
        """Images of any leading shape (…, C, H, W), uint8 → the same shape in `dtype`."""
        X = np.empty(images.shape, dtype)
        self.apply_into(X, images)
        return X


def _count_levels(images: Pixels) -> Labels:
    """How many pixels of each channel have each level: (n, C, H, W) → (C, 256)."""
    counts = np.zeros((images.shape[1], 256), np.intp)
    for first in range(0, len(images), COUNTED_AT_ONCE):  # bincount makes eight bytes of each pixel
        for channel in range(images.shape[1]):
            pixels = images[first : first + COUNTED_AT_ONCE, channel].reshape(-1)
            counts[channel] += np.bincount(pixels, minlength=256)
    return counts
