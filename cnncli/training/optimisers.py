"""Optimisers: they change the parameters in place, once per batch."""

from typing import Protocol

import numpy as np

from cnncli.network.arrays import Parameters
from cnncli.training.settings import OptimiserName


class Optimiser(Protocol):
    """What the loop needs of one."""

    def update(self, parameters: Parameters, gradients: Parameters) -> None:
        """Take one step down the gradients."""


def make_optimiser(name: OptimiserName, learning_rate: float) -> Optimiser:
    """The optimiser of that name."""
    return Adam(learning_rate) if name == "adam" else Momentum(learning_rate)


class Momentum:
    """Stochastic gradient descent with momentum: v ← μ·v + g, p ← p - lr·v."""

    momentum = 0.9

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.velocity: Parameters = {}

    def update(self, parameters: Parameters, gradients: Parameters) -> None:
        """Take one step; the first has the velocity of its gradient."""
        for name, gradient in gradients.items():
            velocity = self.velocity.setdefault(name, np.zeros_like(gradient))
            velocity *= self.momentum
            velocity += gradient
            parameters[name] -= self.learning_rate * velocity


class Adam:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1): steps scaled by running moments of the gradient."""

    decay_1 = 0.9
    decay_2 = 0.999
    epsilon = 1e-8

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.steps = 0
        self.mean: Parameters = {}
        self.square: Parameters = {}

    def update(self, parameters: Parameters, gradients: Parameters) -> None:
        """Take one step, with both moments corrected for their start at zero."""
        self.steps += 1
        correction_1 = 1 - self.decay_1**self.steps
        correction_2 = 1 - self.decay_2**self.steps
        for name, gradient in gradients.items():
            mean = self.mean.setdefault(name, np.zeros_like(gradient))
            square = self.square.setdefault(name, np.zeros_like(gradient))
            mean += (1 - self.decay_1) * (gradient - mean)
            square += (1 - self.decay_2) * (gradient * gradient - square)
            scale = np.sqrt(square / correction_2) + self.epsilon
            parameters[name] -= self.learning_rate / correction_1 * mean / scale
