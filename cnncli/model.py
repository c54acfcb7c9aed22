"""A trained network: architecture, parameters, classes and preprocessing, in one safetensors file.

The file holds the parameters in float32 under the note's names, and in its metadata, under the key "cnncli", one JSON
string with the rest. One key, because the order of several is not fixed and the same model must give the same bytes.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from math import prod
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from cnncli import memory
from cnncli.data.decoders import Decoded, Item, Result, decode_many
from cnncli.data.decoding import Pixels, Size, decode, to_channels
from cnncli.data.normalisation import Normalisation
from cnncli.errors import DataError, ImageError, ModelError
from cnncli.files import write_atomically
from cnncli.model_file import FORMAT_VERSION, METADATA_KEY, read_model_file
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Parameters
from cnncli.network.chain import Chain, build_chain

if TYPE_CHECKING:
    from cnncli.network.engine import Engine

FilePath = str | PathLike[str]
FILE_NAME = "model.safetensors"
MOST_AT_ONCE = 256  # images in one forward pass
FORWARD_BYTES = 64 << 20  # of the arrays of one forward pass, if it has more than one image


@dataclass(frozen=True)
class Prediction:
    """The probability of each class for one image, the most probable first."""

    path: Path | None  # None where pixels were given
    probabilities: dict[str, float]

    @property
    def best(self) -> str:
        """The most probable class."""
        return next(iter(self.probabilities))


@dataclass(frozen=True)
class Model:
    """Everything that is needed to classify an image file."""

    architecture: Architecture
    classes: tuple[str, ...]
    normalisation: Normalisation
    parameters: Parameters

    @property
    def chain(self) -> Chain:
        """The steps that the architecture means."""
        return build_chain(self.architecture)

    def pixels(self, path: Path) -> Pixels:
        """One image file, decoded and fitted to this network: (C, H, W). Raises ImageError."""
        size = Size(self.architecture.height, self.architecture.width)
        return to_channels(decode(path, size), self.architecture.channels)

    @property
    def images_at_once(self) -> int:
        """How many images one forward pass takes: as many as its arrays have room for, and at least one."""
        numbers = sum(prod(tensor.shape) for tensor in (self.chain.image, *self.chain.forward.values()))
        return max(1, min(MOST_AT_ONCE, FORWARD_BYTES // (numbers * np.dtype(np.float32).itemsize)))

    def decode(self, items: Iterable[Item], threads: int | None = None) -> Iterator[list[Decoded]]:
        """Image files in batches, one for each forward pass: each path with its pixels, as `pixels`, or its ImageError.

        The order is kept, and so few batches are ahead that a list without an end does no harm. `threads` is the number
        of processor cores that decode, all where it is not given.
        """
        size = Size(self.architecture.height, self.architecture.width)
        batch: list[Decoded] = []
        with closing(decode_many(items, size, threads=threads, at_once=self.images_at_once)) as decoded:
            for path, result in decoded:
                if not isinstance(result, ImageError):
                    result = to_channels(result, self.architecture.channels)
                batch.append((path, result))
                if len(batch) == self.images_at_once:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def normalise(self, images: Pixels, dtype: DTypeLike) -> Array:
        """Pixels (…, C, H, W) as numbers."""
        return self.normalisation.apply(images, dtype)

    def logits(self, images: Pixels) -> Array:
        """z of the dense layer, in float32: pixels (m, C, H, W) → (m, K). Raises ModelError where it overflows."""
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is looked for
            z = self.engine.logits(self.parameters, self.normalise(images, np.float32))
        if not np.isfinite(z).all():
            raise ModelError("the model's weights are too large for its numbers to stay finite: train it again")
        return z

    def rank(self, images: Pixels) -> list[dict[str, float]]:
        """The probability of each class, of each image (m, C, H, W), the most probable first."""
        probabilities = self.chain.output.class_probabilities(self.logits(images)).tolist()
        # The sort is stable: of equals the first class comes first.
        return [dict(sorted(zip(self.classes, row, strict=True), key=lambda pair: -pair[1])) for row in probabilities]

    def predict(self, images: FilePath | Sequence[FilePath] | Pixels) -> list[Prediction]:
        """Classify image files, or pixels of this network's size: uint8, (m, H, W) gray or (m, C, H, W).

        Raises ImageError for a file that cannot be read, and DataError for pixels of another shape or type.
        """
        if isinstance(images, np.ndarray):
            return [Prediction(None, ranking) for ranking in self.rank(self._checked(images))]
        paths = [Path(path) for path in ([images] if isinstance(images, str | PathLike) else images)]
        predictions = []
        for batch in self.decode(paths):
            rankings = self.rank(np.stack([_require_pixels(result) for _, result in batch]))
            predictions += [Prediction(Path(path), ranking) for (path, _), ranking in zip(batch, rankings, strict=True)]
        return predictions

    def _checked(self, images: Pixels) -> Pixels:
        needed = self.chain.image.shape
        batch = images[:, None] if images.ndim == 3 and needed[0] == 1 else images
        if batch.dtype != np.uint8 or batch.shape[1:] != needed:
            raise DataError(f"the pixels are {images.dtype} {images.shape}, this model needs uint8 (m, {needed})")
        return batch

    @cached_property
    def engine(self) -> "Engine":
        """The engine of this network's predictions. Raises ModelError where its memory is short."""
        from cnncli.network.engines import choose_engine  # only a prediction needs it

        estimate = partial(memory.estimate_prediction, images=1)
        memory.require(estimate, self.architecture, "the model for one image", error=ModelError, fixed=True)
        return choose_engine(self.architecture)

    def save(self, path: Path) -> None:
        """Write the model file, all of it or nothing. Raises OSError."""
        from safetensors.numpy import save as safetensors_bytes

        settings = {
            "format": FORMAT_VERSION,
            "architecture": asdict(self.architecture),
            "classes": self.classes,
            "normalisation": asdict(self.normalisation),
        }
        # safetensors 0.8.0 writes an array that is not contiguous wrongly, without a word.
        arrays = {name: np.ascontiguousarray(value, np.float32) for name, value in self.parameters.items()}
        write_atomically(path, safetensors_bytes(arrays, {METADATA_KEY: json.dumps(settings, ensure_ascii=False)}))


def _require_pixels(result: Result) -> Pixels:
    if isinstance(result, ImageError):
        raise result
    return result


def load_model(path: FilePath) -> Model:
    """Read a model file, or the one in a run folder.

    Raises ModelError where there is none, or where names, shapes, dtypes or numbers are not those of the architecture.
    """
    path = Path(path)
    file = path / FILE_NAME if path.is_dir() else path
    if not file.exists():
        raise ModelError(
            f"{path} holds no {FILE_NAME}" if path.is_dir() else f"{path}: no such model file or run folder"
        )
    return Model(*read_model_file(file))
