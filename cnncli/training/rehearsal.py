"""A dry run as a plain function: all that comes before a training, and about a second of its steps."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cnncli.data.dataset import Dataset, refuse_unreadable
from cnncli.data.decoding import Size, image_size
from cnncli.data.settings import LARGEST_OWN_SIZE
from cnncli.distributed.communicator import ALONE, Communicator
from cnncli.errors import ImageError, UsageError
from cnncli.model import FILE_NAME, Model
from cnncli.network.engine import Engine
from cnncli.network.engines import choose_engine
from cnncli.training.activity import measure_activity
from cnncli.training.checkpoint import LAST, Checkpoint
from cnncli.training.loop import Loop, evaluate
from cnncli.training.preparation import Data, estimate_memory, load_initial_model, read_data
from cnncli.training.run import Watcher, begin, refuse_ranks
from cnncli.training.run_folder import choose_place
from cnncli.training.settings import TrainingSettings
from cnncli.training.symptoms import Symptom, examine_data

SECONDS = 1.0  # of steps that are timed
EVALUATED = 512  # images of the validation that is timed, at most


@dataclass(frozen=True)
class Rehearsal:
    """What a training would be."""

    run: Path  # where it would go
    model: Model
    engine: Engine
    counts: dict[str, tuple[int, int]]  # images of each class to train on and to validate on
    fraction: float | None  # of the validation images, where they would be taken from the training images
    file_sizes: tuple[Size, Size]  # of the smallest image and of the largest
    ranks: int  # that take part
    pixels: int  # bytes, of the rank that has most
    memory: int  # bytes that a step needs at most on each rank, the pixels left out
    epochs: int  # at most
    batch_size: int
    seconds_per_step: float
    seconds_per_end: float  # of an epoch: the validation, and the files that are written
    symptoms: tuple[Symptom, ...]  # what would be warned of
    unreadable: tuple[ImageError, ...]  # the images that cannot be read, all of them
    skip_bad: bool  # whether they would be left out

    @property
    def images(self) -> tuple[int, int]:
        """How many there are to train on and to validate on."""
        training, validation = (sum(numbers) for numbers in zip(*self.counts.values(), strict=True))
        return training, validation

    def require_readable(self) -> None:
        """Raise DataError where some images cannot be read and would not be left out: so would the training."""
        if not self.skip_bad:
            refuse_unreadable(self.unreadable, sum(self.images) + len(self.unreadable))

    @property
    def seconds_per_epoch(self) -> float:
        """An estimate, from what was timed."""
        steps = -(-self.images[0] // self.batch_size)
        return steps * self.seconds_per_step + self.seconds_per_end

    @property
    def seconds(self) -> float:
        """An estimate of the whole training, once the images are read."""
        return self.epochs * self.seconds_per_epoch


def rehearse_training(settings: TrainingSettings, watcher: Watcher, communicator: Communicator = ALONE) -> Rehearsal:
    """Read the images, make the network and time some steps, all ranks together; nothing is kept.

    Raises as `run_training`, but for images that cannot be read: they are listed.
    """
    if settings.resume:
        raise UsageError("has nothing to do in a dry run, which begins anew: leave it out", argument="resume")
    run = choose_place(settings.out, settings.data, settings.force)
    refuse_ranks(settings, communicator)
    like = communicator.first(lambda: load_initial_model(settings))
    unreadable: list[ImageError] = []
    with tempfile.TemporaryDirectory() as scratch:
        keeping = replace(settings, skip_bad=True)
        data = read_data(keeping, like, Path(scratch), watcher.reading, unreadable.extend, communicator)
        training, validation = data.training, data.validation
        symptoms = examine_data(training, validation, data.classes, data.fingerprints, balanced=settings.balanced)
        for symptom in symptoms:
            watcher.warn(symptom)
        model = (checkpoint := begin(settings, data, like)).model
        engine = choose_engine(model.architecture, settings.threads, settings.engine)
        step = _time_step(Loop(model, engine, training, validation, settings, checkpoint.state), communicator)
        end = _time_end_of_epoch(checkpoint, engine, validation, Path(scratch))
    return Rehearsal(
        run,
        model,
        engine,
        _count(data.classes, training, validation),
        data.fraction,
        communicator.first(lambda: _find_file_sizes(data, settings.image_size is not None or like is not None)),
        communicator.size,
        max(communicator.gather(training.images.nbytes + validation.images.nbytes)),
        estimate_memory(model.architecture, min(settings.batch_size, len(training)), communicator),
        settings.epochs,
        settings.batch_size,
        step,
        end,
        tuple(symptoms),
        tuple(unreadable),
        settings.skip_bad,
    )


class _Enough(Exception):
    """Enough steps are timed."""


def _time_step(loop: Loop, communicator: Communicator) -> float:
    """Seconds of a step with all that goes with it: the mean over about a second of training, all ranks as many."""
    start, state = time.perf_counter(), loop.state

    def note(_epoch: int, _images: int, _loss: float) -> None:
        if communicator.first(lambda: time.perf_counter() > start + SECONDS):
            raise _Enough

    with suppress(_Enough):
        for _ in loop.run(note):
            pass
    return (sum(epoch.seconds for epoch in state.history) + state.tally.seconds) / state.optimiser.steps


def _time_end_of_epoch(checkpoint: Checkpoint, engine: Engine, validation: Dataset, scratch: Path) -> float:
    """Seconds of the validation, of a look at the units, and of the files that are written."""
    model, own, some = checkpoint.model, len(validation.held), validation.held[:EVALUATED]
    part = Dataset(validation.images[: len(some)], validation.labels[some], validation.samples[: len(some)])
    start = time.perf_counter()
    if len(some):
        evaluate(model, part, engine)
    evaluated = time.perf_counter()
    measure_activity(model, validation)
    checkpoint.save(scratch / LAST)
    model.save(scratch / FILE_NAME)
    return (evaluated - start) * own / max(len(some), 1) + time.perf_counter() - evaluated


def _count(classes: Sequence[str], training: Dataset, validation: Dataset) -> dict[str, tuple[int, int]]:
    """How many images of each class each has."""
    counts = [np.bincount(dataset.labels, minlength=len(classes)).tolist() for dataset in (training, validation)]
    return dict(zip(classes, zip(*counts, strict=True), strict=True))


def _find_file_sizes(data: Data, chosen: bool) -> tuple[Size, Size]:
    """The sizes of the smallest image and of the largest; `chosen` is whether the size of the pixels was."""
    own = Size(*data.training.images.shape[2:])
    if not chosen and own != (LARGEST_OWN_SIZE, LARGEST_OWN_SIZE):  # then it is the one that all files have
        return own, own
    sizes = []
    for sample in (*data.training.samples, *data.validation.samples):
        with suppress(ImageError):  # gone since it was read
            sizes.append(image_size(sample.path))
    by_area = sorted(sizes, key=lambda size: (size.height * size.width, size))
    return by_area[0], by_area[-1]
