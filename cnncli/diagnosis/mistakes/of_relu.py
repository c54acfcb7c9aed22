"""Mistakes in the way back through relu. A function is given the step and what `backward` is given."""

import numpy as np

from cnncli.diagnosis.mistakes.mistake import Mistake
from cnncli.network.arrays import Array
from cnncli.network.steps.step import Step


def _no_mask(_step: Step, dA: Array, _Z: Array) -> tuple[Array]:
    return (dA,)


def _mask_of_gradient(_step: Step, dA: Array, _Z: Array) -> tuple[Array]:
    return (np.where(dA > 0, dA, 0),)


def _relu_for_derivative(_step: Step, dA: Array, Z: Array) -> tuple[Array]:
    return (dA * np.maximum(Z, 0),)


def _mask_turned(_step: Step, dA: Array, Z: Array) -> tuple[Array]:
    return (np.where(Z < 0, dA, 0),)


def _active_at_zero(_step: Step, dA: Array, Z: Array) -> tuple[Array]:
    return (np.where(Z >= 0, dA, 0),)


MISTAKES = (
    Mistake(
        "relu′ = 1 below zero",
        "relu",
        "source",
        "relu′ is taken as 1 below zero too: the mask Z > 0 is missing",
        _no_mask,
    ),
    Mistake(
        "mask from the wrong tensor",
        "relu",
        "source",
        "the mask is taken from dL/dA > 0; it belongs to Z > 0",
        _mask_of_gradient,
    ),
    Mistake(
        "relu for its derivative",
        "relu",
        "source",
        "dL/dA is multiplied by relu(Z) instead of by its derivative, which is 0 or 1",
        _relu_for_derivative,
    ),
    Mistake(
        "mask turned round",
        "relu",
        "source",
        "the mask is turned round: the gradient passes where Z < 0",
        _mask_turned,
    ),
    Mistake(
        "relu′(0) = 1",
        "relu",
        "source",
        "relu′(0) is taken as 1; the convention is 0",
        _active_at_zero,
        convention="relu1",
    ),
)
