"""The numbers that a probe follows: the loss, and the weighted sum whose derivative a single link must answer with."""

from dataclasses import dataclass

import numpy as np

from cnncli.checking.bounds import TINY64, U64
from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.output_step import OutputStep


@dataclass(frozen=True)
class Loss:
    """Each row's share of L, from the logits.

    `rounding` (m,) bounds the error of each image's share, and `relative` what moved logits add, as a part of the way.
    """

    output: OutputStep
    y: Labels
    slope: Array  # dL/dz (m, K)
    rounding: Array
    relative: float

    def __call__(self, z: Array, image: Labels) -> Array:
        """(rows, K) → (rows,)."""
        share: Array = self.output.losses(z, self.y[image]) / len(self.y)
        return share

    def change(self, after: Array, before: Array, _reached: Array, image: Labels) -> tuple[Array, Array]:
        """By how much L grows, and the rounding of both.

        Where the logits move by δ, the loss and its slope grow by no more than e^(2δ), and Σ |dL/dz| is 2/m at most.
        """
        moved = np.abs(after - before).max(axis=1)  # (rows,)
        with np.errstate(over="ignore"):
            rounding = 2 * np.exp(2 * moved) * self.rounding[image]
        return self(after, image) - self(before, image), rounding + 4 * self.relative * moved / len(self.y)

    def spread(self, slope: Array, width: Array, image: Labels) -> tuple[Array, Array]:
        """dL/dz·slope ± |dL/dz|·width."""
        gradient = self.slope[image]
        return (gradient * slope).sum(axis=1), (np.abs(gradient) * width).sum(axis=1)

    def suggest_step(self, scale: Array, movement: float, size: float) -> Array:
        """The step that moves a logit by `movement`; where none moves, one as large as the numbers themselves."""
        step: Array = np.divide(movement, scale, out=np.full(len(scale), size), where=scale > 0)
        return step


@dataclass(frozen=True)
class WeightedSum:
    """Σ dL/dY·Y over each row, whose derivative is what a step's backward function must give.

    dL/dY (m, …); `rounding`, as Y, bounds the error of each entry of Y, and `relative` what moved ones add, as a part
    of the way.
    """

    gradient: Array
    rounding: Array
    relative: float

    def __call__(self, Y: Array, image: Labels) -> Array:
        """(rows, …) → (rows,)."""
        total: Array = self._sum(self.gradient, Y, image)
        return total

    def change(self, after: Array, before: Array, reached: Array, image: Labels) -> tuple[Array, Array]:
        """The sum over what has changed, with the rounding of what is reached: no other adds any."""
        moved = np.abs(after - before)
        gradient = np.abs(self.gradient)
        rounding = self._sum(gradient * 2 * self.rounding, reached, image)
        of_sum = reached.reshape(len(after), -1).sum(axis=1) * U64
        rounding = rounding + (2 * self.relative + of_sum) * self._sum(gradient, moved, image) + TINY64
        return self((after - before) * reached, image), rounding

    def spread(self, slope: Array, width: Array, image: Labels) -> tuple[Array, Array]:
        """dL/dY·slope ± |dL/dY|·width."""
        return self(slope, image), self._sum(np.abs(self.gradient), width, image)

    def suggest_step(self, scale: Array, _movement: float, size: float) -> Array:
        """One as large as the numbers themselves: the sum is linear between two kinks."""
        return np.full(len(scale), size)

    def _sum(self, weights: Array, Y: Array, image: Labels) -> Array:
        rows, flat = Y.reshape(len(Y), -1), weights.reshape(len(weights), -1)
        total: Array = rows @ flat[0] if len(flat) == 1 else np.einsum("rd,rd->r", rows, flat[image])
        return total
