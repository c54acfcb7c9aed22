"""Three classes or more: A = softmax(z), the cross-entropy, and their derivatives.

The loss and dL/dz come from the logits, and A[y] - 1 is computed as minus the sum of the others: nothing is lost when
the softmax saturates.
"""

from dataclasses import replace
from math import exp, inf, log, log1p

import numpy as np

from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.output_step import OutputStep, slope
from cnncli.network.tensors import Tensor
from cnncli.network.terms import ZERO, Factor, Index, Made, Term, Values


class Softmax(OutputStep):
    """A[k] = e^z[k] / Σ_j e^z[j] and L = (1/m) Σ [−log A[y]]; z (K,) → A (K,)."""

    signature = "softmax_backward(z2, y)"
    contract = "dz2 (m, K): the derivative of L for the logits; y (m,) holds class numbers."
    FORMULAS = ("softmax({z})", "(1/m) Σ [−log {A}[y]]")
    DERIVATIVE_FORMULAS = (
        "−onehot(y) / {A} / m",
        "diag({A}) − {A}·{A}ᵀ",
        "dL/d{A} · d{A}/d{z} = ({A} − onehot(y))/m",
    )

    @property
    def description(self) -> str:
        """softmax."""
        return "softmax"

    @property
    def local_derivative(self) -> Tensor:
        """dA/dz, (K, K): every answer reads every logit."""
        z = self.source
        return Tensor.derivative(self.output, z, like=replace(z, axes="KK", shape=(*z.shape, *z.shape)))

    def forward(self, z: Array) -> Array:
        """A[j] = e^z[j] / Σ e^z, shifted by the largest z so that e never overflows: (m, K) → (m, K)."""
        e: Array = np.exp(z - np.take_along_axis(z, _largest(z), axis=1))
        e /= e.sum(axis=1, keepdims=True)
        return e

    def class_probabilities(self, z: Array) -> Array:
        """A itself: (m, K)."""
        return self.forward(z)

    def losses(self, z: Array, y: Labels, smoothing: float = 0.0) -> Array:
        """The loss of each image, log Σ_j e^(z[j] - z[y]): z (m, K), y (m,) → (m,).

        The largest term is taken out of the sum, so that log1p keeps what is small: M + log(1 + Σ_others e^(d - M)).
        The mean of all labels' losses is that minus the mean of d.
        """
        d = z - np.take_along_axis(z, y[:, None], axis=1)  # (m, K)
        largest = _largest(z)  # (m, 1)
        M = np.take_along_axis(d, largest, axis=1)  # (m, 1)
        others = np.exp(d - M)  # (m, K)
        np.put_along_axis(others, largest, 0, axis=1)
        log_of_sum: Array = M[:, 0] + np.log1p(others.sum(axis=1))
        if smoothing:
            log_of_sum -= smoothing * d.mean(axis=1)
        return log_of_sum

    def dL_dA(self, z: Array, y: Labels) -> Array:
        """-onehot(y) / A / m: (m, K)."""
        A_y = np.take_along_axis(self.forward(z), y[:, None], axis=1)  # (m, 1)
        derivative = np.zeros_like(z)
        with np.errstate(divide="ignore", over="ignore"):  # A[y] may be 0 in floating point: the derivative is infinite
            np.put_along_axis(derivative, y[:, None], -1 / A_y / len(z), axis=1)
        return derivative

    def dA_dz(self, z: Array) -> Array:
        """The Jacobian, dA[i]/dz[j] = A[i]·(δ_ij - A[j]): (m, K, K)."""
        A = self.forward(z)  # (m, K)
        jacobian: Array = A[:, :, None] * (np.eye(z.shape[1], dtype=z.dtype) - A[:, None, :])
        return jacobian

    def dL_dz(self, z: Array, y: Labels, smoothing: float = 0.0) -> Array:
        """(A - onehot(y))/m: (m, K); smoothing moves onehot(y) towards 1/K."""
        A = self.forward(z)  # (m, K)
        np.put_along_axis(A, y[:, None], 0, axis=1)
        np.put_along_axis(A, y[:, None], -A.sum(axis=1, keepdims=True), axis=1)
        if smoothing:
            K = z.shape[1]
            A += smoothing * ((np.arange(K) == y[:, None]) - A.real.dtype.type(1 / K))
        return A / len(z)

    def explain(self, name: str, place: Index, values: Values) -> Made:
        """Each from the logits, with the note's formula."""
        z, A = ([Factor.of(values, t.name, (k,)) for k in range(t.shape[0])] for t in (self.source, self.output))
        y = int(values["y"])
        shares = _shares(z)
        if name == self.output.name:
            (k,) = place
            template = "e^{} / (" + " + ".join("e^{}" for _ in z) + ")"
            term = Term(template, (z[k], *z), shares[k], lambda own, *all_: exp(own) / sum(map(exp, all_)))
            return Made("", [term], f"softmax({self.source.name})")
        if name == self.loss.name:
            term = Term("−log {}", (A[y],), _loss(z, y), lambda A: -log(A))
            return Made(f"−log {self.output.name}[y]", [term], f"for y = {y}")
        if name == self.output.gradient.name:
            (k,) = place
            if k != y:
                return Made("", [ZERO], f"L reads {A[y].label} alone: y = {y}")
            value = -1 / shares[k] if shares[k] else -inf
            return Made("", [Term("−1/{}", (A[k],), value, lambda A: -1 / A)], f"for y = {y}")
        if name == self.local_derivative.name:
            j, k = place
            if j == k:
                return Made("", [Term("{}·(1 − {})", (A[k], A[k]), shares[k] * (1 - shares[k]), slope)])
            return Made("", [Term("−{}·{}", (A[j], A[k]), -shares[j] * shares[k], lambda Aj, Ak: -Aj * Ak)])
        (k,) = place
        if k != y:
            return Made("", [Term("{}", (A[k],), shares[k])], f"{A[k].label} − 0, as y = {y}")
        others = sum(share for j, share in enumerate(shares) if j != y)
        return Made("", [Term("{} − 1", (A[k],), -others, lambda A: A - 1)], f"as y = {y}")


def _largest(z: Array) -> Labels:
    """The index of each row's largest logit, judged by its real part: (m, K) → (m, 1)."""
    index: Labels = z.real.argmax(axis=1)[:, None]
    return index


def _shares(z: list[Factor]) -> list[float]:
    """e^z[k] / Σ e^z, shifted so that it never overflows."""
    largest = max(factor.value for factor in z)
    powers = [exp(factor.value - largest) for factor in z]
    return [power / sum(powers) for power in powers]


def _loss(z: list[Factor], y: int) -> float:
    """log Σ e^(z[k] - z[y]), with the largest term taken out of the sum."""
    largest = max(range(len(z)), key=lambda k: z[k].value)
    others = sum(exp(factor.value - z[largest].value) for k, factor in enumerate(z) if k != largest)
    return z[largest].value - z[y].value + log1p(others)
