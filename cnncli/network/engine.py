"""What trains: anything that tells the loss of a batch and its derivative for every parameter.

A batch is a sum over its images. It is cut into lanes, images that follow each other; each lane is summed for itself,
and the sums are added in the order of the lanes. Whoever computes a lane, a thread or another machine, changes no bit.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import ClassVar, NamedTuple

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.engine_names import EngineName

MOST_LANES = 16  # so many can share a batch


class Gradients(NamedTuple):
    """What one training step needs of a batch."""

    loss: float  # L
    gradients: Parameters  # dL/d of every parameter, under the parameter's name
    logits: Array  # (m, K)


class LaneSums(NamedTuple):
    """What the images of each lane add to L and to its derivatives; an empty lane adds 0.

    `numbers` are the derivatives in an order of the engine's own, in which lanes can be added; its `name_sums` tells
    which is which.
    """

    losses: Array  # (lanes,) float64
    numbers: Array  # (lanes, numbers)
    logits: Array  # (m, K)


def join_lanes(parts: Iterable[LaneSums]) -> LaneSums:
    """The lanes of several parts of a batch, in their order."""
    losses, numbers, logits = map(np.concatenate, zip(*parts, strict=True))
    return LaneSums(losses, numbers, logits)


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
        return self.add(self.lane_sums(parameters, X, y, m=m, bounds=lanes, smoothing=smoothing, weights=weights))

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
        into: Array | None = None,
    ) -> LaneSums:
        """The lanes of a part of a batch, not added up; the whole batch has m images, by which the loss is divided.

        The `numbers` are written `into` an array (lanes, numbers) where there is one.
        """
        w = np.ones(len(X)) if weights is None else np.asarray(weights, np.float64)
        lanes = [slice(*ends) for ends in pairwise(bounds)]
        losses, gradients, logits = zip(
            *(self.sum_lane(parameters, X[lane], y[lane], m, smoothing, w[lane]) for lane in lanes), strict=True
        )
        names = build_chain(self.architecture).parameter_shapes
        numbers = np.stack([join_numbers(of_lane, names) for of_lane in gradients], out=into)  # (lanes, numbers)
        return LaneSums(np.array(losses), numbers, np.concatenate(logits))

    @property
    def numbers(self) -> int:
        """How many `lane_sums` makes for a lane."""
        return build_chain(self.architecture).parameter_count

    def name_sums(self, numbers: Array) -> Parameters:
        """The derivatives under their parameters' names, of the numbers of a lane or of lanes added: (…, numbers)."""
        return name_numbers(numbers, build_chain(self.architecture).parameter_shapes)

    def add(self, sums: LaneSums) -> Gradients:
        """The sums over all lanes of a batch, in their order."""
        return Gradients(float(add_in_order(sums.losses)), self.name_sums(add_in_order(sums.numbers)), sums.logits)

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


def join_numbers(gradients: Parameters, names: Iterable[str], axes: int = 0) -> Array:
    """The numbers of each name in a row, after the first `axes` axes, which all have alike: (…, numbers)."""
    return np.concatenate([gradients[name].reshape(*gradients[name].shape[:axes], -1) for name in names], axis=axes)


def name_numbers(numbers: Array, shapes: Mapping[str, tuple[int, ...]]) -> Parameters:
    """Views of numbers in a row (…, numbers) under the names of parameters and in their shapes."""
    views, start = {}, 0
    for name, shape in shapes.items():
        end = start + prod(shape)
        views[name] = numbers[..., start:end].reshape(*numbers.shape[:-1], *shape)
        start = end
    return views


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
