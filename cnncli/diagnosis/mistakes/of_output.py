"""Mistakes in the way back through the output step. A function is given the step and what `backward` is given."""

from cnncli.diagnosis.mistakes.mistake import Mistake
from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.output_step import OutputStep


def _sign(step: OutputStep, z: Array, y: Labels) -> Array:
    return -step.dL_dz(z, y)


def _m_missing(step: OutputStep, z: Array, y: Labels) -> Array:
    return step.dL_dz(z, y) * len(z)


def _m_twice(step: OutputStep, z: Array, y: Labels) -> Array:
    return step.dL_dz(z, y) / len(z)


def _sigmoid_twice(step: OutputStep, z: Array, y: Labels) -> Array:
    A = step.forward(z)
    twice: Array = step.dL_dz(z, y) * A * (1 - A)
    return twice


MISTAKES = (
    Mistake(
        "sign turned",
        "output",
        "source",
        "dL/dz has the wrong sign: it is A − y, not y − A",
        _sign,
    ),
    Mistake(
        "1/m missing",
        "output",
        "source",
        "1/m is missing: the loss is the mean over m images, so dL/dz = (A − y)/m",
        _m_missing,
    ),
    Mistake(
        "1/m twice",
        "output",
        "source",
        "1/m is taken twice: once is enough for the mean over m images",
        _m_twice,
    ),
    Mistake(
        "sigmoid's derivative twice",
        "output",
        "source",
        "the derivative A·(1 − A) is applied twice: (A − y)/m holds it already",
        _sigmoid_twice,
    ),
)
