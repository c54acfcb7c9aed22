"""Mistakes in the way back through the convolution. A function has the signature of the right one."""

import numpy as np

from cnncli.checking.mistakes.mistake import Mistake
from cnncli.network.arrays import Array
from cnncli.network.convolution import conv_backward


def _kernel_not_turned(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, _, _ = conv_backward(X, w[:, :, ::-1, ::-1], dZ)
    return dX, *conv_backward(X, w, dZ)[1:]


def _dw_turned(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, db = conv_backward(X, w, dZ)
    return dX, dw[:, :, ::-1, ::-1], db


def _dw_transposed(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, db = conv_backward(X, w, dZ)
    return dX, dw.swapaxes(2, 3), db


def _dw_last_position(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, _, db = conv_backward(X, w, dZ)
    k = w.shape[-1]
    return dX, np.tensordot(dZ[:, :, -1, -1], X[:, :, -k:, -k:], axes=(0, 0)), db


def _dw_last_image(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, _, db = conv_backward(X, w, dZ)
    return dX, conv_backward(X[-1:], w, dZ[-1:])[1], db


def _dw_channels_summed(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, db = conv_backward(X, w, dZ)
    return dX, np.broadcast_to(dw.sum(axis=1, keepdims=True), dw.shape), db


def _dw_channels_swapped(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, db = conv_backward(X, w, dZ)
    return dX, dw[:, ::-1], db


def _dX_channels_swapped(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, db = conv_backward(X, w, dZ)
    return dX[:, ::-1], dw, db


def _dX_overwritten(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, db = conv_backward(X, w, dZ)
    k, (rows, columns) = w.shape[-1], dZ.shape[2:]
    dX = np.zeros_like(dX)
    for i in range(rows):
        for j in range(columns):
            dX[:, :, i : i + k, j : j + k] = np.tensordot(dZ[:, :, i, j], w, axes=(1, 0))
    return dX, dw, db


def _b_not_summed(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, _ = conv_backward(X, w, dZ)
    return dX, dw, dZ


def _b_last_position(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, _ = conv_backward(X, w, dZ)
    return dX, dw, dZ[:, :, -1, -1].sum(axis=0)


def _b_averaged(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, _ = conv_backward(X, w, dZ)
    return dX, dw, dZ.mean(axis=(2, 3)).sum(axis=0)


def _b_last_image(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    dX, dw, _ = conv_backward(X, w, dZ)
    return dX, dw, dZ[-1].sum(axis=(1, 2))


MISTAKES = (
    Mistake(
        "kernel not turned",
        "conv_backward",
        "dL/dX",
        "w is not turned by 180° for dL/dX, which is a full correlation with the turned w",
        _kernel_not_turned,
    ),
    Mistake(
        "kernel turned",
        "conv_backward",
        "dL/dw",
        "dL/dw is turned by 180°: the forward pass does not flip, and neither does conv(X, dL/dZ)",
        _dw_turned,
    ),
    Mistake(
        "dL/dw1 transposed",
        "conv_backward",
        "dL/dw",
        "rows and columns of dL/dw are swapped",
        _dw_transposed,
    ),
    Mistake(
        "= for += over positions",
        "conv_backward",
        "dL/dw",
        "dL/dw is that of the last position alone: = where += is needed",
        _dw_last_position,
    ),
    Mistake(
        "= for += over images",
        "conv_backward",
        "dL/dw",
        "dL/dw is that of the last image alone: = where += is needed",
        _dw_last_image,
    ),
    Mistake(
        "channels summed",
        "conv_backward",
        "dL/dw",
        "dL/dw is summed over the channels, each of which has a gradient of its own",
        _dw_channels_summed,
    ),
    Mistake(
        "channels swapped",
        "conv_backward",
        "dL/dw",
        "the channels of dL/dw are in reversed order (RGB and BGR?)",
        _dw_channels_swapped,
    ),
    Mistake(
        "channels of dL/dX swapped",
        "conv_backward",
        "dL/dX",
        "the channels of dL/dX are in reversed order (RGB and BGR?)",
        _dX_channels_swapped,
    ),
    Mistake(
        "= for += in dL/dX",
        "conv_backward",
        "dL/dX",
        "overlapping patches of dL/dX overwrite each other: = where += is needed",
        _dX_overwritten,
    ),
    Mistake(
        "b not summed",
        "conv_backward",
        "dL/db",
        "dL/db is dL/dZ itself; it is its sum over images and positions, one number for each filter",
        _b_not_summed,
    ),
    Mistake(
        "= for += in b over positions",
        "conv_backward",
        "dL/db",
        "dL/db is dL/dZ at the last position alone: = where += is needed",
        _b_last_position,
    ),
    Mistake(
        "b averaged",
        "conv_backward",
        "dL/db",
        "dL/db is averaged over the positions instead of summed",
        _b_averaged,
    ),
    Mistake(
        "= for += in b over images",
        "conv_backward",
        "dL/db",
        "dL/db is that of the last image alone: = where += is needed",
        _b_last_image,
    ),
)
