"""Mistakes in the way back through relu. A function has the signature of the right one."""

import numpy as np

from cnncli.checking.mistakes.mistake import Mistake
from cnncli.network.arrays import Array
from cnncli.network.relu import relu


def _no_mask(_Z: Array, dA: Array) -> Array:
    return dA


def _mask_of_gradient(_Z: Array, dA: Array) -> Array:
    return np.where(dA > 0, dA, 0)


def _relu_for_derivative(Z: Array, dA: Array) -> Array:
    return dA * relu(Z)


def _mask_turned(Z: Array, dA: Array) -> Array:
    return np.where(Z < 0, dA, 0)


def _active_at_zero(Z: Array, dA: Array) -> Array:
    return np.where(Z >= 0, dA, 0)


MISTAKES = (
    Mistake(
        "relu′ = 1 below zero",
        "relu_backward",
        "dL/dZ",
        "relu′ is taken as 1 below zero too: the mask Z > 0 is missing",
        _no_mask,
    ),
    Mistake(
        "mask from the wrong tensor",
        "relu_backward",
        "dL/dZ",
        "the mask is taken from dL/dA > 0; it belongs to Z > 0",
        _mask_of_gradient,
    ),
    Mistake(
        "relu for its derivative",
        "relu_backward",
        "dL/dZ",
        "dL/dA is multiplied by relu(Z) instead of by its derivative, which is 0 or 1",
        _relu_for_derivative,
    ),
    Mistake(
        "mask turned round",
        "relu_backward",
        "dL/dZ",
        "the mask is turned round: the gradient passes where Z < 0",
        _mask_turned,
    ),
    Mistake(
        "relu′(0) = 1",
        "relu_backward",
        "dL/dZ",
        "relu′(0) is taken as 1; the convention is 0",
        _active_at_zero,
    ),
)
