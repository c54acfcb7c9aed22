"""P = maxpool(A), and the way back: the gradient goes to each window's first maximum alone."""

import numpy as np

from cnncli.network.arrays import Array, Labels


def maxpool(A: Array, s: int) -> Array:
    """P[n,i,j] = max over a, b < s of A[n, s·i+a, s·j+b]; a rest that fills no window is dropped.

    A (m, N, h, w) → P (m, N, ⌊h/s⌋, ⌊w/s⌋).
    """
    return np.take_along_axis(windows(A, s), winners(A, s)[..., None], axis=-1)[..., 0]


def winners(A: Array, s: int) -> Labels:
    """The place of each window's maximum, counted row by row from 0; of several equal ones the first.

    Complex numbers are compared by their real part: np.argmax alone would let the imaginary part break ties.

    A (m, N, h, w) → (m, N, ⌊h/s⌋, ⌊w/s⌋), each in 0 … s²-1.
    """
    place: Labels = windows(A.real, s).argmax(axis=-1)
    return place


def maxpool_backward(A: Array, dP: Array, s: int) -> Array:
    """dL/dA: dL/dP at each window's winner, 0 elsewhere and in the dropped rest.

    A (m, N, h, w), dP (m, N, ⌊h/s⌋, ⌊w/s⌋) → dA as A.
    """
    m, N, p, q = dP.shape
    routed = np.zeros((m, N, p, q, s * s), dP.dtype)
    np.put_along_axis(routed, winners(A, s)[..., None], dP[..., None], axis=-1)
    dA = np.zeros(A.shape, dP.dtype)  # (m, N, h, w)
    dA[:, :, : p * s, : q * s] = routed.reshape(m, N, p, q, s, s).swapaxes(3, 4).reshape(m, N, p * s, q * s)
    return dA


def windows(A: Array, s: int) -> Array:
    """The numbers of every window, row by row: (m, N, h, w) → (m, N, ⌊h/s⌋, ⌊w/s⌋, s²)."""
    m, N, h, w = A.shape
    p, q = h // s, w // s
    tiled = A[:, :, : p * s, : q * s].reshape(m, N, p, s, q, s)
    return tiled.swapaxes(3, 4).reshape(m, N, p, q, s * s)
