"""Where the pixels of a data set lie: in memory, or in a file that is mapped into it where they are too many."""

import os
import tempfile
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from cnncli import memory
from cnncli.data.decoding import Pixels, Size, to_channels
from cnncli.errors import DataError
from cnncli.network.tensors import Shape

SHARE_OF_MEMORY = 0.25  # of the machine's: a split with more pixels goes to a file
BLOCK = 1 << 20  # bytes of zeros, where room is reserved by writing them


class Storage:
    """Room for n images of one size, filled one after the other; uint8.

    With `channels` None they are gray until the first image in colour comes. Pixels that need more than SHARE_OF_MEMORY
    go to a file in `folder`. It loses its name at once, so that nothing remains of it however the program ends.
    """

    def __init__(self, n: int, size: Size, channels: int | None, folder: Path) -> None:
        self._shape: Shape = (n, channels or 1, *size)
        self._fixed, self._folder = channels, folder
        self._images = _room(self._shape, folder)
        self._count = 0

    @property
    def images(self) -> Pixels:
        """The images that are in: (count, C, H, W)."""
        return self._images[: self._count]

    @property
    def channels(self) -> int:
        """1 or 3."""
        return self._shape[1]

    def add(self, pixels: Pixels) -> None:
        """One more image, (1 or 3, H, W)."""
        if self._fixed is None and len(pixels) > self.channels:
            self.to_colour()
        self._images[self._count] = to_channels(pixels, self.channels)
        self._count += 1

    def to_colour(self) -> None:
        """Make three channels of one, unless there are three already."""
        if self.channels == 3:
            return
        n, _, *size = self._shape
        gray, self._shape = self.images, (n, 3, *size)
        self._images = _room(self._shape, self._folder)
        self._images[: self._count] = gray


def _room(shape: Shape, folder: Path) -> Pixels:
    if prod(shape) <= SHARE_OF_MEMORY * memory.physical():
        return np.empty(shape, np.uint8)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file, prod(shape))
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise DataError(
            f"{folder} has no room for {prod(shape) / 2**30:.1f} GB of pixels ({error.strerror}): "
            "use a smaller image size, or name another folder",
            remedy="out",
        ) from None


def _reserve(file: IO[bytes], size: int) -> None:
    """Take the room on the disk now: a page of a mapped file that finds none later is the end of the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    for first in range(0, size, BLOCK):  # macOS and Windows
        file.write(bytes(min(BLOCK, size - first)))
    file.flush()
