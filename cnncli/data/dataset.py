"""The array of a data set: every image decoded once, kept as uint8."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cnncli.data.decoding import Pixels, Size, decode, image_size, to_channels
from cnncli.data.folder import Sample
from cnncli.errors import DataError, ImageError
from cnncli.network.arrays import Labels

LARGEST_OWN_SIZE = 64
Channels = Literal["auto", "gray", "rgb"]


@dataclass(frozen=True)
class Dataset:
    """Images (n, C, H, W) uint8 with their labels (n,) and files, in the same order."""

    images: Pixels
    labels: Labels
    samples: tuple[Sample, ...]

    def __len__(self) -> int:
        return len(self.samples)


@dataclass(frozen=True)
class Decoded:
    """The images that could be read, each (1 or 3, H, W), and the errors of those that could not."""

    samples: list[Sample]
    pixels: list[Pixels]
    errors: list[ImageError]

    @property
    def gray(self) -> bool:
        """Whether every image is gray."""
        return all(len(pixels) == 1 for pixels in self.pixels)

    def dataset(self, channels: int) -> Dataset:
        """The images as one array with 1 or 3 channels."""
        images = np.stack([to_channels(pixels, channels) for pixels in self.pixels])  # (n, C, H, W)
        return Dataset(images, np.array([sample.label for sample in self.samples]), tuple(self.samples))


def common_size(samples: Sequence[Sample]) -> Size:
    """The images' own size where all share one of at most 64 a side, else 64×64; unreadable ones have no say."""
    sizes = set()
    for sample in samples:
        try:
            sizes.add(image_size(sample.path))
        except ImageError:
            continue
    if len(sizes) == 1 and max(size := sizes.pop()) <= LARGEST_OWN_SIZE:
        return size
    return Size(LARGEST_OWN_SIZE, LARGEST_OWN_SIZE)


def decode_all(samples: Sequence[Sample], size: Size) -> Decoded:
    """Decode every image, fitted to `size`; what cannot be read is listed among the errors."""
    decoded = Decoded([], [], [])
    for sample in samples:
        try:
            decoded.pixels.append(decode(sample.path, size))
            decoded.samples.append(sample)
        except ImageError as error:
            decoded.errors.append(error)
    return decoded


def refuse_unreadable(errors: Sequence[ImageError], total: int) -> None:
    """Raise one DataError that names the unreadable images with their reasons, the first three of them."""
    if not errors:
        return
    named = "; ".join(str(error) for error in errors[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    raise DataError(
        f"{len(errors)} of {total} images cannot be read ({named}{more}): mend them, or leave them out with --skip-bad"
    )


def refuse_empty_classes(samples: Sequence[Sample], classes: Sequence[str]) -> None:
    """Raise DataError for a class of which no image is left."""
    present = {sample.label for sample in samples}
    for label, name in enumerate(classes):
        if label not in present:
            raise DataError(f"class {name} has no readable image left for training")
