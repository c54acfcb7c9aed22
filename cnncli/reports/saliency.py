"""Which pixels an answer depends on: |dL/dX| laid over the image, L being that of the predicted class."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cnncli.data.decoding import Pixels
from cnncli.data.regular_file import read_regular_file
from cnncli.errors import DataError, UsageError
from cnncli.files import write_atomically
from cnncli.model import Model, Prediction
from cnncli.network.arrays import Array
from cnncli.prediction import Answer
from cnncli.reports.tints import NEGATIVE
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import choose
from cnncli.tracing.trace import trace_image

MARK = ("Software", "cnncli saliency")  # in the text of each picture, which stands at its beginning
BEGINNING, LARGEST = 100, 1 << 30  # bytes
LEAST = 256  # pixels of the longer side; what is smaller is shown with larger squares


class SaliencyFolder:
    """A folder that takes a picture of each image, named after it."""

    def __init__(self, path: Path, *, force: bool) -> None:
        """Make the folder. Raises UsageError where something lies in it, unless `force`; DataError without room."""
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is a file: name a folder", argument="saliency")
        if path.is_dir() and any(path.iterdir()) and not force:
            raise UsageError(f"{path} is not empty: name another folder, or replace the pictures in it", remedy="force")
        self._path, self._names = path, Counter[str]()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._cannot_write(error) from None

    def draw(self, answers: Iterable[Answer], model: Model) -> Iterator[Answer]:
        """Write the picture of each answer, and hand the answer on."""
        for answer in answers:
            if isinstance(answer, Prediction) and answer.path is not None:
                traced = trace_image(choose([answer.path], model, answer.best, FreshNetwork()))
                self._write(answer.path, overlay(model.pixels(answer.path), traced["dL/dX"]))
            yield answer

    def _write(self, image: Path, picture: Image.Image) -> None:
        """The picture of an image: NAME.png, NAME-2.png where another image of that name came before."""
        self._names[image.stem] += 1
        number = self._names[image.stem]
        name = f"{image.stem}-{number}.png" if number > 1 else f"{image.stem}.png"
        path, file = self._path / name, io.BytesIO()
        marks = PngInfo()
        marks.add_text(*MARK)
        picture.save(file, "PNG", pnginfo=marks)
        if path.exists() and not _is_ours(path):
            raise UsageError(f"{path} is no picture that was drawn here: name another folder", argument="saliency")
        try:
            write_atomically(path, file.getvalue())
        except OSError as error:
            raise self._cannot_write(error) from None

    def _cannot_write(self, error: OSError) -> DataError:
        return DataError(f"{self._path} cannot be written ({error.strerror}): name another folder")


def _is_ours(path: Path) -> bool:
    """Whether a file is a picture that was drawn here, and may be replaced."""
    try:
        return "\0".join(MARK).encode() in read_regular_file(path, LARGEST)[:BEGINNING]
    except DataError:
        return False


def overlay(pixels: Pixels, dL_dX: Array) -> Image.Image:
    """The image in gray, the redder the larger |dL/dX| is there: pixels and dL_dX (C, H, W)."""
    strength = np.abs(dL_dX).max(axis=0)  # (H, W)
    share = (strength / (strength.max() or 1))[..., None]  # (H, W, 1)
    gray = pixels.mean(axis=0)[..., None]  # (H, W, 1)
    colours = gray * (1 - share) + np.array(NEGATIVE) * share  # (H, W, 3)
    picture = Image.fromarray(np.rint(colours).astype(np.uint8))
    factor = max(1, LEAST // max(picture.size))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
