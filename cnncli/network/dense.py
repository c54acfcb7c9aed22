"""z = w·F + b: the dense layer, and its three derivatives."""

from cnncli.network.arrays import Array


def dense(F: Array, w: Array, b: Array) -> Array:
    """z = w·F + b for every image: F (m, D), w (K, D), b (K,) → z (m, K)."""
    return F @ w.T + b


def dense_backward(F: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    """From dL/dz to dL/dF = wᵀ·dL/dz, dL/dw = dL/dz·Fᵀ and dL/db = dL/dz, the last two summed over the images.

    F (m, D), w (K, D), dz (m, K) → dF as F, dw as w, db (K,).
    """
    return dz @ w, dz.T @ F, dz.sum(axis=0)
