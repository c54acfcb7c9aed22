"""`cnncli predict` as a plain function: image files and folders in, one answer for each image out, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnncli.data.decoding import Pixels
from cnncli.data.folder import list_images_below
from cnncli.errors import DataError, ImageError
from cnncli.model import Model, Prediction

BATCH = 256  # images in one forward pass: bounds the memory


@dataclass(frozen=True)
class Unreadable:
    """An image, or a folder of images, that gets a reason instead of an answer."""

    path: Path
    reason: str


Answer = Prediction | Unreadable


def predict(paths: Sequence[Path], model: Model) -> Iterator[Answer]:
    """Classify every image, and every image in every folder (recursively), in the order given."""
    files = [file for path in paths for file in _files(path)]
    for first in range(0, len(files), BATCH):
        yield from _classify([_decode_one_file(file, model) for file in files[first : first + BATCH]], model)


def _files(path: Path) -> list[Path | Unreadable]:
    """A file as it is, a folder as the images below it."""
    if not path.is_dir():
        return [path]
    try:
        images = list_images_below(path)
    except DataError as error:
        return [Unreadable(path, str(error))]
    return [*images] or [Unreadable(path, "the folder holds no images")]


def _decode_one_file(file: Path | Unreadable, model: Model) -> tuple[Path, Pixels] | Unreadable:
    if isinstance(file, Unreadable):
        return file
    try:
        return file, model.pixels(file)
    except ImageError as error:
        return Unreadable(file, error.reason)


def _classify(items: Sequence[tuple[Path, Pixels] | Unreadable], model: Model) -> Iterator[Answer]:
    """Answer a batch in its order, with one forward pass over the images that could be read."""
    images = [item[1] for item in items if not isinstance(item, Unreadable)]
    rankings = iter(model.rank(np.stack(images)) if images else [])
    for item in items:
        yield item if isinstance(item, Unreadable) else Prediction(item[0], next(rankings))
