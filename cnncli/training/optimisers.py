"""Optimisers: they change the parameters in place, once per batch, and their memory can be stored and put back."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from cnncli.network.arrays import Array, Parameters
from cnncli.network.engine import name_numbers
from cnncli.training.settings import OptimiserName


def make_optimiser(name: OptimiserName, *, momentum: float, weight_decay: float) -> "Optimiser":
    """The optimiser of that name."""
    if name == "sgd":
        return Momentum(weight_decay, momentum)
    return (AdamW if name == "adamw" else Adam)(weight_decay)


class Optimiser(ABC):
    """One step down the gradients at a time.

    The numbers of all parameters are one row here, in the order of the parameters: what is done with each is done with
    all at once. `memory` holds what it remembers from step to step: each of its running sums as such a row, from the
    first step on. With `steps` it is all that a resume needs.
    """

    sums: ClassVar[tuple[str, ...]]  # the names of the running sums

    def __init__(self, weight_decay: float = 0.0) -> None:
        self.weight_decay = weight_decay
        self.steps = 0
        self.memory: dict[str, Array] = {}
        self._row = self._scratch = np.empty(0)
        self._named: Parameters = {}  # views of the row

    def update(self, parameters: Parameters, gradients: Parameters, rate: float) -> None:
        """Take one step at a learning rate."""
        self.steps += 1
        gradient = np.concatenate([gradients[name] for name in parameters], axis=None)
        if not self._named:
            self._row, self._scratch = np.empty_like(gradient), np.empty_like(gradient)
            self._named = name_numbers(self._row, {name: value.shape for name, value in parameters.items()})
        if not self.memory:
            self.memory = {name: np.zeros_like(gradient) for name in self.sums}
        np.concatenate([*parameters.values()], axis=None, out=self._row)
        self._update(self._row, gradient, rate, self._scratch, *self.memory.values())
        for name, updated in self._named.items():
            parameters[name][...] = updated

    @abstractmethod
    def _update(self, parameter: Array, gradient: Array, rate: float, scratch: Array, *sums: Array) -> None:
        """Change the numbers of the parameters, and the running sums; `scratch` is an array to compute in."""

    def _add_decay(self, parameter: Array, gradient: Array) -> Array:
        """The gradient of L + weight_decay/2·‖parameter‖²."""
        return gradient + self.weight_decay * parameter if self.weight_decay else gradient


class Momentum(Optimiser):
    """Stochastic gradient descent with momentum: v ← μ·v + g, p ← p - lr·v."""

    sums = ("velocity",)

    def __init__(self, weight_decay: float = 0.0, momentum: float = 0.9) -> None:
        super().__init__(weight_decay)
        self.momentum = momentum

    def _update(self, parameter: Array, gradient: Array, rate: float, scratch: Array, *sums: Array) -> None:
        (velocity,) = sums
        velocity *= self.momentum
        velocity += self._add_decay(parameter, gradient)
        parameter -= np.multiply(rate, velocity, out=scratch)


class Adam(Optimiser):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1): steps scaled by running moments of the gradient."""

    sums = ("mean", "square")
    decay_1 = 0.9
    decay_2 = 0.999
    epsilon = 1e-8

    def _update(self, parameter: Array, gradient: Array, rate: float, scratch: Array, *sums: Array) -> None:
        self._descend(parameter, self._add_decay(parameter, gradient), rate, scratch, *sums)

    def _descend(
        self, parameter: Array, gradient: Array, rate: float, scratch: Array, mean: Array, square: Array
    ) -> None:
        """m ← m + (1-β₁)(g-m), v ← v + (1-β₂)(g²-v), both corrected for their start at zero; p ← p - lr·m/(√v+ε)."""
        difference = np.subtract(gradient, mean, out=scratch)
        difference *= 1 - self.decay_1
        mean += difference
        difference = np.multiply(gradient, gradient, out=scratch)
        difference -= square
        difference *= 1 - self.decay_2
        square += difference
        scale = np.divide(square, 1 - self.decay_2**self.steps, out=scratch)
        np.sqrt(scale, out=scale)
        scale += self.epsilon
        parameter -= rate / (1 - self.decay_1**self.steps) * mean / scale


class AdamW(Adam):
    """Adam with the decay taken off the parameter, not mixed into the gradient (arXiv:1711.05101, algorithm 2)."""

    def _update(self, parameter: Array, gradient: Array, rate: float, scratch: Array, *sums: Array) -> None:
        parameter *= 1 - rate * self.weight_decay
        self._descend(parameter, gradient, rate, scratch, *sums)
