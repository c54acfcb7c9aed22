"""Pixels to numbers: each channel with mean 0 and standard deviation 1, as measured on the training images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from cnncli.data.decoding import Pixels
from cnncli.network.arrays import Array

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
    def measured(cls, images: Pixels) -> "Normalisation":
        """Mean and standard deviation of each channel of (n, C, H, W); a channel that never changes is not scaled."""
        levels = np.arange(256)
        means, stds = [], []
        for channel in range(images.shape[1]):
            # Counts instead of pixels: exact, and no float copy of the whole data set.
            counts = np.zeros(256, np.intp)
            for first in range(0, len(images), COUNTED_AT_ONCE):  # bincount makes eight bytes of each pixel
                counts += np.bincount(images[first : first + COUNTED_AT_ONCE, channel].reshape(-1), minlength=256)
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
