"""Gates and winners with something of their own, which is taken from what was found: a slope, a threshold, chance."""

from collections.abc import Iterator, Sequence

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.network.arrays import Array
from cnncli.network.steps.step import KinkedStep

EQUAL = 1e-9  # relative: what two numbers that are the same may differ by


def fit_gates(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Those that the numbers found suggest."""
    yield from _fit_slope(evidences)
    yield from _fit_thresholds(evidences)
    yield from _fit_winners(evidences)


def _fit_slope(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """A gate that lets a share through when it is shut."""
    for e in evidences:
        if not isinstance(e.step, KinkedStep) or e.step.selects or e.found[0].shape != e.given.shape:
            return
        shut = (e.read[0] < 0) & (e.given != 0)
        if shut.any():
            slope = float(np.median(e.found[0][shut] / e.given[shut]))
            if not np.isfinite(slope) or not slope:
                return
            for sign, at_zero in (("<", 0.0), ("≤", slope), ("<", 1.0)):

                def answer(e: Evidence, slope: float = slope, at_zero: float = at_zero) -> Array:
                    gate: Array = np.where(e.read[0] > 0, 1, np.where(e.read[0] < 0, slope, at_zero))
                    return e.given * gate

                name = e.step.source.name
                also = ", and the gate is open at 0" if at_zero == 1 else ""
                yield Hypothesis(f"{{}} is {slope:.4g}·dL/dA where {name} {sign} 0, a leaky gate{also}", answer)
            return


def _fit_thresholds(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """A gate that opens, or shuts, at another number than 0."""
    passed, blocked = [], []
    for e in evidences:
        if not isinstance(e.step, KinkedStep) or e.step.selects or e.found[0].shape != e.given.shape:
            return
        through = np.isclose(e.found[0], e.given, rtol=1e-9, atol=0) & (e.given != 0)
        passed.append(e.read[0][through])
        blocked.append(e.read[0][(e.found[0] == 0) & (e.given != 0)])
        if through.sum() + len(blocked[-1]) < (e.given != 0).sum():
            return
    opens, shut = np.concatenate(passed), np.concatenate(blocked)
    if not len(opens):
        return
    lowest, highest = float(opens.min()), float(opens.max())
    below, above = shut[shut < lowest].max(initial=-np.inf), shut[shut > highest].min(initial=np.inf)
    low, high = round_between(float(below), lowest), round_between(highest, float(above))
    name = evidences[0].step.source.name if evidences[0].step else ""
    opening = f"{name} = {low:.4g}{_tell_gap(below, lowest)}"
    limit = f" and shuts at {high:.4g}{_tell_gap(highest, above)}" if np.isfinite(high) else ""
    yield Hypothesis(
        f"in {{}}, the gate opens at {opening}{limit}",
        lambda e: e.given * ((e.read[0] > low) & (e.read[0] < high)),
    )


def _tell_gap(low: float, high: float) -> str:
    """Between which numbers it may be as well, for none was seen there."""
    return f" (or somewhere between {low:.4g} and {high:.4g})" if np.isfinite(low) and np.isfinite(high) else ""


def round_between(low: float, high: float) -> float:
    """The number between two that has the fewest digits; an infinite one stays."""
    if not np.isfinite(low) or not np.isfinite(high):
        return low if not np.isfinite(low) else high
    for digits in range(12):
        for number in (np.round(high, digits), np.round(low, digits), np.round((low + high) / 2, digits)):
            if low <= number <= high:
                return float(number)
    return (low + high) / 2


def _fit_winners(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """One of the tied maxima, which is not the first in every window, nor the last."""
    for e in evidences:
        if not isinstance(e.step, KinkedStep) or not e.step.selects or e.step.overlaps:
            return
        values, got = (e.step.candidates(array) for array in (e.read[0], e.found[0]))  # (m, N, p, q, s²)
        given = e.given[..., None]
        takes = (np.abs(got - given) <= EQUAL * np.abs(given)) & (given != 0)
        tied = values == values.max(axis=-1, keepdims=True)
        if np.count_nonzero(got) != np.count_nonzero(e.found[0]):  # what no window covers
            return
        if ((got != 0) & ~takes).any() or (takes & ~tied).any() or (takes.sum(axis=-1) != (e.given != 0)).any():
            return
    by_case = {id(e): e.found[0] for e in evidences}
    yield Hypothesis(
        "in {}, one of the tied maxima takes the gradient, now this one and now that (at random?); the first is to",
        lambda e: by_case.get(id(e), e.products.total()),
    )


def fit_masks(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Entries that are 0 here and there, where nothing says why, and one factor for all others."""
    factors = []
    for e in evidences:
        if not e.is_direct:
            return
        kept = (e.found[0] != 0) & (e.right[0] != 0)
        factors.append(e.found[0][kept] / e.right[0][kept])
    every = np.concatenate(factors)
    factor = float(np.median(every)) if len(every) else 0.0
    if factor == 0 or (np.abs(every - factor) > EQUAL * abs(factor)).any():
        return
    by_case = {id(e): e.found[0] != 0 for e in evidences}
    words = f", the others are multiplied by {factor:.6g}" if abs(factor - 1) > EQUAL else ""
    yield Hypothesis(
        f"entries of {{}} are 0 here and there{words} (dropout, a mask of its own, a loop that ends early)",
        lambda e: factor * e.products.total() * by_case.get(id(e), 1),
    )
