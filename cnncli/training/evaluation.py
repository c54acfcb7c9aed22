"""How good a model is on images whose classes are known: `cnncli evaluate` as a plain function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import gettempdir
from typing import Literal, NamedTuple

import numpy as np

from cnncli.data.dataset import Dataset, decode_all, keep_batches, refuse_unreadable
from cnncli.data.decoding import Pixels, Size
from cnncli.data.folder import VALIDATION, Sample, list_images_below, names_below, subfolders
from cnncli.data.settings import Channels
from cnncli.distributed.communicator import ALONE, Communicator
from cnncli.errors import DataError, ImageError
from cnncli.model import Model
from cnncli.network.arrays import Array, Labels

Split = Literal["train", "val", "test"]
FOLDERS: dict[Split, tuple[str, ...]] = {"train": ("train",), "val": VALIDATION, "test": ("test",)}
NORMAL_95 = 1.959963984540054  # the normal distribution has 95 % of its mass within so many standard deviations
BINS = 15  # of confidence, for the calibration error


class ClassScore(NamedTuple):
    """The figures of one class; NaN where there is nothing to count.

    `precision` is the share of right ones among the images that got this answer, `recall` among those of the class.
    """

    precision: float
    recall: float
    f1: float
    images: int


class Bin(NamedTuple):
    """The answers of about one confidence; NaN where there are none."""

    confidence: float  # the mean probability of the answers
    accuracy: float  # the share of right ones
    images: int


class Mistake(NamedTuple):
    """One image that was taken for another class."""

    path: Path
    true_class: str
    answer: str
    probability: float


@dataclass(frozen=True)
class Evaluation:
    """A model's answers on n images."""

    data: Path  # the folder that was evaluated
    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    y: Labels  # (n,)
    probabilities: Array  # (n, classes)
    losses: Array  # (n,)
    left_out: tuple[ImageError, ...] = ()
    dataset: Dataset | None = field(default=None, repr=False)  # the images themselves

    @cached_property
    def answers(self) -> Labels:
        """The most probable class of each image, of equals the first: (n,)."""
        answers: Labels = self.probabilities.argmax(axis=1)
        return answers

    @property
    def loss(self) -> float:
        """The mean cross-entropy."""
        return float(self.losses.mean())

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float((self.answers == self.y).mean())

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
        n, share, z2 = len(self.y), self.accuracy, NORMAL_95**2
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = NORMAL_95 / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5
        return max(middle - half, 0.0), min(middle + half, 1.0)

    @cached_property
    def confusion(self) -> Labels:
        """How many images of each class (rows) got each answer (columns): (classes, classes)."""
        counts = np.zeros((len(self.classes), len(self.classes)), np.intp)
        np.add.at(counts, (self.y, self.answers), 1)
        return counts

    @property
    def per_class(self) -> dict[str, ClassScore]:
        """Precision, recall and F1 of each class."""
        right, called, images = np.diag(self.confusion), self.confusion.sum(axis=0), self.confusion.sum(axis=1)
        return {
            name: ClassScore(_share(r, c), _share(r, i), _share(2 * r, c + i), int(i))
            for name, r, c, i in zip(self.classes, right, called, images, strict=True)
        }

    @property
    def roc_auc(self) -> float | None:
        """The probability that an image of the second class gets more of it than one of the first; of two classes."""
        second = self.probabilities[self.y == 1, -1]
        first = self.probabilities[self.y == 0, -1]
        if len(self.classes) != 2 or not len(first) or not len(second):
            return None
        order = np.sort(first)
        below = np.searchsorted(order, second, "left") + np.searchsorted(order, second, "right")  # equals count half
        return float(below.sum() / (2 * len(first) * len(second)))

    @property
    def calibration_bins(self) -> list[Bin]:
        """The answers in 15 equal bins of confidence."""
        confidence, right = self.probabilities.max(axis=1), self.answers == self.y
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        counts = np.bincount(bins, minlength=BINS)
        sums = np.bincount(bins, confidence, BINS), np.bincount(bins, right, BINS)
        return [Bin(_share(c, n), _share(r, n), int(n)) for c, r, n in zip(*sums, counts, strict=True)]

    @property
    def calibration_error(self) -> float:
        """ECE: the mean distance between confidence and accuracy, over 15 equal bins of confidence."""
        gaps = (abs(each.confidence - each.accuracy) * each.images for each in self.calibration_bins if each.images)
        return float(sum(gaps) / len(self.y))

    def name(self, index: int) -> str:
        """Where an image lies, below the folder that was evaluated."""
        path = self.paths[index]
        return str(path.relative_to(self.data) if path.is_relative_to(self.data) else path)

    def picture(self, index: int) -> Pixels:
        """The pixels of an image: (C, H, W)."""
        assert self.dataset is not None  # noqa: S101  figures alone have no pictures
        return self.dataset.picture(index)

    def list_mistakes(self, most: int) -> list[Mistake]:
        """The wrong answers, the most confident first."""
        wrong = np.flatnonzero(self.answers != self.y)
        confidence = self.probabilities[wrong, self.answers[wrong]]
        chosen = wrong[np.argsort(-confidence, kind="stable")][:most]
        return [
            Mistake(
                self.paths[i],
                self.classes[self.y[i]],
                self.classes[self.answers[i]],
                float(self.probabilities[i, self.answers[i]]),
            )
            for i in chosen
        ]


