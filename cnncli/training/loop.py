"""The training loop: batches in, one row of figures per epoch out."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from cnncli.data.batches import Batches
from cnncli.data.dataset import Dataset
from cnncli.errors import Diverged
from cnncli.model import Model
from cnncli.network.engine import Engine
from cnncli.training.optimisers import Optimiser
from cnncli.training.order import Batch, order_epoch

EVALUATION_BATCH = 64  # images in one forward pass where no gradient is needed: bounds the memory


@dataclass(frozen=True)
class Score:
    """Mean loss and share of right answers over a set of images."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """One row of the history.

    `training` is the mean over the epoch's images, each measured with the parameters of its moment; `gradient_norms` is
    the mean over the epoch's batches of each gradient's Euclidean norm.
    """

    number: int
    training: Score
    validation: Score
    gradient_norms: dict[str, float]
    seconds: float  # spent on the training batches
    images_per_second: float


def train(
    model: Model,
    engine: Engine,
    training: Dataset,
    validation: Dataset,
    *,
    optimiser: Optimiser,
    epochs: int,
    batch_size: int,
    seed: int,
    on_batch: Callable[[int, int, float], None],
) -> Iterator[Epoch]:
    """Change `model.parameters` (float32) in place, and yield after each epoch.

    The order of the images is a pure function of (seed, epoch). `on_batch` is told the epoch, the images done in it and
    the batch's loss. Raises Diverged as soon as a loss is not finite.
    """
    for number in range(1, epochs + 1):
        batches = order_epoch(len(training), seed, number, batch_size)
        start = time.perf_counter()
        mean, norms = _run_epoch(model, engine, training, batches, optimiser, number, on_batch)
        seconds = time.perf_counter() - start
        with np.errstate(over="ignore", invalid="ignore"):
            score = evaluate(model, validation, engine)
        _refuse_not_finite(score.loss, f"the validation of epoch {number}")
        yield Epoch(number, mean, score, norms, seconds, len(training) / seconds)


def _run_epoch(
    model: Model,
    engine: Engine,
    training: Dataset,
    batches: Sequence[Batch],
    optimiser: Optimiser,
    number: int,
    on_batch: Callable[[int, int, float], None],
) -> tuple[Score, dict[str, float]]:
    """One step for each batch; the mean score, and the mean norm of each gradient."""
    X, output = Batches(training.images, model.normalisation), model.chain.output
    loss, correct, done = 0.0, 0, 0
    norms = dict.fromkeys(model.parameters, 0.0)
    for step, (batch, _) in enumerate(batches, 1):
        y = training.labels[batch]
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite is looked for, below
            result = engine.loss_and_gradients(model.parameters, X[batch], y)
            optimiser.update(model.parameters, result.gradients)
        _refuse_not_finite(result.loss, f"epoch {number}, step {step}")
        loss += result.loss * len(batch)
        correct += int((output.predict(result.logits) == y).sum())
        done += len(batch)
        for name, gradient in result.gradients.items():
            norms[name] += float(np.linalg.norm(gradient)) / len(batches)
        on_batch(number, done, result.loss)
    return Score(loss / done, correct / done), norms


def evaluate(model: Model, dataset: Dataset, engine: Engine | None = None) -> Score:
    """Mean loss and accuracy of a model over a data set, in float32; by the model's own engine if none is given."""
    engine = engine or model.engine
    output = model.chain.output
    X = Batches(dataset.images, model.normalisation)
    loss, correct = 0.0, 0
    for first in range(0, len(dataset), EVALUATION_BATCH):
        batch = np.arange(first, min(first + EVALUATION_BATCH, len(dataset)))
        z, y = engine.logits(model.parameters, X[batch]), dataset.labels[batch]
        loss += float(output.losses(z, y).sum(dtype=np.float64))
        correct += int((output.predict(z) == y).sum())
    return Score(loss / len(dataset), correct / len(dataset))


def _refuse_not_finite(loss: float, where: str) -> None:
    if not isfinite(loss):
        raise Diverged(f"training diverged in {where}: the loss is {loss}; try a smaller learning rate")
