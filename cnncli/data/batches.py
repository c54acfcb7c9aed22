"""Batches of a data set as the network reads them, made in arrays that are used again and again."""

import numpy as np

from cnncli.data.dataset import Dataset
from cnncli.data.normalisation import Normalisation
from cnncli.network.arrays import Array, Labels


class Batches:
    """batches[chosen] is X of images that this rank holds in float32, (m, C, H, W); the next batch takes its place."""

    def __init__(self, dataset: Dataset, normalisation: Normalisation) -> None:
        self._images, self._rows, self._normalisation = dataset.images, dataset.rows, normalisation
        self._pixels = np.empty((0, *self._images.shape[1:]), np.uint8)
        self._X = np.empty(self._pixels.shape, np.float32)

    def __getitem__(self, chosen: Labels) -> Array:
        m = len(chosen)
        if m > len(self._X):
            self._pixels = np.empty((m, *self._images.shape[1:]), np.uint8)
            self._X = np.empty(self._pixels.shape, np.float32)
        # The indices are known to be good; with mode="raise" NumPy would gather into a copy first.
        pixels = self._images.take(self._rows[chosen], axis=0, out=self._pixels[:m], mode="clip")  # (m, C, H, W)
        X = self._X[:m]
        self._normalisation.apply_into(X, pixels)
        return X
