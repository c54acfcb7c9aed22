"""Two classes: A = σ(z), the binary cross-entropy, and their derivatives.

y is 1 for the second class. Loss and dL/dz are computed from the logit and never from A, whose distance to 1 is lost
in rounding once σ saturates: 1 - σ(z) is σ(-z), and A - y is σ(z) or -σ(-z), exact to the last bit however small.
"""

import numpy as np

from cnncli.network.arrays import Array, Labels

PROBABILITY = "σ({z})"
LOSS = "(1/m) Σ [−y·log {A} − (1−y)·log(1−{A})]"
DL_DA = "({A} − y) / ({A}·(1 − {A})) / m"
DA_DZ = "{A}·(1 − {A})"
DL_DZ = "dL/d{A} · d{A}/d{z} = ({A} − y)/m"


def probabilities(z: Array) -> Array:
    """A = σ(z) = 1/(1 + e^(-z)), written so that e never overflows: z (m, 1) → (m, 1)."""
    positive = z.real >= 0
    e = _decay(z, positive)
    A: Array = np.where(positive, 1, e) / (1 + e)
    return A


def losses(z: Array, y: Labels) -> Array:
    """The loss of each image, max(z, 0) - y·z + log(1 + e^(-|z|)): z (m, 1), y (m,) → (m,).

    Both labels at once: with t = -z for y = 1 and t = z for y = 0 it is max(t, 0) + log(1 + e^(-|t|)).
    """
    t = _sign(z, y) * z  # (m, 1)
    positive = t.real >= 0
    loss: Array = np.where(positive, t, 0) + np.log1p(_decay(t, positive))
    return loss[:, 0]


def dL_dA(z: Array, y: Labels) -> Array:
    """(A - y) / (A·(1 - A)) / m, which is -1/A for y = 1 and 1/(1 - A) for y = 0: (m, 1)."""
    sign = _sign(z, y)
    with np.errstate(divide="ignore", over="ignore"):  # where A is 0 or 1 in floating point it is infinite
        return sign / probabilities(-sign * z) / len(z)


def dA_dz(z: Array) -> Array:
    """A·(1 - A) = σ(z)·σ(-z): (m, 1)."""
    return probabilities(z) * probabilities(-z)


def dL_dz(z: Array, y: Labels) -> Array:
    """(A - y)/m, as -σ(-z)/m for y = 1 and σ(z)/m for y = 0: (m, 1)."""
    sign = _sign(z, y)
    return sign * probabilities(sign * z) / len(z)


def _decay(z: Array, positive: Array) -> Array:
    """e^(-|z|), differentiable along the imaginary axis: `positive` is the sign of the real part."""
    e: Array = np.exp(np.where(positive, -z, z))
    return e


def _sign(z: Array, y: Labels) -> Array:
    """-1 for y = 1 and 1 for y = 0, in the precision of z: (m, 1)."""
    return np.where(y == 1, -1, 1).astype(z.real.dtype)[:, None]
