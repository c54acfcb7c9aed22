"""How alive a network is on some images: units that never open, and who wins the pooling windows."""

from dataclasses import dataclass

import numpy as np

from cnncli.data.dataset import Dataset
from cnncli.model import Model
from cnncli.network.arrays import Array
from cnncli.network.steps.step import KinkedStep
from cnncli.network.tensors import Tensor

UNITS = 200_000  # entries of the network's values that are looked at, about: some milliseconds
IMAGES = range(8, 257)  # and never fewer or more images than that


@dataclass(frozen=True)
class Activity:
    """What was found, by the name of what a step makes: A1 or P1.

    `dead` is the share of units that are 0 for every image; `silent` the filters of which all are; `won` for each
    filter the share of pooling windows in which it is the largest of all filters, and above 0.
    """

    dead: dict[str, float]
    silent: dict[str, list[int]]
    won: dict[str, list[float]]


def measure_activity(model: Model, dataset: Dataset) -> Activity:
    """The activity on images of a data set, spread evenly over it."""
    steps = model.chain.steps
    units = sum(np.prod(step.output.shape) for step in steps)
    count = min(len(dataset), max(IMAGES.start, min(IMAGES.stop - 1, int(UNITS // units))))
    chosen = np.arange(count) * len(dataset) // count
    value = model.normalise(dataset.fetch(chosen), np.float32)  # (m, C, H, W)
    activity = Activity({}, {}, {})
    for step in steps:
        value = step.forward(value, *(model.parameters[tensor.name] for tensor in step.parameters))
        if isinstance(step, KinkedStep):
            (_add_winners if step.selects else _add_dead)(activity, step.output, value)
    return activity


def _add_dead(activity: Activity, tensor: Tensor, A: Array) -> None:
    """A is (m, N, h, w)."""
    never = (A <= 0).all(axis=0)  # (N, h, w)
    activity.dead[tensor.name] = float(never.mean())
    activity.silent[tensor.name] = np.flatnonzero(never.reshape(A.shape[1], -1).all(axis=1)).tolist()


def _add_winners(activity: Activity, tensor: Tensor, P: Array) -> None:
    """P is (m, N, p, q)."""
    winner = np.where((P > 0).any(axis=1), P.argmax(axis=1), -1)  # (m, p, q)
    counts = np.bincount(winner[winner >= 0], minlength=P.shape[1])
    activity.won[tensor.name] = (counts / winner.size).tolist()
