"""The array of a data set: every image decoded once, kept as uint8."""

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from cnncli.data.decoders import decode_many
from cnncli.data.decoding import AnotherSize, Pixels, Size, image_size
from cnncli.data.folder import Sample
from cnncli.data.settings import LARGEST_OWN_SIZE, Channels
from cnncli.data.storage import Storage
from cnncli.errors import DataError, ImageError
from cnncli.network.arrays import Labels


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
    """The images that could be read, and the errors of those that could not."""

    samples: list[Sample]
    storage: Storage
    errors: list[ImageError]

    def dataset(self) -> Dataset:
        """The images with their labels."""
        labels = np.array([sample.label for sample in self.samples])
        return Dataset(self.storage.images, labels, tuple(self.samples))


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


def decode_all(
    splits: Sequence[Sequence[Sample]],
    size: Size | None,
    channels: Channels,
    folder: Path,
    on_image: Callable[[int, int], None],
    threads: int | None = None,
) -> list[Decoded]:
    """Decode every image of every split to one size and one number of channels; what cannot be read is listed.

    Without a `size` it is the one that `common_size` finds. `folder` takes pixels that are too many for the memory,
    `on_image` is told after each image how many of how many are done, and `threads` is the number of processor cores,
    all where it is not given. Raises DataError where the folder has no room.
    """
    reading = _Reading(splits, channels, folder, on_image, threads)
    if size is None:
        with suppress(AnotherSize):  # one pass where all share the first one's size
            return reading.decode(first := probable_size(splits), expected=first)
    return reading.decode(size or Size(LARGEST_OWN_SIZE, LARGEST_OWN_SIZE))


@dataclass(frozen=True)
class _Reading:
    """What is to be decoded, and how."""

    splits: Sequence[Sequence[Sample]]
    channels: Channels
    folder: Path
    on_image: Callable[[int, int], None]
    threads: int | None

    def decode(self, size: Size, expected: Size | None = None) -> list[Decoded]:
        """Decode to `size`. Raises AnotherSize for an image that has not the `expected` one."""
        number = {"auto": None, "gray": 1, "rgb": 3}[self.channels]
        decoded = [Decoded([], Storage(len(split), size, number, self.folder), []) for split in self.splits]
        places = [(split, sample) for split, samples in zip(decoded, self.splits, strict=True) for sample in samples]
        paths = (sample.path for _, sample in places)
        with closing(decode_many(paths, size, expected=expected, threads=self.threads)) as results:
            for done, ((split, sample), (_, result)) in enumerate(zip(places, results, strict=True), 1):
                if isinstance(result, ImageError):
                    split.errors.append(result)
                else:
                    split.storage.add(result)
                    split.samples.append(sample)
                self.on_image(done, len(places))
        if len({split.storage.channels for split in decoded}) > 1:  # some splits were gray throughout, not all
            for split in decoded:
                split.storage.to_colour()
        return decoded


def probable_size(splits: Sequence[Sequence[Sample]]) -> Size:
    """The size of the first image whose header can be read, where it is at most 64 a side; else 64×64."""
    for sample in chain.from_iterable(splits):
        with suppress(ImageError):
            if max(size := image_size(sample.path)) <= LARGEST_OWN_SIZE:
                return size
            break
    return Size(LARGEST_OWN_SIZE, LARGEST_OWN_SIZE)


def refuse_unreadable(errors: Sequence[ImageError], total: int) -> None:
    """Raise one DataError that names the unreadable images with their reasons, the first three of them."""
    if not errors:
        return
    named = "; ".join(str(error) for error in errors[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    raise DataError(
        f"{len(errors)} of {total} images cannot be read ({named}{more}): fix or convert them, or leave them out",
        remedy="skip_bad",
    )


def refuse_empty_classes(samples: Sequence[Sample], classes: Sequence[str]) -> None:
    """Raise DataError for a class of which no image is left."""
    present = {sample.label for sample in samples}
    for label, name in enumerate(classes):
        if label not in present:
            raise DataError(f"class {name} has no readable image left for training")
