"""Images with the probabilities that `predict` gives for them: what an exported model must give as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnncli.data.decoding import Pixels
from cnncli.errors import ImageError
from cnncli.model import Model
from cnncli.network.arrays import Array
from cnncli.training.run_folder import list_validation_images

MOST = 200  # images, spread evenly over those that there are
RANDOM = 20  # images, where there are no others


@dataclass(frozen=True)
class Checks:
    """m images as the network reads them, and the model's own answers."""

    pixels: Pixels  # (m, C, H, W)
    probabilities: Array  # (m, classes) float32
    paths: tuple[Path, ...]  # where they come from; none where they are random
    source: str  # "validation images"


def collect_checks(model: Model, path: Path) -> Checks:
    """The validation images of a run folder; random ones for a model file, or where the images are not there."""
    found = list_validation_images(path) if path.is_dir() else []
    read = _decode(model, found[:: -(-len(found) // MOST) or 1])
    if read:
        paths, pixels = tuple(path for path, _ in read), np.stack([pixels for _, pixels in read])
        return Checks(pixels, _probabilities(model, pixels), paths, "validation images")
    pixels = np.random.default_rng(0).integers(0, 256, (RANDOM, *model.chain.image.shape), dtype=np.uint8)
    return Checks(pixels, _probabilities(model, pixels), (), "random images")


def _decode(model: Model, paths: Sequence[Path]) -> list[tuple[Path, Pixels]]:
    """The images that can still be read."""
    read = []
    for path in paths:
        try:
            read.append((path, model.pixels(path)))
        except ImageError:
            continue
    return read


def _probabilities(model: Model, pixels: Pixels) -> Array:
    return model.chain.output.class_probabilities(model.logits(pixels))
