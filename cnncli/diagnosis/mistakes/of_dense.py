"""Mistakes in the way back through dense and flatten. A function is given the step and what `backward` is given."""

import numpy as np

from cnncli.diagnosis.mistakes.mistake import Mistake
from cnncli.network.arrays import Array
from cnncli.network.steps.step import Step

Gradients = tuple[Array, ...]  # dF, dw, db


def _dense_w_transposed(step: Step, dz: Array, F: Array, w: Array, b: Array) -> Gradients:
    _, dw, db = step.backward(dz, F, w, b)
    return dz @ w.T.reshape(w.shape), dw, db


def _dense_dw_transposed(step: Step, dz: Array, F: Array, w: Array, b: Array) -> Gradients:
    dF, dw, db = step.backward(dz, F, w, b)
    return dF, dw.T.reshape(dw.shape), db


def _dense_last_image(step: Step, dz: Array, F: Array, w: Array, b: Array) -> Gradients:
    dF, _, db = step.backward(dz, F, w, b)
    return dF, dz[-1:].T @ F[-1:], db


def _dense_b_last_image(step: Step, dz: Array, F: Array, w: Array, b: Array) -> Gradients:
    dF, dw, _ = step.backward(dz, F, w, b)
    return dF, dw, dz[-1]


def _dense_b_averaged(step: Step, dz: Array, F: Array, w: Array, b: Array) -> Gradients:
    dF, dw, _ = step.backward(dz, F, w, b)
    return dF, dw, dz.mean(axis=0)


def _column_major(_step: Step, dF: Array, P: Array) -> tuple[Array]:
    return (np.stack([row.reshape(P.shape[1:], order="F") for row in dF]),)


def _filters_last(_step: Step, dF: Array, P: Array) -> tuple[Array]:
    _, N, p, q = P.shape
    return (np.moveaxis(dF.reshape(-1, p, q, N), 3, 1),)


MISTAKES = (
    Mistake(
        "w transposed",
        "dense",
        "source",
        "the dense layer's w is read transposed: dL/dF = wᵀ·dL/dz with w of the shape (K, D)",
        _dense_w_transposed,
    ),
    Mistake(
        "dL/dw transposed",
        "dense",
        "weight",
        "the dense layer's dL/dw is transposed: it is dL/dz·Fᵀ, of the shape (K, D)",
        _dense_dw_transposed,
    ),
    Mistake(
        "= for += over images",
        "dense",
        "weight",
        "the dense layer's dL/dw is that of the last image alone: = where += is needed, or a sum begun anew",
        _dense_last_image,
    ),
    Mistake(
        "= for += in b over images",
        "dense",
        "bias",
        "the dense layer's dL/db is that of the last image alone: = where += is needed, or a sum begun anew",
        _dense_b_last_image,
    ),
    Mistake(
        "b averaged over images",
        "dense",
        "bias",
        "the dense layer's dL/db is averaged over the images instead of summed: dL/dz holds 1/m already",
        _dense_b_averaged,
    ),
    Mistake(
        "flatten column-major",
        "flatten",
        "source",
        "dL/dF is reshaped in column-major order; flatten is row-major: filter, row, column",
        _column_major,
    ),
    Mistake(
        "filters last",
        "flatten",
        "source",
        "dL/dF is reshaped with the filters last; flatten is row-major: filter, row, column",
        _filters_last,
    ),
)
