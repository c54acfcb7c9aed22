"""A backward pass with two bugs that a look at the loss does not show: it falls all the same."""

import numpy as np


def relu_backward(Z1, dA1):
    """dL/dZ1."""
    return dA1 * (Z1 > 0)


def maxpool_backward(A1, dP1, pool):
    """dL/dA1."""
    dA1 = np.zeros_like(A1)
    for m, n, i, j in np.ndindex(dP1.shape):
        rows, columns = slice(i * pool, (i + 1) * pool), slice(j * pool, (j + 1) * pool)
        window = A1[m, n, rows, columns]
        dA1[m, n, rows, columns] = dP1[m, n, i, j] * (window == window.max())
    return dA1


def conv_backward(X, w1, dZ1):
    """dL/dX, dL/dw1 and dL/db1."""
    k = w1.shape[-1]
    dX, dw1 = np.zeros_like(X), np.zeros_like(w1)
    for i, j in np.ndindex(dZ1.shape[2:]):
        dw1 += np.einsum("mn,mcuv->ncuv", dZ1[:, :, i, j], X[:, :, i : i + k, j : j + k])
        dX[:, :, i : i + k, j : j + k] = np.einsum("mn,ncuv->mcuv", dZ1[:, :, i, j], w1)
    return dX, dw1, dZ1.sum(axis=(0, 2, 3))
