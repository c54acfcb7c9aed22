"""What trains: anything that tells the loss of a batch and its derivative for every parameter.

A batch is a sum over its images. It is cut into lanes, images that follow each other; each lane is summed for itself,
and the sums are added in the order of the lanes. Whoever computes a lane, a thread or another machine, changes no bit.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.engine_names import EngineName

MOST_LANES = 16  # so many can share a batch


class Gradients(NamedTuple):
    """What one training step needs of a batch."""

    loss: float  # L
    gradients: Parameters  # dL/d of every parameter, under the parameter's name
    logits: Array  # (m, K)


class LaneSums(NamedTuple):
    """What the images of each lane add to L and to its derivatives; an empty lane adds 0."""

    losses: Array  # (lanes,) float64
    gradients: Parameters  # for every parameter (lanes, *shape)
    logits: Array  # (m, K)

    def add(self) -> Gradients:
        """The sums over all lanes, in their order."""
        return Gradients(
            float(add_in_order(self.losses)),
            {name: add_in_order(g) for name, g in self.gradients.items()},
            self.logits,
        )


class Engine(ABC):
    """The signature that all engines share. X is (m, C, H, W), y (m,), the parameters are as in the architecture.

    The loss is L = (1/m) Σ_i weights_i · CE(z_i, q_i), where q_i = (1 − smoothing)·onehot(y_i) + smoothing/classes, and
    weights (m,) are 1 where they are not given. `bounds` (lanes + 1,) are the offsets of the lanes: lane l has the
    images bounds[l] … bounds[l+1] − 1, and may be empty.
    """

    name: ClassVar[EngineName]  # "textbook"

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture

    @classmethod
    def make(cls, architecture: Architecture, threads: int | None) -> "Engine":  # noqa: ARG003  it uses one
        """For a network, with so many threads; with one for each processor core if not given."""
        return cls(architecture)

    @property
    def description(self) -> str:
        """Its name, and more where there is more than one of a kind."""
        return self.name

    @staticmethod
    def takes(architecture: Architecture) -> bool:  # noqa: ARG004
        """Whether it computes such a network; it does."""
        return True

    @abstractmethod
    def logits(self, parameters: Parameters, X: Array) -> Array:
        """z of the dense layer: (m, K)."""

    def loss_and_gradients(
        self,
        parameters: Parameters,
        X: Array,
        y: Labels,
        *,
        smoothing: float = 0.0,
        weights: Array | None = None,
        bounds: Sequence[int] | Labels | None = None,
    ) -> Gradients:
        """L, dL/d of every parameter under its name, and the logits: the lanes of the batch, added in their order.

        Without bounds the engine cuts the batch as suits it, always in the same way.
        """
        m = len(X)
        lanes = self.cut(m) if bounds is None else bounds
        return self.lane_sums(parameters, X, y, m=m, bounds=lanes, smoothing=smoothing, weights=weights).add()

    def lane_sums(
        self,
        parameters: Parameters,
        X: Array,
        y: Labels,
        *,
        m: int,
        bounds: Sequence[int] | Labels,
        smoothing: float = 0.0,
        weights: Array | None = None,
    ) -> LaneSums:
        """The lanes of a part of a batch, not added up; the whole batch has m images, by which the loss is divided."""
        w = np.ones(len(X)) if weights is None else np.asarray(weights, np.float64)
        lanes = [slice(*ends) for ends in pairwise(bounds)]
        losses, gradients, logits = zip(
            *(self.sum_lane(parameters, X[lane], y[lane], m, smoothing, w[lane]) for lane in lanes), strict=True
        )
        alone = len(lanes) == 1  # then nothing is copied
        stacked = {
            name: gradients[0][name][None] if alone else np.stack([of_lane[name] for of_lane in gradients])
            for name in parameters
        }
        return LaneSums(np.array(losses), stacked, np.concatenate(logits))

    @abstractmethod
    def sum_lane(
        self, parameters: Parameters, X: Array, y: Labels, m: int, smoothing: float, weights: Array
    ) -> Gradients:
        """What some images add to the loss of a batch of m and to its derivatives, and their logits."""

    def cut(self, m: int) -> list[int]:
        """Offsets of the lanes of a batch of m images, if nobody gives them: of equal size or nearly."""
        return cut_evenly(m, MOST_LANES)


def cut_evenly(m: int, most: int) -> list[int]:
    """Offsets of `most` parts, or of one for each image: of equal size or nearly."""
    parts = max(min(m, most), 1)
    return [i * m // parts for i in range(parts + 1)]


def add_in_order(lanes: Array) -> Array:
    """((lane 0 + lane 1) + lane 2) + …: (lanes, …) → (…)."""
    if len(lanes) == 1:
        only: Array = lanes[0]
        return only
    total: Array = lanes[:1].copy()
    for lane in lanes[1:]:
        total += lane
    added: Array = total[0]
    return added
