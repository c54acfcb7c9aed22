"""Z = conv(P, w) + b: cross-correlation, no flip, stride 1, no padding; and its three derivatives."""

import numpy as np

from cnncli.network.arrays import Array


def conv(X: Array, w: Array, b: Array) -> Array:
    """Z[n,i,j] = b[n] + Σ_c Σ_u Σ_v X[c,i+u,j+v]·w[n,c,u,v], for every image.

    X (m, C, H, W), w (N, C, k, k), b (N,) → Z (m, N, H-k+1, W-k+1).
    """
    patches = _patches(X, w.shape[-1])  # (m, C, h, w, k, k)
    Z = np.tensordot(patches, w, axes=([1, 4, 5], [1, 2, 3]))  # (m, h, w, N)
    return np.ascontiguousarray(np.moveaxis(Z, 3, 1)) + b[:, None, None]  # (m, N, h, w)


def conv_backward(X: Array, w: Array, dZ: Array) -> tuple[Array, Array, Array]:
    """From dL/dZ to dL/dX, dL/dw and dL/db, summed over the images.

    dL/dX is the full correlation of dL/dZ with w turned by 180°: X[c,i,j] reached Z[n,i-u,j-v] through w[n,c,u,v].
    dL/dw = conv(X, dL/dZ): dL/dw[n,c,u,v] = Σ_i Σ_j dL/dZ[n,i,j]·X[c,i+u,j+v].
    dL/db[n] = Σ dL/dZ[n]: every position adds b once.

    X (m, C, H, W), w (N, C, k, k), dZ (m, N, H-k+1, W-k+1) → dX as X, dw as w, db (N,).
    """
    k = w.shape[-1]
    padded = np.pad(dZ, ((0, 0), (0, 0), (k - 1, k - 1), (k - 1, k - 1)))  # (m, N, h+2k-2, w+2k-2)
    turned = w[:, :, ::-1, ::-1].swapaxes(0, 1)  # (C, N, k, k)
    dX = conv(padded, turned, np.zeros(w.shape[1], dZ.dtype))  # (m, C, H, W)
    dw = np.tensordot(dZ, _patches(X, k), axes=([0, 2, 3], [0, 2, 3]))  # (N, C, k, k)
    db = dZ.sum(axis=(0, 2, 3))  # (N,)
    return dX, dw, db


def _patches(X: Array, k: int) -> Array:
    """Every k×k patch of every image, as a view: (m, C, H, W) → (m, C, H-k+1, W-k+1, k, k)."""
    return np.lib.stride_tricks.sliding_window_view(X, (k, k), axis=(2, 3))
