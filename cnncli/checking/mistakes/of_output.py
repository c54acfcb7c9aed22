"""Mistakes in the way back through the loss and the output layer. A function has the signature of the right one."""

from cnncli.checking.mistakes.mistake import Mistake
from cnncli.network.arrays import Array, Labels
from cnncli.network.output import output_layer


def _right_dz(z: Array, y: Labels) -> Array:
    return output_layer(z.shape[1]).dL_dz(z, y)


def _sign(z: Array, y: Labels) -> Array:
    return -_right_dz(z, y)


def _m_missing(z: Array, y: Labels) -> Array:
    return _right_dz(z, y) * len(z)


def _m_twice(z: Array, y: Labels) -> Array:
    return _right_dz(z, y) / len(z)


def _sigmoid_twice(z: Array, y: Labels) -> Array:
    A = output_layer(z.shape[1]).probabilities(z)
    twice: Array = _right_dz(z, y) * A * (1 - A)
    return twice


MISTAKES = (
    Mistake(
        "sign turned",
        "loss_backward",
        "dL/dz",
        "dL/dz has the wrong sign: it is A − y, not y − A",
        _sign,
    ),
    Mistake(
        "1/m missing",
        "loss_backward",
        "dL/dz",
        "1/m is missing: the loss is the mean over m images, so dL/dz = (A − y)/m",
        _m_missing,
    ),
    Mistake(
        "1/m twice",
        "loss_backward",
        "dL/dz",
        "1/m is taken twice: once is enough for the mean over m images",
        _m_twice,
    ),
    Mistake(
        "sigmoid's derivative twice",
        "loss_backward",
        "dL/dz",
        "the derivative A·(1 − A) is applied twice: (A − y)/m holds it already",
        _sigmoid_twice,
    ),
)
