"""Optimisers: they change the parameters in place, once per batch, and their memory can be stored and put back."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from cnncli.network.arrays import Array, Parameters
from cnncli.training.settings import OptimiserName


def make_optimiser(name: OptimiserName, *, momentum: float, weight_decay: float) -> "Optimiser":
    """The optimiser of that name."""
    if name == "sgd":
        return Momentum(weight_decay, momentum)
    return (AdamW if name == "adamw" else Adam)(weight_decay)


class Optimiser(ABC):
    """One step down the gradients at a time.

    `memory` holds what it remembers from step to step: for each of its running sums an array for each parameter, which
    starts at zero. With `steps` it is all that a resume needs.
    """

    sums: ClassVar[tuple[str, ...]]  # the names of the running sums

    def __init__(self, weight_decay: float = 0.0) -> None:
        self.weight_decay = weight_decay
        self.steps = 0
        self.memory: dict[str, Parameters] = {name: {} for name in self.sums}

    def update(self, parameters: Parameters, gradients: Parameters, rate: float) -> None:
        """Take one step at a learning rate."""
        self.steps += 1
        for name, gradient in gradients.items():
            sums = [self.memory[of].setdefault(name, np.zeros_like(gradient)) for of in self.sums]
            self._update(parameters[name], gradient, rate, *sums)

    @abstractmethod
    def _update(self, parameter: Array, gradient: Array, rate: float, *sums: Array) -> None:
        """Change one parameter, and its running sums."""

    def _add_decay(self, parameter: Array, gradient: Array) -> Array:
        """The gradient of L + weight_decay/2·‖parameter‖²."""
        return gradient + self.weight_decay * parameter if self.weight_decay else gradient


class Momentum(Optimiser):
    """Stochastic gradient descent with momentum: v ← μ·v + g, p ← p - lr·v."""

    sums = ("velocity",)

    def __init__(self, weight_decay: float = 0.0, momentum: float = 0.9) -> None:
        super().__init__(weight_decay)
        self.momentum = momentum

    def _update(self, parameter: Array, gradient: Array, rate: float, *sums: Array) -> None:
        (velocity,) = sums
        velocity *= self.momentum
        velocity += self._add_decay(parameter, gradient)
        parameter -= rate * velocity


class Adam(Optimiser):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1): steps scaled by running moments of the gradient."""

    sums = ("mean", "square")
    decay_1 = 0.9
    decay_2 = 0.999
    epsilon = 1e-8

    def _update(self, parameter: Array, gradient: Array, rate: float, *sums: Array) -> None:
        self._descend(parameter, self._add_decay(parameter, gradient), rate, *sums)

    def _descend(self, parameter: Array, gradient: Array, rate: float, mean: Array, square: Array) -> None:
        """Both moments are corrected for their start at zero."""
        mean += (1 - self.decay_1) * (gradient - mean)
        square += (1 - self.decay_2) * (gradient * gradient - square)
        scale = np.sqrt(square / (1 - self.decay_2**self.steps)) + self.epsilon
        parameter -= rate / (1 - self.decay_1**self.steps) * mean / scale


class AdamW(Adam):
    """Adam with the decay taken off the parameter, not mixed into the gradient (arXiv:1711.05101, algorithm 2)."""

    def _update(self, parameter: Array, gradient: Array, rate: float, *sums: Array) -> None:
        parameter *= 1 - rate * self.weight_decay
        self._descend(parameter, gradient, rate, *sums)
