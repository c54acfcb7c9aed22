"""Three classes or more: A = softmax(z), the cross-entropy, and their derivatives.

The loss and dL/dz come from the logits, and A[y] - 1 is computed as minus the sum of the others: nothing is lost when
the softmax saturates.
"""

import numpy as np

from cnncli.network.arrays import Array, Labels

PROBABILITY = "softmax({z})"
LOSS = "(1/m) Σ [−log {A}[y]]"
DL_DA = "−onehot(y) / {A} / m"
DA_DZ = "diag({A}) − {A}·{A}ᵀ"
DL_DZ = "dL/d{A} · d{A}/d{z} = ({A} − onehot(y))/m"


def probabilities(z: Array) -> Array:
    """A[j] = e^z[j] / Σ e^z, shifted by the largest z so that e never overflows: (m, K) → (m, K)."""
    e: Array = np.exp(z - np.take_along_axis(z, _largest(z), axis=1))
    e /= e.sum(axis=1, keepdims=True)
    return e


def losses(z: Array, y: Labels) -> Array:
    """The loss of each image, log Σ_j e^(z[j] - z[y]): z (m, K), y (m,) → (m,).

    The largest term is taken out of the sum, so that log1p keeps what is small: M + log(1 + Σ_others e^(d - M)).
    """
    d = z - np.take_along_axis(z, y[:, None], axis=1)  # (m, K)
    largest = _largest(z)  # (m, 1)
    M = np.take_along_axis(d, largest, axis=1)  # (m, 1)
    others = np.exp(d - M)  # (m, K)
    np.put_along_axis(others, largest, 0, axis=1)
    log_of_sum: Array = M[:, 0] + np.log1p(others.sum(axis=1))
    return log_of_sum


def dL_dA(z: Array, y: Labels) -> Array:
    """-onehot(y) / A / m: (m, K)."""
    A_y = np.take_along_axis(probabilities(z), y[:, None], axis=1)  # (m, 1)
    derivative = np.zeros_like(z)
    with np.errstate(divide="ignore", over="ignore"):  # A[y] may be 0 in floating point: the derivative is infinite
        np.put_along_axis(derivative, y[:, None], -1 / A_y / len(z), axis=1)
    return derivative


def dA_dz(z: Array) -> Array:
    """The Jacobian, dA[i]/dz[j] = A[i]·(δ_ij - A[j]): (m, K, K)."""
    A = probabilities(z)  # (m, K)
    jacobian: Array = A[:, :, None] * (np.eye(z.shape[1], dtype=z.dtype) - A[:, None, :])
    return jacobian


def dL_dz(z: Array, y: Labels) -> Array:
    """(A - onehot(y))/m: (m, K)."""
    A = probabilities(z)  # (m, K)
    np.put_along_axis(A, y[:, None], 0, axis=1)
    np.put_along_axis(A, y[:, None], -A.sum(axis=1, keepdims=True), axis=1)
    return A / len(z)


def _largest(z: Array) -> Labels:
    """The index of each row's largest logit, judged by its real part: (m, K) → (m, 1)."""
    index: Labels = z.real.argmax(axis=1)[:, None]
    return index
