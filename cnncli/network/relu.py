"""A = relu(Z), and its derivative. Complex numbers are judged by their real part."""

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array


def relu(Z: Array) -> Array:
    """A = max(Z, 0), any shape. A NaN stays one, so that a loss made of it shows it."""
    return np.where(Z.real <= 0, Z.dtype.type(0), Z)


def candidates(Z: Array) -> Array:
    """relu as a maximum over candidates, 0 and Z, of which the first of equal ones wins: Z (…) → (…, 2)."""
    return np.stack([np.zeros_like(Z), Z], axis=-1)


def active(Z: Array) -> NDArray[np.bool_]:
    """Where Z > 0: the linear piece of the relu that each entry lies on."""
    positive: NDArray[np.bool_] = Z.real > 0
    return positive


def relu_derivative(Z: Array) -> Array:
    """dA/dZ: 1 where Z > 0, else 0, so that relu′(0) = 0; shape and dtype of Z."""
    return active(Z).astype(Z.dtype)


def relu_backward(Z: Array, dA: Array) -> Array:
    """dL/dZ = dL/dA · dA/dZ, entry by entry."""
    return dA * relu_derivative(Z)
