"""Mistakes in the way back through the convolution. A function is given the step and what `backward` is given."""

import numpy as np

from cnncli.diagnosis.mistakes.mistake import Mistake
from cnncli.network.arrays import Array
from cnncli.network.steps.convolution import Convolution, pad, unpad

Gradients = tuple[Array, ...]  # dX, dw, db


def _kernel_not_turned(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, _, _ = step.backward(dZ, X, w[:, :, ::-1, ::-1], b)
    return dX, *step.backward(dZ, X, w, b)[1:]


def _dw_turned(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, db = step.backward(dZ, X, w, b)
    return dX, dw[:, :, ::-1, ::-1], db


def _dw_transposed(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, db = step.backward(dZ, X, w, b)
    return dX, dw.swapaxes(2, 3), db


def _dw_last_position(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, _, db = step.backward(dZ, X, w, b)
    k = w.shape[-1]
    return dX, np.tensordot(dZ[:, :, -1, -1], pad(X, step.p)[:, :, -k:, -k:], axes=(0, 0)), db


def _dw_last_image(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, _, db = step.backward(dZ, X, w, b)
    return dX, step.backward(dZ[-1:], X[-1:], w, b)[1], db


def _dw_channels_summed(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, db = step.backward(dZ, X, w, b)
    return dX, np.broadcast_to(dw.sum(axis=1, keepdims=True), dw.shape), db


def _dw_channels_swapped(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, db = step.backward(dZ, X, w, b)
    return dX, dw[:, ::-1], db


def _dX_channels_swapped(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, db = step.backward(dZ, X, w, b)
    return dX[:, ::-1], dw, db


def _dX_overwritten(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, db = step.backward(dZ, X, w, b)
    k, (rows, columns) = w.shape[-1], dZ.shape[2:]
    dX = np.zeros_like(pad(dX, step.p))
    for i in range(rows):
        for j in range(columns):
            dX[:, :, i : i + k, j : j + k] = np.tensordot(dZ[:, :, i, j], w, axes=(1, 0))
    return unpad(dX, step.p), dw, db


def _b_not_summed(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, _ = step.backward(dZ, X, w, b)
    return dX, dw, dZ


def _b_last_position(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, _ = step.backward(dZ, X, w, b)
    return dX, dw, dZ[:, :, -1, -1].sum(axis=0)


def _b_averaged(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, _ = step.backward(dZ, X, w, b)
    return dX, dw, dZ.mean(axis=(2, 3)).sum(axis=0)


def _b_last_image(step: Convolution, dZ: Array, X: Array, w: Array, b: Array) -> Gradients:
    dX, dw, _ = step.backward(dZ, X, w, b)
    return dX, dw, dZ[-1].sum(axis=(1, 2))


MISTAKES = (
    Mistake(
        "kernel not turned",
        "convolution",
        "source",
        "w is not turned by 180° for dL/dX, which is a full correlation with the turned w",
        _kernel_not_turned,
    ),
    Mistake(
        "kernel turned",
        "convolution",
        "weight",
        "dL/dw is turned by 180°: the forward pass does not flip, and neither does conv(X, dL/dZ)",
        _dw_turned,
    ),
    Mistake(
        "dL/dw1 transposed",
        "convolution",
        "weight",
        "rows and columns of dL/dw are swapped",
        _dw_transposed,
    ),
    Mistake(
        "= for += over positions",
        "convolution",
        "weight",
        "dL/dw is that of the last position alone: = where += is needed, or a sum begun anew",
        _dw_last_position,
    ),
    Mistake(
        "= for += over images",
        "convolution",
        "weight",
        "dL/dw is that of the last image alone: = where += is needed, or a sum begun anew",
        _dw_last_image,
    ),
    Mistake(
        "channels summed",
        "convolution",
        "weight",
        "dL/dw is summed over the channels, each of which has a gradient of its own",
        _dw_channels_summed,
    ),
    Mistake(
        "channels swapped",
        "convolution",
        "weight",
        "the channels of dL/dw are in reversed order (RGB and BGR?)",
        _dw_channels_swapped,
    ),
    Mistake(
        "channels of dL/dX swapped",
        "convolution",
        "source",
        "the channels of dL/dX are in reversed order (RGB and BGR?)",
        _dX_channels_swapped,
    ),
    Mistake(
        "= for += in dL/dX",
        "convolution",
        "source",
        "overlapping patches of dL/dX overwrite each other: = where += is needed",
        _dX_overwritten,
    ),
    Mistake(
        "b not summed",
        "convolution",
        "bias",
        "dL/db is dL/dZ itself; it is its sum over images and positions, one number for each filter",
        _b_not_summed,
    ),
    Mistake(
        "= for += in b over positions",
        "convolution",
        "bias",
        "dL/db is dL/dZ at the last position alone: = where += is needed, or a sum begun anew",
        _b_last_position,
    ),
    Mistake(
        "b averaged",
        "convolution",
        "bias",
        "dL/db is averaged over the positions instead of summed",
        _b_averaged,
    ),
    Mistake(
        "= for += in b over images",
        "convolution",
        "bias",
        "dL/db is that of the last image alone: = where += is needed, or a sum begun anew",
        _b_last_image,
    ),
)
