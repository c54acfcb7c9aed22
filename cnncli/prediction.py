"""`cnncli predict` as a plain function: image files and folders in, one answer for each image out, in order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from cnncli.data.decoders import Decoded, Item
from cnncli.data.folder import list_images_below
from cnncli.distributed.communicator import ALONE, Communicator
from cnncli.errors import DataError, ImageError
from cnncli.model import Model, Prediction

BATCHES = 8  # of each rank, before the ranks meet


@dataclass(frozen=True)
class Unreadable:
    """An image, or a folder of images, that gets a reason instead of an answer."""

    path: Path
    reason: str


Answer = Prediction | Unreadable


def predict(
    paths: Iterable[Path], model: Model, threads: int | None = None, communicator: Communicator = ALONE
) -> Iterator[Answer]:
    """Classify every image, and every image in every folder (recursively), in the order given.

    The paths may never end: they are read as the answers are asked for, a few batches ahead, and only so many images
    are in memory. `threads` is the number of processor cores that decode, all where it is not given. The ranks of a
    communicator share the batches, those of rank 0's paths.
    """
    files = (file for path in paths for file in _list_files(path))
    if communicator.size == 1:
        for batch in model.decode(files, threads):
            yield from _classify(batch, model)
        return
    length = model.images_at_once  # the batches are those that one process would make
    for block in communicator.follow(iter(lambda: list(islice(files, length * BATCHES * communicator.size)), [])):
        own = communicator.share(-(-len(block) // length))
        batches = model.decode(block[length * own.start : length * own.stop], threads)
        answers = [answer for batch in batches for answer in _classify(batch, model)]
        yield from chain.from_iterable(communicator.gather(answers))


def _list_files(path: Path) -> Sequence[Item]:
    """A file as it is, a folder as the images below it."""
    if not path.is_dir():
        return [path]
    try:
        return list_images_below(path) or [ImageError(path, "the folder holds no images")]
    except DataError as error:
        return [ImageError(path, str(error))]


def _classify(batch: Sequence[Decoded], model: Model) -> Iterator[Answer]:
    """Answer a batch in its order, with one forward pass over the images that could be read."""
    images = [result for _, result in batch if not isinstance(result, ImageError)]
    rankings = iter(model.rank(np.stack(images)) if images else [])
    for name, result in batch:
        path = Path(name)
        yield Unreadable(path, result.reason) if isinstance(result, ImageError) else Prediction(path, next(rankings))
