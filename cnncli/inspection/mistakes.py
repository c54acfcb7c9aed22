"""The mistakes that people make in a backward pass, each as the function that results from it.

One table for three uses: the self-test plants each into a copy of the chain, a diagnosis compares a wrong result with
what each would give, and the tests hold both. A function here has the signature of the right one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cnncli.network.arrays import Array, Labels, Shape
from cnncli.network.convolution import conv_backward
from cnncli.network.dense import dense_backward
from cnncli.network.output import output_layer
from cnncli.network.pooling import windows
from cnncli.network.relu import relu
from cnncli.network.textbook import BackwardFunctions


@dataclass(frozen=True)
class Mistake:
    """A wrong version of one backward function."""

    name: str  # a few words, for a table
    function_name: str  # "conv_backward"
    tensor: str  # the derivative that comes out wrong, with i for the number of the block: "dL/dwi"
    sentence: str  # what was done, and what is to be done
    function: Callable[..., Any]

    @property
    def planted(self) -> BackwardFunctions:
        """The functions of a backward pass that makes this mistake and no other."""
        return replace(BackwardFunctions(), **{self.function_name: self.function})


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


def _dense_last_image(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    dF, _, db = dense_backward(F, w, dz)
    return dF, dz[-1:].T @ F[-1:], db


def _dense_w_transposed(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    _, dw, db = dense_backward(F, w, dz)
    return dz @ w.T.reshape(w.shape), dw, db


def _dense_dw_transposed(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    dF, dw, db = dense_backward(F, w, dz)
    return dF, dw.T.reshape(dw.shape), db


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


def _routed(A: Array, dP: Array, s: int, shares: Array) -> Array:
    """dP times each place's share of its window: shares (m, N, p, q, s²) → as A."""
    m, N, p, q = dP.shape
    dA = np.zeros(A.shape, dP.dtype)
    routed = (shares * dP[..., None]).reshape(m, N, p, q, s, s).swapaxes(3, 4)  # (m, N, p, s, q, s)
    dA[:, :, : p * s, : q * s] = routed.reshape(m, N, p * s, q * s)
    return dA


def _only(place: Labels, s: int) -> Array:
    """The whole share at one place of each window: (…) → (…, s²)."""
    share: Array = (np.arange(s * s) == place[..., None]).astype(float)
    return share


def _every_maximum(A: Array, dP: Array, s: int) -> Array:
    w = windows(A, s)
    return _routed(A, dP, s, (w == w.max(axis=-1, keepdims=True)).astype(float))


def _shared_maximum(A: Array, dP: Array, s: int) -> Array:
    w = windows(A, s)
    tied = w == w.max(axis=-1, keepdims=True)
    return _routed(A, dP, s, tied / tied.sum(axis=-1, keepdims=True))


def _last_maximum(A: Array, dP: Array, s: int) -> Array:
    last = s * s - 1 - windows(A, s)[..., ::-1].argmax(axis=-1)
    return _routed(A, dP, s, _only(last, s))


def _whole_window(A: Array, dP: Array, s: int) -> Array:
    return _routed(A, dP, s, np.ones(s * s))


def _average(A: Array, dP: Array, s: int) -> Array:
    return _routed(A, dP, s, np.full(s * s, 1 / s**2))


def _window_transposed(A: Array, dP: Array, s: int) -> Array:
    row, column = np.divmod(windows(A, s).argmax(axis=-1), s)
    return _routed(A, dP, s, _only(column * s + row, s))


def _first_place(A: Array, dP: Array, s: int) -> Array:
    return _routed(A, dP, s, _only(np.zeros(dP.shape, np.intp), s))


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


MISTAKES: tuple[Mistake, ...] = (
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
    Mistake(
        "every tied maximum",
        "maxpool_backward",
        "dL/dA",
        "every tied maximum of a window takes the whole gradient; the first alone may",
        _every_maximum,
    ),
    Mistake(
        "tied maxima share",
        "maxpool_backward",
        "dL/dA",
        "tied maxima of a window share the gradient; the convention gives it to the first alone",
        _shared_maximum,
    ),
    Mistake(
        "last instead of first maximum",
        "maxpool_backward",
        "dL/dA",
        "the last of tied maxima takes the gradient; the convention gives it to the first",
        _last_maximum,
    ),
    Mistake(
        "whole window",
        "maxpool_backward",
        "dL/dA",
        "every number of a window takes the gradient, not its maximum alone",
        _whole_window,
    ),
    Mistake(
        "average pooling",
        "maxpool_backward",
        "dL/dA",
        "the gradient is spread evenly over the window, as for average pooling; its maximum takes it all",
        _average,
    ),
    Mistake(
        "window transposed",
        "maxpool_backward",
        "dL/dA",
        "row and column are swapped inside the pooling window",
        _window_transposed,
    ),
    Mistake(
        "top left of the window",
        "maxpool_backward",
        "dL/dA",
        "the window's first place takes the gradient, wherever its maximum is",
        _first_place,
    ),
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
