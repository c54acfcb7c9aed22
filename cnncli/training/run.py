"""`cnncli train` as a plain function: an image folder in, a run folder and a summary out."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from cnncli import __version__
from cnncli.data.dataset import Dataset
from cnncli.distributed.communicator import ALONE, Communicator
from cnncli.errors import DataError, Diverged, ImageError, Stopped, UsageError
from cnncli.model import FILE_NAME, Model
from cnncli.network.engine import Engine
from cnncli.network.engines import choose_engine
from cnncli.stopping import deferred
from cnncli.text import printable
from cnncli.training.checkpoint import LAST, Checkpoint, read_checkpoint
from cnncli.training.config import OF_THE_DATA
from cnncli.training.loop import Loop
from cnncli.training.optimisers import make_optimiser
from cnncli.training.order import LANES
from cnncli.training.preparation import Data, adapt_model, load_initial_model, make_model, read_data
from cnncli.training.run_folder import FollowedRun, RunFolder, latest_run_folder
from cnncli.training.run_lock import claim_run_folder
from cnncli.training.settings import DEFAULT_LEARNING_RATE, DEFAULT_WARM_UP, OF_THE_CALL, TrainingSettings
from cnncli.training.split_table import describe_change
from cnncli.training.state import Epoch, State
from cnncli.training.symptoms import Symptom, examine_data, examine_end, examine_epoch


@dataclass(frozen=True)
class Summary:
    """What a finished run amounts to."""

    run: Path
    model: Path
    epochs: int
    best: Epoch
    seconds: float  # of the whole training, validation included
    images_per_second: float  # while training on batches
    validation: Dataset = field(repr=False)
    symptoms: tuple[Symptom, ...] = ()  # what was warned of


class Watcher(Protocol):
    """Whoever wants to see a training while it runs."""

    def reading(self, done: int, total: int) -> None:
        """One more image is decoded."""

    def left_out(self, errors: Sequence[ImageError]) -> None:
        """Images that cannot be read and are left out."""

    def started(self, model: Model, engine: Engine, training: int, validation: int, epochs: int, run: Path) -> None:
        """The data is read and the run folder stands."""

    def resumed(self, state: State) -> None:
        """The training goes on from here, and has not just begun."""

    def warn(self, symptom: Symptom) -> None:
        """Something goes wrong."""

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

    def resumed(self, _state: State) -> None:
        """Of no interest."""

    def warn(self, _symptom: Symptom) -> None:
        """It is in the summary too."""

    def batch(self, _epoch: int, _images: int, _loss: float) -> None:
        """Of no interest."""

    def epoch(self, epoch: Epoch) -> None:
        """One more."""
        if self._on_epoch is not None:
            self._on_epoch(epoch)


def run_training(settings: TrainingSettings, watcher: Watcher, communicator: Communicator = ALONE) -> Summary:
    """Train on a folder of images and keep the epoch of the best validation accuracy (of equals, the smallest loss).

    All ranks of a communicator train together, and rank 0 alone writes. Raises UsageError, DataError, Diverged and
    Stopped; in the last two the best model so far stays in the run folder, and the training can be gone on with.
    """
    refuse_ranks(settings, communicator)
    with _claim(settings) if communicator.leads else nullcontext() as claimed:
        path = communicator.first(lambda: claimed)
        assert path is not None  # noqa: S101  rank 0 has one
        return _train_into(path, settings, watcher, communicator)


def refuse_ranks(settings: TrainingSettings, communicator: Communicator) -> None:
    """Raise UsageError for more ranks than can train, DataError where one was given other settings."""
    if communicator.size > LANES:
        raise UsageError(
            f"a training has {LANES} lanes, and {communicator.size} ranks were started: start at most {LANES}"
        )
    chosen = {name: value for name, value in asdict(settings).items() if name not in OF_THE_CALL}
    communicator.require_same("settings", lambda: chosen)


def _claim(settings: TrainingSettings) -> AbstractContextManager[Path]:
    out = settings.out or (latest_run_folder(settings.data) if settings.resume else None)
    return claim_run_folder(out, settings.data, replace=settings.force or settings.resume)


def _train_into(path: Path, settings: TrainingSettings, watcher: Watcher, communicator: Communicator) -> Summary:
    checkpoint, like = communicator.first(lambda: _read_start(path, settings))
    data = read_data(settings, like, path, watcher.reading, watcher.left_out, communicator)
    if checkpoint is not None:
        _refuse_other_data(checkpoint, data, path)
    else:
        checkpoint = begin(settings, data, like)
    engine = choose_engine(checkpoint.model.architecture, settings.threads, settings.engine)
    communicator.require_same("engines", lambda: engine.name)
    checkpoint = replace(checkpoint, settings=describe_settings(settings, checkpoint.model, data, engine))

    kind = RunFolder if communicator.leads else FollowedRun
    run = kind(path, force=settings.force or settings.resume, resume=checkpoint.state.optimiser.steps > 0)
    return _Training(settings, watcher, run, data, checkpoint, engine).run()


def _read_start(path: Path, settings: TrainingSettings) -> tuple[Checkpoint | None, Model | None]:
    """What a training goes on from, and the model that its own has to be like."""
    checkpoint = read_checkpoint(path / LAST) if settings.resume and (path / LAST).is_file() else None
    if checkpoint is None and settings.resume and (path / FILE_NAME).exists() and not settings.force:
        raise DataError(f"{path} has no {LAST} to go on from: name another folder, or replace the run", remedy="force")
    return checkpoint, checkpoint.model if checkpoint else load_initial_model(settings)


def begin(settings: TrainingSettings, data: Data, like: Model | None) -> Checkpoint:
    """A training before its first step."""
    if like is None:
        model = make_model(data.classes, data.training, settings)
    else:
        model = adapt_model(like, data.classes, settings.seed)
    optimiser = make_optimiser(settings.optimizer, momentum=settings.momentum, weight_decay=settings.weight_decay)
    return Checkpoint(model, State(optimiser), {}, data.split, data.listed)


def _refuse_other_data(checkpoint: Checkpoint, data: Data, path: Path) -> None:
    if checkpoint.split != data.split:
        raise DataError(
            f"{path} was begun on other images, {describe_change(checkpoint.split, data.split)}: "
            "bring them back, or begin a new run"
        )
    if checkpoint.listed != data.listed:
        raise DataError(
            f"{path} was begun beside other files that cannot be read, and they have a say in the order of the images: "
            "bring them back, or begin a new run"
        )


class _Training:
    """A training that leaves in its run folder, at every moment, something that can be gone on with."""

    def __init__(
        self,
        settings: TrainingSettings,
        watcher: Watcher,
        run: RunFolder,
        data: Data,
        checkpoint: Checkpoint,
        engine: Engine,
    ) -> None:
        self._communicator = data.training.communicator
        self.settings, self.watcher, self._run, self._data, self._checkpoint = settings, watcher, run, data, checkpoint
        self.model, self.state, self.engine = checkpoint.model, checkpoint.state, engine
        self.loop = Loop(self.model, self.engine, data.training, data.validation, settings, self.state)
        self._symptoms: list[Symptom] = []
        self._saved = time.monotonic()

    def run(self) -> Summary:
        """Go on to the end."""
        start, run, data, state = time.perf_counter(), self._run, self._data, self.state
        with deferred():
            run.write_settings(self._checkpoint.settings)
            run.write_split(data.split)
            run.write_history(state.history)
            self._save_checkpoint()
        self.watcher.started(
            self.model, self.engine, len(data.training), len(data.validation), self.settings.epochs, run.path
        )
        if state.optimiser.steps:
            self.watcher.resumed(state)
        balanced = self.settings.balanced
        self._warn(examine_data(data.training, data.validation, data.classes, data.fingerprints, balanced=balanced))
        try:
            with deferred():
                self._go_through_epochs()
        except Diverged as error:
            raise Diverged(f"{error}; {self._tell_what_remains()}") from None
        except (KeyboardInterrupt, Stopped) as stop:
            code = stop.exit_code if isinstance(stop, Stopped) else 130
            done = f"stopped after {len(state.history)} of {self.settings.epochs} epochs"
            raise Stopped(f"{done}; {self._tell_what_remains()}", code, remedy="resume") from None
        assert state.best is not None  # noqa: S101  at least one epoch was run
        self._warn(examine_end(state.best, data.training, data.validation, data.classes, balanced=balanced))
        trained = sum(epoch.seconds for epoch in state.history)
        speed = sum(epoch.images_per_second * epoch.seconds for epoch in state.history) / trained
        seconds = time.perf_counter() - start
        symptoms = tuple(self._symptoms)
        return Summary(run.path, run.model, len(state.history), state.best, seconds, speed, data.validation, symptoms)

    def _go_through_epochs(self) -> None:
        """Each epoch goes into the history, the model of the best one into its file, all into the checkpoint."""
        tensors = [*self.model.chain.parameters.values()]
        for epoch in self.loop.run(self._look_up):
            if self.state.best is epoch:
                self._run.save(self.model)
            self._save_checkpoint()
            self._run.write_history(self.state.history)
            self.watcher.epoch(epoch)
            self._warn(examine_epoch(self.state.history, tensors, len(self._data.classes)))
            if reason := self._communicator.pending():
                raise reason

    def _look_up(self, epoch: int, images: int, loss: float) -> None:
        """Between two steps: whatever must not happen in one."""
        self.watcher.batch(epoch, images, loss)
        minutes = self.settings.checkpoint_minutes
        reason = self._communicator.pending()
        if reason or (minutes is not None and time.monotonic() > self._saved + 60 * minutes):
            self._save_checkpoint()
        if reason:
            raise reason

    def _save_checkpoint(self) -> None:
        self._run.save_checkpoint(self._checkpoint)
        self._saved = time.monotonic()

    def _warn(self, symptoms: Sequence[Symptom]) -> None:
        for symptom in symptoms:
            self._symptoms.append(symptom)
            self.watcher.warn(symptom)

    def _tell_what_remains(self) -> str:
        best = self.state.best
        if best is None:
            return "there is no model yet"
        return f"the best model so far, of epoch {best.number}, is in {self._run.model}"


def describe_settings(settings: TrainingSettings, model: Model, data: Data, engine: Engine) -> dict[str, Any]:
    """The settings as they took effect, and what else settings.json tells; ready for JSON."""
    rate = settings.learning_rate or DEFAULT_LEARNING_RATE[settings.optimizer]
    warm_up = DEFAULT_WARM_UP[settings.schedule] if settings.warm_up is None else settings.warm_up
    effective = replace(settings, learning_rate=rate, warm_up=warm_up, validation_fraction=data.fraction)
    network = {name: value for name, value in asdict(model.architecture).items() if name not in OF_THE_DATA}
    values = {
        name: printable(value) if isinstance(value, Path) else value
        for name, value in asdict(effective).items()
        if name not in (*OF_THE_CALL, "network")
    }
    return {
        "cnncli": __version__,
        **values,
        **network,
        "skip_bad": settings.skip_bad,
        "data": printable(settings.data),
        "engine_used": engine.description,
        "architecture": asdict(model.architecture),
        "classes": model.classes,
        "normalisation": asdict(model.normalisation),
    }