def evaluate_folder(
    data: Path,
    model: Model,
    split: Split | None = None,
    *,
    skip_bad: bool = False,
    on_image: Callable[[int, int], None] = lambda _done, _total: None,
    communicator: Communicator = ALONE,
) -> Evaluation:
    """Answer for every image of a class folder, or of a split of one: DATA/test where there is one and none is named.

    Folders are matched to the model's classes by name; a class of the model may have none. `on_image` is told after
    each image how many of how many are decoded. Raises DataError.
    """
    folder = find_split(data, split)
    samples = _label_images(folder, model.classes)
    architecture = model.architecture
    size = Size(architecture.height, architecture.width)
    channels: Channels = "gray" if architecture.channels == 1 else "rgb"
    communicator.require_same("image files", lambda: names_below(folder, samples))
    kept = [keep_batches(len(samples), communicator)]
    scratch = Path(gettempdir())
    (decoded,) = decode_all([samples], size, channels, scratch, on_image, kept=kept, communicator=communicator)
    if not skip_bad:
        refuse_unreadable(decoded.errors, len(samples))
    if not decoded.samples:
        raise DataError(f"{folder} has no readable image left")
    return evaluate_dataset(model, decoded.dataset(), folder, decoded.errors)


def evaluate_dataset(model: Model, dataset: Dataset, data: Path, left_out: Sequence[ImageError] = ()) -> Evaluation:
    """Answer for every image of a data set, which was read from the folder `data`."""
    output = model.chain.output
    probabilities, losses = [], []
    for batch in dataset.own_batches():
        z = model.logits(dataset.images[dataset.rows[batch]]).astype(np.float64)  # (m, K)
        probabilities.append(output.class_probabilities(z))
        losses.append(output.losses(z, dataset.labels[batch]))
    gathered = dataset.communicator.gather((probabilities, losses))
    return Evaluation(
        data,
        model.classes,
        tuple(sample.path for sample in dataset.samples),
        dataset.labels,
        np.concatenate([batch for of_rank, _ in gathered for batch in of_rank]),
        np.concatenate([batch for _, of_rank in gathered for batch in of_rank]),
        tuple(left_out),
        dataset,
    )


def find_split(data: Path, split: Split | None) -> Path:
    """The folder of a split; where none is named DATA/test if it is there, else DATA itself. Raises DataError."""
    names = [folder.name for folder in subfolders(data)]
    wanted = FOLDERS[split or "test"]
    found = next((name for name in wanted if name in names), None)
    if found is not None:
        return data / found
    if split is not None:
        raise DataError(f"{data} has no folder {' or '.join(wanted)}: it has {', '.join(names) or 'none'}")
    if "train" in names and not set(VALIDATION).isdisjoint(names):
        raise DataError(f"{data} is split into {', '.join(names)}: name the split to evaluate", remedy="split")
    return data


def _label_images(folder: Path, classes: Sequence[str]) -> list[Sample]:
    samples = []
    for below in subfolders(folder):
        if below.name not in classes:
            raise DataError(f"{below}: the model has no class {below.name}, it has {', '.join(classes)}")
        samples += [Sample(image, classes.index(below.name)) for image in list_images_below(below)]
    if not samples:
        raise DataError(f"{folder} holds no images in folders named after the model's classes, {', '.join(classes)}")
    return samples


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
