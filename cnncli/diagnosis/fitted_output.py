"""The output step with something of its own, taken from what was found: A or z cut off, y blurred, a power."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.network.arrays import Array


def fit_outputs(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Those that the numbers found suggest, of m·dL/dz = A − y."""
    if evidences[0].step is not None:
        return
    yield from _fit_bounds_of_answer(evidences)
    if evidences[0].products.shape[1] == 1:
        yield from _fit_bounds_of_logit(evidences)
    yield from _fit_labels(evidences)
    yield from _fit_powers(evidences)


def _read(e: Evidence) -> tuple[Array, Array, Array]:
    """A, y and m·dL/dz as it was found, all (m, K)."""
    y = e.tensors["y"]
    m = len(y)
    return e.products.total() * m + y, y, e.found[0] * m


def _make(change: Callable[[Array, Array], Array], e: Evidence) -> Array:
    A, y, _ = _read(e)
    return change(A, y) / len(y)


def _fit_bounds_of_answer(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    lowest = min(float((got + y).min()) for _, y, got in map(_read, evidences))
    if 0 < lowest < 0.5:
        edge = float(f"{lowest:.3g}")
        yield Hypothesis(
            f"{{}} is made with A cut off at {edge:g} and 1 − {edge:g}",
            partial(_make, lambda A, y: np.clip(A, edge, 1 - edge) - y),
        )


def _fit_bounds_of_logit(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    answers = np.concatenate([(got + y).ravel() for _, y, got in map(_read, evidences)])
    if not ((answers > 0) & (answers < 1)).all():
        return
    bound = float(f"{np.abs(np.log(answers / (1 - answers))).max():.4g}")
    edge = 1 / (1 + np.exp(bound))
    yield Hypothesis(
        f"{{}} is made with z cut off at ±{bound:g}", partial(_make, lambda A, y: np.clip(A, edge, 1 - edge) - y)
    )


def _fit_labels(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """a·y + b in the place of y; b may be divided by the number of outputs."""
    zeros = np.concatenate([(A - got)[y == 0] for A, y, got in map(_read, evidences)])
    ones = np.concatenate([(A - got)[y == 1] for A, y, got in map(_read, evidences)])
    if not len(zeros) or not len(ones):
        return
    b = float(np.median(zeros))
    a = float(np.median(ones)) - b
    yield Hypothesis(
        f"{{}} is made with {a:.4g}·y + {b:.4g} in the place of y (label smoothing?)",
        partial(_make, lambda A, y: A - a * y - b),
    )
    share = float(np.median(np.concatenate([y.shape[1] * (A - got)[y == 0] for A, y, got in map(_read, evidences)])))
    yield Hypothesis(
        f"{{}} is made with {1 - share:.4g}·y + {share:.4g}/K in the place of y (label smoothing)",
        partial(_make, lambda A, y: A - (1 - share) * y - share / y.shape[1]),
    )


def _fit_powers(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Multiplied by a power of something, the same everywhere."""
    for name in evidences[0].tensors:
        powers = []
        for e in evidences:
            with np.errstate(all="ignore"):
                powers.append((np.log(e.found[0] / e.right[0]) / np.log(e.tensors[name])).ravel())
        every = np.concatenate(powers)
        every = every[np.isfinite(every)]
        power = float(f"{np.median(every):.4g}") if len(every) else 0.0
        if power not in (0.0, 1.0):
            yield Hypothesis(
                f"{{}} is multiplied by the power {power:g} of {name}", partial(_multiply_by_power, name, power)
            )


def _multiply_by_power(name: str, power: float, e: Evidence) -> Array:
    product: Array = e.products.total() * e.tensors[name] ** power
    return product
