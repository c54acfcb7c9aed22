"""The array of a data set: every image decoded once, by one rank, and kept there as uint8."""

from collections import ChainMap
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

import numpy as np

from cnncli.data.decoders import decode_many
from cnncli.data.decoding import AnotherSize, Pixels, Size, decode, image_size, to_channels
from cnncli.data.folder import Sample
from cnncli.data.settings import LARGEST_OWN_SIZE, Channels
from cnncli.data.storage import Storage
from cnncli.distributed.communicator import ALONE, Communicator
from cnncli.errors import DataError, ImageError
from cnncli.network.arrays import Labels

T = TypeVar("T")
EVALUATION_BATCH = 64  # images in one forward pass where no gradient is needed: bounds the memory


@dataclass(frozen=True)
class Dataset:
    """n images with their labels (n,) and files, in the same order, spread over the ranks of a communicator.

    `images` (held, C, H, W) uint8 are those that this rank holds, in the order of `held`: all where it is alone.
    `image_at` (listed,) tells which image each file of the list is, and is -1 for one that could not be read.
    """

    images: Pixels
    labels: Labels
    samples: tuple[Sample, ...]
    held: Labels = field(default=None)  # type: ignore[arg-type]
    image_at: Labels = field(default=None)  # type: ignore[arg-type]
    communicator: Communicator = ALONE

    def __post_init__(self) -> None:
        for name in ("held", "image_at"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.arange(len(self.samples)))

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def rows(self) -> Labels:
        """Where in `images` each of the n images is: (n,), -1 for one that another rank holds."""
        rows = np.full(len(self), -1)
        rows[self.held] = np.arange(len(self.held))
        return rows

    def own_batches(self) -> list[Labels]:
        """The images of this rank's part of the list, EVALUATION_BATCH files at a time; see `keep_batches`."""
        kept = keep_batches(len(self.image_at), self.communicator)
        parts = (
            self.image_at[kept[first : first + EVALUATION_BATCH]] for first in range(0, len(kept), EVALUATION_BATCH)
        )
        return [part[part >= 0] for part in parts]

    def collect(self, of_held: Sequence[T]) -> list[T]:
        """Of each image what the rank that holds it brings."""
        places, values = zip(*self.communicator.gather((self.held.tolist(), of_held)), strict=True)
        by_place = sorted(zip(chain.from_iterable(places), chain.from_iterable(values), strict=True), key=itemgetter(0))
        return [value for _, value in by_place]

    def fetch(self, chosen: Labels) -> Pixels:
        """The pixels of some images, from whoever holds them."""
        own = {int(image): self.images[self.rows[image]] for image in chosen if self.rows[image] >= 0}
        pixels = ChainMap(*self.communicator.gather(own))
        return np.stack([pixels[int(image)] for image in chosen])

    def picture(self, image: int) -> Pixels:
        """The pixels of one image, read from its file where another rank holds it."""
        if self.rows[image] >= 0:
            pixels: Pixels = self.images[self.rows[image]]
            return pixels
        _, channels, *size = self.images.shape
        return to_channels(decode(self.samples[image].path, Size(*size)), channels)


@dataclass(frozen=True)
class Decoded:
    """The files of a list, those of them that this rank keeps, decoded, and the errors of what cannot be read."""

    listed: Sequence[Sample]
    kept: Labels  # places in the list
    storage: Storage
    unreadable: dict[int, ImageError]  # by the place in the list
    communicator: Communicator

    @property
    def errors(self) -> list[ImageError]:
        """Why some cannot be read, in the order of the list."""
        return [self.unreadable[place] for place in sorted(self.unreadable)]

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The files that could be read."""
        return tuple(sample for place, sample in enumerate(self.listed) if place not in self.unreadable)

    def dataset(self) -> Dataset:
        """The images with their labels."""
        image_at = np.ones(len(self.listed), np.intp)
        image_at[list(self.unreadable)] = 0
        image_at = np.where(image_at, np.cumsum(image_at) - 1, -1)
        held = image_at[self.kept]
        samples = self.samples
        labels = np.array([sample.label for sample in samples])
        return Dataset(self.storage.images, labels, samples, held[held >= 0], image_at, self.communicator)


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
    *,
    kept: Sequence[Labels] | None = None,
    communicator: Communicator = ALONE,
) -> list[Decoded]:
    """Decode every image of every split to one size and one number of channels; what cannot be read is listed.

    Without a `size` it is the one that `common_size` finds. `folder` takes pixels that are too many for the memory,
    `on_image` is told after each image how many of how many are done, and `threads` is the number of processor cores,
    all where it is not given. `kept` are the places of each split that this rank decodes; the others do the rest.
    Raises DataError where the folder has no room.
    """
    mine = kept or [np.arange(len(split)) for split in splits]
    reading = _Reading(splits, mine, channels, folder, on_image, threads, communicator)
    if size is None:
        with suppress(AnotherSize):  # one pass where all share the first one's size
            return reading.decode(first := probable_size(splits), expected=first)
    return reading.decode(size or Size(LARGEST_OWN_SIZE, LARGEST_OWN_SIZE))


@dataclass(frozen=True)
class _Reading:
    """What is to be decoded, and how."""

    splits: Sequence[Sequence[Sample]]
    kept: Sequence[Labels]
    channels: Channels
    folder: Path
    on_image: Callable[[int, int], None]
    threads: int | None
    communicator: Communicator

    def decode(self, size: Size, expected: Size | None = None) -> list[Decoded]:
        """Decode to `size`. Raises AnotherSize for an image, of any rank, that has not the `expected` one."""
        number = {"auto": None, "gray": 1, "rgb": 3}[self.channels]
        decoded = [
            Decoded(split, kept, Storage(len(kept), size, number, self.folder), {}, self.communicator)
            for split, kept in zip(self.splits, self.kept, strict=True)
        ]
        another = False
        try:
            self._decode_own(decoded, size, expected)
        except AnotherSize:
            another = True
        channels = max(split.storage.channels for split in decoded)
        found = self.communicator.gather(([split.unreadable for split in decoded], channels, another))
        if any(another for *_, another in found):
            raise AnotherSize
        for unreadable, channels, _ in found:
            for split, more in zip(decoded, unreadable, strict=True):
                split.unreadable.update(more)
                if channels == 3:  # some splits were gray throughout, not all
                    split.storage.to_colour()
        return decoded

    def _decode_own(self, decoded: Sequence[Decoded], size: Size, expected: Size | None) -> None:
        places = [(split, place) for split in decoded for place in split.kept.tolist()]
        files = (split.listed[place].file for split, place in places)
        with closing(decode_many(files, size, expected=expected, threads=self.threads)) as results:
            for done, ((split, place), (_, result)) in enumerate(zip(places, results, strict=True), 1):
                if isinstance(result, ImageError):
                    split.unreadable[place] = result
                else:
                    split.storage.add(result)
                self.on_image(done, len(places))


def keep_batches(listed: int, communicator: Communicator) -> Labels:
    """The places of a list whose batches, of EVALUATION_BATCH files each, are this rank's."""
    own = communicator.share(-(-listed // EVALUATION_BATCH))
    return np.arange(EVALUATION_BATCH * own.start, min(EVALUATION_BATCH * own.stop, listed))


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
