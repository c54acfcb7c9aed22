"""Hypotheses with a number of their own, which is taken from what was found: a slope, a bound, a multiple."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from cnncli.diagnosis.evidence import Arrays, Evidence, measure_factor
from cnncli.diagnosis.factors import name_factor
from cnncli.diagnosis.hypotheses import Hypothesis
from cnncli.network.arrays import Array
from cnncli.network.steps.step import KinkedStep


def fit_hypotheses(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Those that the numbers found suggest."""
    if all(e.is_direct for e in evidences):
        yield from _fit_bounds(evidences)
        yield from _fit_clipped_answer(evidences)
        yield from _fit_slope(evidences)
        yield from _fit_thresholds(evidences)
    yield from _fit_additions(evidences)


def _fit_bounds(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Cut off at a bound: the largest number found."""
    bound = max(float(np.abs(part).max(initial=0)) for e in evidences for part in e.found)
    if np.isfinite(bound) and bound > 0:
        yield Hypothesis(
            f"{{}} is cut off at ±{bound:.6g} (gradient clipping)", lambda e: np.clip(e.products.total(), -bound, bound)
        )


def _fit_clipped_answer(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Of the output step: A kept away from 0 and 1 before y is taken from it."""
    if evidences[0].step is not None:
        return
    lowest = min(float((len(e.tensors["y"]) * e.found[0] + e.tensors["y"]).min()) for e in evidences)
    if 0 < lowest < 0.5:
        edge = float(f"{lowest:.3g}")
        name = evidences[0].name

        def answer(e: Evidence) -> Array:
            A = e.products.total() * len(e.tensors["y"]) + e.tensors["y"]
            clipped: Array = (np.clip(A, edge, 1 - edge) - e.tensors["y"]) / len(e.tensors["y"])
            return clipped

        yield Hypothesis(f"{name} is made with A cut off at {edge:g} and 1 − {edge:g}", answer)


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
    low, high = _round_between(float(below), lowest), _round_between(highest, float(above))
    name = evidences[0].step.source.name if evidences[0].step else ""
    limit = f" and shut from {high:.4g} on" if np.isfinite(high) else ""
    yield Hypothesis(
        f"in {{}}, the gate opens at {name} = {low:.4g}{limit}",
        lambda e: e.given * ((e.read[0] > low) & (e.read[0] < high)),
    )


def _round_between(low: float, high: float) -> float:
    """The number between two that has the fewest digits; an infinite one stays."""
    if not np.isfinite(low) or not np.isfinite(high):
        return low if not np.isfinite(low) else high
    for digits in range(12):
        for number in (np.round(high, digits), np.round(low, digits), np.round((low + high) / 2, digits)):
            if low <= number <= high:
                return float(number)
    return (low + high) / 2


def _fit_additions(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Right, plus a multiple of something that has its shape."""
    first = evidences[0]
    candidates: dict[str, Callable[[Evidence], Array]] = {
        name: partial(_shaped, name, _itself) for name in first.tensors
    }
    candidates |= {f"the sign of {name}": partial(_shaped, name, np.sign) for name in first.tensors}
    candidates |= {f"{name}²": partial(_shaped, name, np.square) for name in first.tensors}
    candidates["1"] = lambda e: np.ones(e.products.shape)
    candidates["its square"] = lambda e: e.products.total() ** 2
    candidates["its sign"] = lambda e: np.sign(e.products.total())
    if first.step is not None and first.which == 0:
        for index, tensor in enumerate(first.step.parameters, 1):
            if tensor.role == "weight":
                candidates[f"what dL/d{tensor.name} would give in the place of {tensor.name} (updated too early?)"] = (
                    partial(_update_early, index)
                )
    for name, make in candidates.items():
        multiple = _find_multiple(make, evidences)
        if multiple is not None:
            words, value = multiple
            yield Hypothesis(
                f"{{}} is right plus {name}{words}",
                partial(_add, make, value),
            )


def _find_multiple(
    make: Callable[[Evidence], Array], evidences: Sequence[Evidence]
) -> tuple[str, Callable[[Evidence], float]] | None:
    factors = []
    for e in evidences:
        try:
            added = e.observe(make(e))
        except (LookupError, ValueError):
            return None
        missing: Arrays = tuple(f - r for f, r in zip(e.found, e.right, strict=True))
        # What is missing carries the rounding of what it is the difference of.
        size = max(np.abs(part).max(initial=0) for part in e.found)
        left = max(np.abs(part).max(initial=0) for part in missing)
        if left <= 1e-12 * size:
            factors.append((e, 0.0 if any(part.any() for part in added) else float("nan")))
            continue
        factor = measure_factor(added, missing, e.eps * max(size / left, 1))
        if factor is None:
            return None
        factors.append((e, factor))
    named = name_factor(factors)
    if not named or not any(np.isfinite(f) and f for _, f in factors):
        return None
    by_case = {id(e): factor for e, factor in factors}
    constant = next(f for _, f in factors if np.isfinite(f))
    return (f", {named[0]}" if named[0] else ""), lambda e: by_case.get(id(e), constant)


def _add(make: Callable[[Evidence], Array], value: Callable[[Evidence], float], e: Evidence) -> Array:
    return e.products.total() + value(e) * make(e)


def _itself(array: Array) -> Array:
    return array


def _shaped(name: str, change: Callable[[Array], Array], e: Evidence) -> Array:
    array = change(e.tensors[name])
    if array.shape != e.products.shape:
        raise LookupError
    return array


def _update_early(index: int, e: Evidence) -> Array:
    if e.step is None:
        raise LookupError
    gradients = e.step.backward(e.given, *e.read)
    read = list(e.read)
    read[index] = gradients[index]
    return e.answer(e.given, read)
