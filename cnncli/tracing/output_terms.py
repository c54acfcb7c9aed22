"""The terms of the output layer: A, L and their derivatives, for a sigmoid and for a softmax.

The formulas are the note's. Where rounding would eat them once σ or the softmax saturates, their value is taken from
the logit, as the network does (see network/sigmoid_output.py), and the reason says so.
"""

from collections.abc import Callable, Mapping
from math import exp, inf, log1p

from cnncli.network.arrays import Array
from cnncli.tracing.entries import Index
from cnncli.tracing.terms import Factor, Made, Term

Rules = dict[str, Callable[[Index], Made]]


def sigmoid_rules(values: Mapping[str, Array], logit: str, probability: str) -> Rules:
    """A = σ(z) and the binary cross-entropy of one image."""
    z = Factor.of(values, logit, (0,))
    A = Factor.of(values, probability, (0,))
    y = Factor.of(values, "y", ())
    t = -z.value if y.value == 1 else z.value  # the loss is log(1 + e^t)
    closed = f"for y = {y.value:.0f}, from the logit, so that nothing is lost when σ saturates"

    def loss(_: Index) -> Made:
        template = "log(1 + e^(−{}))" if y.value == 1 else "log(1 + e^{})"
        term = Term(template, (z,), max(t, 0.0) + log1p(exp(-abs(t))))
        return Made(f"−y·log {A.label} − (1−y)·log(1−{A.label})", [term], closed)

    def dL_dA(_: Index) -> Made:
        template = "−1/{}" if y.value == 1 else "1/(1 − {})"
        share = _sigmoid(-t)
        value = 1 / share if share else inf
        formula = f"({A.label} − y) / ({A.label}·(1 − {A.label}))"
        return Made(formula, [Term(template, (A,), -value if y.value == 1 else value)], f"for y = {y.value:.0f}")

    def dL_dz(_: Index) -> Made:
        value = -_sigmoid(t) if y.value == 1 else _sigmoid(t)
        return Made("", [Term("{} − {}", (A, y), value)], f"dL/d{A.label} · d{A.label}/d{z.label}, shortened")

    return {
        probability: lambda _: Made(
            "", [Term("σ({})", (z,), _sigmoid(z.value))], f"σ({z.label}) = 1/(1 + e^(−{z.label}))"
        ),
        "L": loss,
        f"dL/d{probability}": dL_dA,
        f"d{probability}/d{logit}": lambda _: Made(
            "", [Term("{}·(1 − {})", (A, A), _sigmoid(z.value) * _sigmoid(-z.value))]
        ),
        f"dL/d{logit}": dL_dz,
    }


def softmax_rules(values: Mapping[str, Array], logit: str, probability: str) -> Rules:
    """A = softmax(z) and the cross-entropy of one image."""
    K = values[logit].size
    z = [Factor.of(values, logit, (k,)) for k in range(K)]
    A = [Factor.of(values, probability, (k,)) for k in range(K)]
    y = int(values["y"])
    shares = [_share(z, k) for k in range(K)]

    def share(index: Index) -> Made:
        (k,) = index
        template = "e^{} / (" + " + ".join("e^{}" for _ in z) + ")"
        return Made("", [Term(template, (z[k], *z), shares[k])], f"softmax({logit})")

    def loss(_: Index) -> Made:
        largest = max(range(K), key=lambda k: z[k].value)
        gap = z[largest].value - z[y].value
        others = sum(exp(z[k].value - z[largest].value) for k in range(K) if k != largest)
        return Made(f"−log {probability}[y]", [Term("−log {}", (A[y],), gap + log1p(others))], f"for y = {y}")

    def dL_dA(index: Index) -> Made:
        (k,) = index
        if k != y:
            return Made("", [Term("0", (), 0.0)], f"L reads {A[y].label} alone: y = {y}")
        return Made("", [Term("−1/{}", (A[k],), -1 / shares[k] if shares[k] else -inf)], f"for y = {y}")

    def dA_dz(index: Index) -> Made:
        j, k = index
        if j == k:
            return Made("", [Term("{}·(1 − {})", (A[k], A[k]), shares[k] * (1 - shares[k]))])
        return Made("", [Term("−{}·{}", (A[j], A[k]), -shares[j] * shares[k])])

    def dL_dz(index: Index) -> Made:
        (k,) = index
        if k != y:
            return Made("", [Term("{}", (A[k],), shares[k])], f"{A[k].label} − 0, as y = {y}")
        others = sum(share for j, share in enumerate(shares) if j != y)
        return Made("", [Term("{} − 1", (A[k],), -others)], f"as y = {y}")

    return {
        probability: share,
        "L": loss,
        f"dL/d{probability}": dL_dA,
        f"d{probability}/d{logit}": dA_dz,
        f"dL/d{logit}": dL_dz,
    }


def _sigmoid(t: float) -> float:
    return 1 / (1 + exp(-t)) if t >= 0 else exp(t) / (1 + exp(t))


def _share(z: list[Factor], k: int) -> float:
    """e^z[k] / Σ e^z, shifted so that it never overflows."""
    largest = max(factor.value for factor in z)
    return exp(z[k].value - largest) / sum(exp(factor.value - largest) for factor in z)
