"""The training loop: batches in, one row of figures per epoch out."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from math import hypot, isfinite
from zlib import adler32

import numpy as np

from cnncli.data.batches import Batches
from cnncli.data.dataset import Dataset
from cnncli.distributed.communicator import Part
from cnncli.errors import Diverged
from cnncli.model import Model
from cnncli.network.arrays import Array, Parameters
from cnncli.network.engine import Engine
from cnncli.training.activity import measure_activity
from cnncli.training.augmentation import Augmentation, draw
from cnncli.training.order import LANES, Batch, order_epoch
from cnncli.training.schedules import learning_rate_share
from cnncli.training.settings import DEFAULT_LEARNING_RATE, DEFAULT_WARM_UP, TrainingSettings
from cnncli.training.state import Epoch, Score, State, Tally

PREPARED = 1 << 17  # numbers of images, about, that are made ready together: they stay in the processor's cache
MEASURED = 8  # steps of an epoch in which the size of the updates is measured


class Loop:
    """Changes `model.parameters` (float32) in place; where it stands is in `state`, and it goes on from there.

    The order of the images and their augmentation are pure functions of (seed, epoch), so that a training which is
    stopped between two steps, stored and gone on with ends in the same bits as one that never stopped.
    """

    def __init__(
        self,
        model: Model,
        engine: Engine,
        training: Dataset,
        validation: Dataset,
        settings: TrainingSettings,
        state: State,
    ) -> None:
        self.model, self.engine, self.settings, self.state = model, engine, settings, state
        self.training, self.validation = training, validation
        self._batches = Batches(training, model.normalisation)
        self._communicator = training.communicator
        self._augmentation = Augmentation(settings.augmentations) if settings.augment else None
        self._class_weights = balance(training, len(model.classes)) if settings.balanced else None
        self._rate = settings.learning_rate or DEFAULT_LEARNING_RATE[settings.optimizer]
        self._warm_up = DEFAULT_WARM_UP[settings.schedule] if settings.warm_up is None else settings.warm_up

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or enough of them without a better one."""
        most, patience = self.settings.epochs, self.settings.early_stop
        return len(self.state.history) >= most or (patience is not None and self.state.epochs_since_best >= patience)

    def run(self, on_step: Callable[[int, int, float], None]) -> Iterator[Epoch]:
        """Go on to the end, and yield after each epoch.

        `on_step` is called between two steps, with the epoch, the images done in it and the batch's loss. Raises
        Diverged as soon as a loss is not finite.
        """
        while not self.finished:
            self._run_epoch(len(self.state.history) + 1, on_step)
            epoch = self._sum_up()
            self.state.history.append(epoch)
            self.state.tally = Tally()
            yield epoch

    def _run_epoch(self, number: int, on_step: Callable[[int, int, float], None]) -> None:
        """The steps of an epoch that are not done yet."""
        n, seed, tally = len(self.training), self.settings.seed, self.state.tally
        batches = order_epoch(n, seed, number, self.settings.batch_size, self.training.image_at)
        draws = draw(n, seed, number) if self._augmentation else None
        parts = self._go_through(batches[tally.steps :], draws)
        for step in range(tally.steps, len(batches)):
            start = time.perf_counter()
            with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite is looked for, below
                loss = self._take_step(next(parts), len(batches))
            _refuse_not_finite(loss, f"epoch {number}, step {step + 1}")
            tally.seconds += time.perf_counter() - start
            on_step(number, tally.images, loss)

    def _go_through(self, batches: Sequence[Batch], draws: Array | None) -> Iterator[Part]:
        """The part of each batch that is computed here; a few of them are prepared together."""
        image = self.training.images[0].size if len(self.training.images) else 1
        together = max(PREPARED * self._communicator.size // (self.settings.batch_size * image), 1)
        for first in range(0, len(batches), together):
            yield from self._prepare(batches[first : first + together], draws)

    def _take_step(self, part: Part, steps: int) -> float:
        """One step down the gradient of a batch, counted in the tally; the loss before it."""
        model, tally, optimiser = self.model, self.state.tally, self.state.optimiser
        result = self._communicator.add_up(self.engine, model.parameters, part, self.settings.label_smoothing)
        norms = {name: float(np.linalg.norm(gradient)) for name, gradient in result.gradients.items()}
        gradients = self._clip(result.gradients, hypot(*norms.values()))
        measured = tally.steps % max(steps // MEASURED, 1) == 0
        before = {name: value.copy() for name, value in model.parameters.items()} if measured else {}
        optimiser.update(model.parameters, gradients, self.rate(optimiser.steps, steps))
        _add_to(tally.norms, norms)
        if measured:
            _add_to(tally.ratios, _update_ratios(before, model.parameters))
            tally.measured += 1
        tally.steps += 1
        tally.images += part.m
        tally.loss += result.loss * part.m
        tally.correct += result.correct
        return result.loss

    def _prepare(self, batches: Sequence[Batch], draws: Array | None) -> list[Part]:
        """The lanes of some batches that are computed here."""
        own = [batch.part(self._communicator.share(LANES)) for batch in batches]
        images = np.concatenate([part.images for part in own])
        X, y = self._batches[images], self.training.labels[images]
        if self._augmentation is not None and draws is not None:
            X = self._augmentation.apply(X, draws[images])
        weights = None if self._class_weights is None else self._class_weights[y]
        ends = np.cumsum([len(part.images) for part in own])
        of_part = [slice(end - len(part.images), end) for part, end in zip(own, ends, strict=True)]
        return [
            Part(X[of], y[of], None if weights is None else weights[of], part.bounds, len(batch.images))
            for part, batch, of in zip(own, batches, of_part, strict=True)
        ]

    def rate(self, step: int, steps_of_epoch: int) -> float:
        """The learning rate of a step, counted from 0 over all epochs."""
        share = learning_rate_share(self.settings.schedule, step, steps_of_epoch * self.settings.epochs, self._warm_up)
        return self._rate * share

    def _clip(self, gradients: Parameters, norm: float) -> Parameters:
        """The gradients, all scaled alike where their common norm is above `clip_norm`."""
        most = self.settings.clip_norm
        if most is None or not norm > most:
            return gradients
        return {name: gradient * np.float32(most / norm) for name, gradient in gradients.items()}

    def _sum_up(self) -> Epoch:
        """The figures of the epoch whose steps are done."""
        tally, number = self.state.tally, len(self.state.history) + 1
        self._communicator.require_same(
            f"parameters after epoch {number}",
            lambda: [adler32(value.tobytes()) for value in self.model.parameters.values()],
            "use machines of one kind",
        )
        with np.errstate(over="ignore", invalid="ignore"):
            validation = judged = evaluate(self.model, self.validation, self.engine)
            if self._class_weights is not None:
                weights = balance(self.validation, len(self.model.classes))
                judged = evaluate(self.model, self.validation, self.engine, weights)
            activity = measure_activity(self.model, self.validation)
        _refuse_not_finite(validation.loss, f"the validation of epoch {number}")
        return Epoch(
            number,
            Score(tally.loss / tally.images, tally.correct / tally.images),
            validation,
            {name: total / tally.steps for name, total in tally.norms.items()},
            {name: total / tally.measured for name, total in tally.ratios.items()},
            activity,
            self.rate(self.state.optimiser.steps - 1, tally.steps),
            tally.seconds,
            tally.images / tally.seconds,
            judged,
        )


def evaluate(model: Model, dataset: Dataset, engine: Engine | None = None, class_weights: Array | None = None) -> Score:
    """Mean loss and accuracy of a model over a data set, in float32; by the model's own engine if none is given.

    With weights (classes,) that are 1 on average over the images each image counts as much as its class does.
    """
    engine = engine or model.engine
    output = model.chain.output
    X = Batches(dataset, model.normalisation)
    weights = np.ones(len(model.classes)) if class_weights is None else class_weights
    sums = []
    for batch in dataset.own_batches():
        z, y = engine.logits(model.parameters, X[batch]), dataset.labels[batch]
        of_batch = weights[y] * output.losses(z, y), weights[y] * (output.predict(z) == y)
        sums.append([float(each.sum(dtype=np.float64)) for each in of_batch])
    loss, correct = 0.0, 0.0
    for of_loss, of_correct in chain.from_iterable(dataset.communicator.gather(sums)):
        loss += of_loss
        correct += of_correct
    return Score(loss / len(dataset), correct / len(dataset))


def balance(dataset: Dataset, classes: int) -> Array:
    """Weights with which every class counts alike, 1 on average over the images: n/(classes · images of the class)."""
    counts = np.bincount(dataset.labels, minlength=classes)  # (classes,)
    present = np.count_nonzero(counts)
    return (len(dataset) / (present * np.maximum(counts, 1))).astype(np.float32)


def _update_ratios(before: Parameters, after: Parameters) -> dict[str, float]:
    """‖change‖/‖parameter‖, 0 where a parameter is still 0."""
    ratios = {}
    for name, old in before.items():
        size = float(np.linalg.norm(old))
        ratios[name] = float(np.linalg.norm(after[name] - old)) / size if size else 0.0
    return ratios


def _add_to(sums: dict[str, float], values: dict[str, float]) -> None:
    for name, value in values.items():
        sums[name] = sums.get(name, 0.0) + value


def _refuse_not_finite(loss: float, where: str) -> None:
    if not isfinite(loss):
        raise Diverged(f"training diverged in {where}: the loss is {loss}; try a smaller learning rate")
