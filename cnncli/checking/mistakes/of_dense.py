"""Mistakes in the way back through the dense layer and flatten. A function has the signature of the right one."""

import numpy as np

from cnncli.checking.mistakes.mistake import Mistake
from cnncli.network.arrays import Array, Shape
from cnncli.network.dense import dense_backward


def _dense_w_transposed(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    _, dw, db = dense_backward(F, w, dz)
    return dz @ w.T.reshape(w.shape), dw, db


def _dense_dw_transposed(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    dF, dw, db = dense_backward(F, w, dz)
    return dF, dw.T.reshape(dw.shape), db


def _dense_last_image(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    dF, _, db = dense_backward(F, w, dz)
    return dF, dz[-1:].T @ F[-1:], db


def _dense_b_last_image(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    dF, dw, _ = dense_backward(F, w, dz)
    return dF, dw, dz[-1]


def _dense_b_averaged(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    dF, dw, _ = dense_backward(F, w, dz)
    return dF, dw, dz.mean(axis=0)


def _column_major(dF: Array, shape: Shape) -> Array:
    return np.stack([row.reshape(shape, order="F") for row in dF])


def _filters_last(dF: Array, shape: Shape) -> Array:
    N, p, q = shape
    return np.moveaxis(dF.reshape(-1, p, q, N), 3, 1)


MISTAKES = (
    Mistake(
        "w transposed",
        "dense_backward",
        "dL/dF",
        "the dense layer's w is read transposed: dL/dF = wᵀ·dL/dz with w of the shape (K, D)",
        _dense_w_transposed,
    ),
    Mistake(
        "dL/dw transposed",
        "dense_backward",
        "dL/dw",
        "the dense layer's dL/dw is transposed: it is dL/dz·Fᵀ, of the shape (K, D)",
        _dense_dw_transposed,
    ),
    Mistake(
        "= for += over images",
        "dense_backward",
        "dL/dw",
        "the dense layer's dL/dw is that of the last image alone: = where += is needed",
        _dense_last_image,
    ),
    Mistake(
        "= for += in b over images",
        "dense_backward",
        "dL/db",
        "the dense layer's dL/db is that of the last image alone: = where += is needed",
        _dense_b_last_image,
    ),
    Mistake(
        "b averaged over images",
        "dense_backward",
        "dL/db",
        "the dense layer's dL/db is averaged over the images instead of summed: dL/dz holds 1/m already",
        _dense_b_averaged,
    ),
    Mistake(
        "flatten column-major",
        "flatten_backward",
        "dL/dP",
        "dL/dF is reshaped in column-major order; flatten is row-major: filter, row, column",
        _column_major,
    ),
    Mistake(
        "filters last",
        "flatten_backward",
        "dL/dP",
        "dL/dF is reshaped with the filters last; flatten is row-major: filter, row, column",
        _filters_last,
    ),
)
