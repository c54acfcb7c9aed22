"""Two classes: A = σ(z), the binary cross-entropy, and their derivatives.

y is 1 for the second class. Loss and dL/dz are computed from the logit and never from A, whose distance to 1 is lost
in rounding once σ saturates: 1 - σ(z) is σ(-z), and A - y is σ(z) or -σ(-z), exact to the last bit however small.
"""

from math import exp, inf, log1p
from operator import sub

import numpy as np

from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.output_step import OutputStep, slope
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Factor, Index, Made, Term, Values


class Sigmoid(OutputStep):
    """A = σ(z) and L = (1/m) Σ [−y·log A − (1−y)·log(1−A)]; z (1,) → A (1,)."""

    FORMULAS = ("σ({z})", "(1/m) Σ [−y·log {A} − (1−y)·log(1−{A})]")
    DERIVATIVE_FORMULAS = ("({A} − y) / ({A}·(1 − {A})) / m", "{A}·(1 − {A})", "dL/d{A} · d{A}/d{z} = ({A} − y)/m")

    @property
    def description(self) -> str:
        """sigmoid."""
        return "sigmoid"

    @property
    def local_derivative(self) -> Tensor:
        """dA/dz, (1,)."""
        return Tensor.derivative(self.output, self.source, like=self.source)

    def forward(self, z: Array) -> Array:
        """A = σ(z) = 1/(1 + e^(-z)), written so that e never overflows: z (m, 1) → (m, 1)."""
        positive = z.real >= 0
        e = _decay(z, positive)
        A: Array = np.where(positive, 1, e) / (1 + e)
        return A

    def class_probabilities(self, z: Array) -> Array:
        """1 - A and A: z (m, 1) → (m, 2)."""
        return np.concatenate([self.forward(-z), self.forward(z)], axis=1)

    def losses(self, z: Array, y: Labels, smoothing: float = 0.0) -> Array:
        """The loss of each image, max(z, 0) - y·z + log(1 + e^(-|z|)): z (m, 1), y (m,) → (m,).

        Both labels at once: with t = -z for y = 1 and t = z for y = 0 it is max(t, 0) + log(1 + e^(-|t|)). The other
        label's is that minus t, and smoothing/2 of it counts.
        """
        t = _sign(z, y) * z  # (m, 1)
        positive = t.real >= 0
        loss: Array = np.where(positive, t, 0) + np.log1p(_decay(t, positive))
        if smoothing:
            loss -= smoothing / 2 * t
        return loss[:, 0]

    def dL_dA(self, z: Array, y: Labels) -> Array:
        """(A - y) / (A·(1 - A)) / m, which is -1/A for y = 1 and 1/(1 - A) for y = 0: (m, 1)."""
        sign = _sign(z, y)
        with np.errstate(divide="ignore", over="ignore"):  # where A is 0 or 1 in floating point it is infinite
            return sign / self.forward(-sign * z) / len(z)

    def dA_dz(self, z: Array) -> Array:
        """A·(1 - A) = σ(z)·σ(-z): (m, 1)."""
        return self.forward(z) * self.forward(-z)

    def dL_dz(self, z: Array, y: Labels, smoothing: float = 0.0) -> Array:
        """(A - y)/m, as -σ(-z)/m for y = 1 and σ(z)/m for y = 0: (m, 1); smoothing moves y towards 1/2."""
        sign = _sign(z, y)
        return sign * (self.forward(sign * z) - smoothing / 2) / len(z)

    def explain(self, name: str, place: Index, values: Values) -> Made:
        """Each from the logit, with the note's formula."""
        z, A = (Factor.of(values, tensor.name, (0,)) for tensor in (self.source, self.output))
        y = Factor.of(values, "y", ())
        t = -z.value if y.value == 1 else z.value  # the loss is log(1 + e^t)
        if name == self.output.name:
            return Made(
                "", [Term("σ({})", (z,), _sigmoid(z.value), _sigmoid)], f"σ({z.label}) = 1/(1 + e^(−{z.label}))"
            )
        if name == self.loss.name:
            template = "log(1 + e^(−{}))" if y.value == 1 else "log(1 + e^{})"
            term = Term(template, (z,), _softplus(t), lambda z: _softplus(-z if y.value == 1 else z))
            closed = f"for y = {y.value:.0f}, from the logit, so that nothing is lost when σ saturates"
            return Made(f"−y·log {A.label} − (1−y)·log(1−{A.label})", [term], closed)
        if name == self.output.gradient.name:
            share = _sigmoid(-t)
            value = 1 / share if share else inf
            formula = f"({A.label} − y) / ({A.label}·(1 − {A.label}))"
            term = (
                Term("−1/{}", (A,), -value, lambda A: -1 / A)
                if y.value == 1
                else Term("1/(1 − {})", (A,), value, lambda A: 1 / (1 - A))
            )
            return Made(formula, [term], f"for y = {y.value:.0f}")
        if name == self.local_derivative.name:
            value = _sigmoid(z.value) * _sigmoid(-z.value)
            return Made("", [Term("{}·(1 − {})", (A, A), value, slope)])
        value = -_sigmoid(t) if y.value == 1 else _sigmoid(t)
        return Made("", [Term("{} − {}", (A, y), value, sub)], f"dL/d{A.label} · d{A.label}/d{z.label}, shortened")


def _decay(z: Array, positive: Array) -> Array:
    """e^(-|z|), differentiable along the imaginary axis: `positive` is the sign of the real part."""
    e: Array = np.exp(np.where(positive, -z, z))
    return e


def _sign(z: Array, y: Labels) -> Array:
    """-1 for y = 1 and 1 for y = 0, in the precision of z: (m, 1)."""
    return np.where(y == 1, -1, 1).astype(z.real.dtype)[:, None]


def _softplus(t: float) -> float:
    """log(1 + e^t)."""
    return max(t, 0.0) + log1p(exp(-abs(t)))


def _sigmoid(t: float) -> float:
    return 1 / (1 + exp(-t)) if t >= 0 else exp(t) / (1 + exp(t))
