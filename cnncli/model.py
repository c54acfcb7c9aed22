"""A trained network: architecture, parameters, classes and preprocessing, in one safetensors file.

The file holds the parameters in float32 under the note's names, and in its metadata, under the key "cnncli", one JSON
string with the rest. One key, because the order of several is not fixed and the same model must give the same bytes.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from cnncli.data.decoding import Pixels, Size, decode, to_channels
from cnncli.data.normalisation import Normalisation
from cnncli.errors import DataError, ModelError
from cnncli.files import write_atomically
from cnncli.model_file import FORMAT_VERSION, METADATA_KEY, read_model_file
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Parameters
from cnncli.network.chain import Chain, build_chain

if TYPE_CHECKING:
    from cnncli.network.engine import Engine

FilePath = str | PathLike[str]
FILE_NAME = "model.safetensors"


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

    def normalise(self, images: Pixels, dtype: DTypeLike) -> Array:
        """Pixels (…, C, H, W) as numbers."""
        return self.normalisation.apply(images, dtype)

    def logits(self, images: Pixels) -> Array:
        """z of the dense layer, in float32: pixels (m, C, H, W) → (m, K)."""
        return self.engine.logits(self.parameters, self.normalise(images, np.float32))

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
        if not paths:
            return []
        rankings = self.rank(np.stack([self.pixels(path) for path in paths]))
        return [Prediction(path, ranking) for path, ranking in zip(paths, rankings, strict=True)]

    def _checked(self, images: Pixels) -> Pixels:
        needed = self.chain.image.shape
        batch = images[:, None] if images.ndim == 3 and needed[0] == 1 else images
        if batch.dtype != np.uint8 or batch.shape[1:] != needed:
            raise DataError(f"the pixels are {images.dtype} {images.shape}, this model needs uint8 (m, {needed})")
        return batch

    @cached_property
    def engine(self) -> "Engine":
        """The engine of this network's predictions; its arrays are allocated once."""
        from cnncli.network.engines import choose_engine  # only a prediction needs it

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
