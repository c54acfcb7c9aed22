"""`cnncli train` as a plain function: an image folder in, a run folder and a summary out."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from cnncli import __version__
from cnncli.data.dataset import Dataset, decode_all, refuse_empty_classes, refuse_unreadable
from cnncli.data.decoding import Size
from cnncli.data.folder import Folder, scan
from cnncli.data.normalisation import Normalisation
from cnncli.data.split import split_stratified
from cnncli.errors import ArchitectureError, DataError, Diverged, ImageError, Stopped, UsageError
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.engine import Engine
from cnncli.network.engines import choose_engine
from cnncli.network.initialisation import he_normal
from cnncli.text import printable
from cnncli.training.loop import Epoch, train
from cnncli.training.optimisers import make_optimiser
from cnncli.training.run_folder import RunFolder, free_run_folder, refuse_existing
from cnncli.training.settings import DEFAULT_LEARNING_RATE, VALIDATION_FRACTION, TrainingSettings

OF_THE_DATA = ("height", "width", "channels", "classes")  # fields of Architecture that nobody chooses


@dataclass(frozen=True)
class Summary:
    """What a finished run amounts to."""

    run: Path
    model: Path
    epochs: int
    best: Epoch
    seconds: float  # of the whole training, validation included
    images_per_second: float  # while training on batches


class Watcher(Protocol):
    """Whoever wants to see a training while it runs."""

    def reading(self, done: int, total: int) -> None:
        """One more image is decoded."""

    def left_out(self, errors: Sequence[ImageError]) -> None:
        """Images that cannot be read and are left out."""

    def started(self, model: Model, engine: Engine, training: int, validation: int, epochs: int, run: Path) -> None:
        """The data is read and the run folder stands."""

    def batch(self, epoch: int, images: int, loss: float) -> None:
        """One more step; `images` counts those done in this epoch."""

    def epoch(self, epoch: Epoch) -> None:
        """One more epoch."""


class SilentWatcher:
    """Sees nothing but the epochs, which it hands on."""

    def __init__(self, on_epoch: Callable[[Epoch], None] | None = None) -> None:
        self._on_epoch = on_epoch

    def reading(self, _done: int, _total: int) -> None:
        """Of no interest."""

    def left_out(self, _errors: Sequence[ImageError]) -> None:
        """Of no interest."""

    def started(self, *_: object) -> None:
        """Of no interest."""

    def batch(self, _epoch: int, _images: int, _loss: float) -> None:
        """Of no interest."""

    def epoch(self, epoch: Epoch) -> None:
        """One more."""
        if self._on_epoch is not None:
            self._on_epoch(epoch)


def run_training(settings: TrainingSettings, watcher: Watcher) -> Summary:
    """Train on a folder of images and keep the epoch of the best validation accuracy (of equals, the smallest loss).

    Raises UsageError, DataError, Diverged and Stopped; in the last two the best model so far stays in the run folder.
    """
    path = settings.out or free_run_folder(settings.data)
    refuse_existing(path, settings.force)
    scanned = scan(settings.data)
    folder = _split_off_validation(scanned, settings)
    training, validation = _read(folder, settings, watcher, path)
    model = _fresh_model(folder.classes, training, settings)
    engine = choose_engine(model.architecture, settings.threads)
    rate = settings.learning_rate or DEFAULT_LEARNING_RATE[settings.optimizer]
    fraction = None if scanned.validation else settings.validation_fraction or VALIDATION_FRACTION
    effective = replace(settings, learning_rate=rate, validation_fraction=fraction)

    run = RunFolder(path, force=settings.force)
    run.write_settings(_settings(effective, model))
    splits = {"train": training.samples, "validation": validation.samples}
    run.write_split(folder.root, splits, folder.classes)
    watcher.started(model, engine, len(training), len(validation), settings.epochs, path)
    epochs = train(
        model,
        engine,
        training,
        validation,
        optimiser=make_optimiser(effective.optimizer, rate),
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        seed=settings.seed,
        on_batch=watcher.batch,
    )
    return _keep_best(run, model, epochs, settings.epochs, watcher)


def _keep_best(run: RunFolder, model: Model, epochs: Iterator[Epoch], total: int, watcher: Watcher) -> Summary:
    """Go through the epochs; each goes into the history, and the model of the best one into its file."""
    best: Epoch | None = None
    done = []
    start = time.perf_counter()
    try:
        for epoch in epochs:
            done.append(epoch)  # first, so that a signal never leaves a best epoch beyond those that are counted
            if best is None or _merit(epoch) > _merit(best):
                run.save(model)
                best = epoch
            run.add_epoch(epoch)
            watcher.epoch(epoch)
    except Diverged as error:
        raise Diverged(f"{error}; {_what_remains(run, best)}") from None
    except (KeyboardInterrupt, Stopped) as stop:
        code = stop.exit_code if isinstance(stop, Stopped) else 130
        raise Stopped(f"stopped after {len(done)} of {total} epochs; {_what_remains(run, best)}", code) from None
    assert best is not None  # noqa: S101  at least one epoch was run
    seconds = time.perf_counter() - start
    trained = sum(epoch.images_per_second * epoch.seconds for epoch in done)
    return Summary(run.path, run.model, len(done), best, seconds, trained / sum(epoch.seconds for epoch in done))


def _split_off_validation(folder: Folder, settings: TrainingSettings) -> Folder:
    """The folder with its own validation images, or with some taken from the training images."""
    if folder.validation is not None:
        if settings.validation_fraction is not None:
            raise UsageError(
                f"has nothing to do: {folder.root} brings its own validation images", argument="validation_fraction"
            )
        return folder
    fraction = settings.validation_fraction or VALIDATION_FRACTION
    training, validation = split_stratified(folder.training, folder.root, fraction, settings.seed)
    return replace(folder, training=training, validation=validation)


def _read(folder: Folder, settings: TrainingSettings, watcher: Watcher, run: Path) -> tuple[Dataset, Dataset]:
    """Decode the images of both splits to one size and one number of channels."""
    splits = (folder.training, folder.validation or ())
    size = Size(settings.image_size, settings.image_size) if settings.image_size else None
    training, validation = decode_all(splits, size, settings.channels, run, watcher.reading, settings.threads)
    errors = training.errors + validation.errors
    if settings.skip_bad:
        watcher.left_out(errors)
        refuse_empty_classes(training.samples, folder.classes)
        if not validation.samples:
            raise DataError(f"{folder.root} has no readable validation image left")
    else:
        refuse_unreadable(errors, len(splits[0]) + len(splits[1]))
    return training.dataset(), validation.dataset()


def _fresh_model(classes: tuple[str, ...], training: Dataset, settings: TrainingSettings) -> Model:
    """A network that fits the images, with fresh parameters in float32."""
    _, channels, height, width = training.images.shape
    try:
        architecture = Architecture(height, width, channels, classes=len(classes), **settings.network)
        build_chain(architecture)
    except ArchitectureError as error:
        if settings.image_size:
            raise
        raise DataError(
            f"the images of {settings.data} are {height}×{width}: {error}, or scale them", remedy="image_size"
        ) from None
    parameters = {name: value.astype(np.float32) for name, value in he_normal(architecture, settings.seed).items()}
    return Model(architecture, classes, Normalisation.measured(training.images), parameters)


def _settings(settings: TrainingSettings, model: Model) -> dict[str, object]:
    """The settings as they took effect, ready for JSON."""
    network = {name: value for name, value in asdict(model.architecture).items() if name not in OF_THE_DATA}
    effective: dict[str, object] = {}
    for name, value in asdict(settings).items():
        if name == "network":
            effective |= network
        elif name not in ("out", "force", "threads"):
            effective[name] = value
    return {
        "cnncli": __version__,
        **effective,
        "data": printable(settings.data),
        "architecture": asdict(model.architecture),
        "classes": model.classes,
        "normalisation": asdict(model.normalisation),
    }


def _merit(epoch: Epoch) -> tuple[float, float]:
    return epoch.validation.accuracy, -epoch.validation.loss


def _what_remains(run: RunFolder, best: Epoch | None) -> str:
    if best is None:
        return "there is no model yet"
    return f"the best model so far, of epoch {best.number}, is in {run.model}"
