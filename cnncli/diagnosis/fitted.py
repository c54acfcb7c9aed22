"""Hypotheses with a number of their own, which is taken from what was found: a slope, a bound, a multiple."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from cnncli.diagnosis.evidence import Arrays, Evidence, measure_factor
from cnncli.diagnosis.factors import SAME, Formula, find_factor
from cnncli.diagnosis.fitted_gates import fit_gates, round_between
from cnncli.diagnosis.fitted_output import fit_outputs
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.network.arrays import Array
from cnncli.network.products import AXES, Products

INVISIBLE, VISIBLE = 1e-12, 1e-10  # shares of what something is added to


def fit_hypotheses(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Those that the numbers found suggest."""
    if all(e.is_direct for e in evidences):
        yield from _fit_bounds(evidences)
        yield from fit_outputs(evidences)
        yield from fit_gates(evidences)
    yield from _fit_additions(evidences)


def _fit_bounds(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Cut off at a bound, the largest that was found. Small entries set to 0."""
    bound = max(float(np.abs(e.found[0]).max(initial=0)) for e in evidences)
    if not bound > 0:
        return
    yield Hypothesis(
        f"{{}} is cut off at ±{bound:.6g} (gradient clipping)", lambda e: np.clip(e.products.total(), -bound, bound)
    )
    dropped = [np.abs(e.right[0][(e.found[0] == 0) & (e.right[0] != 0)]) for e in evidences]
    kept = [np.abs(e.right[0][e.found[0] != 0]) for e in evidences]
    most, least = np.concatenate(dropped).max(initial=0), np.concatenate(kept).min(initial=np.inf)
    if 0 < most < least:
        edge = round_between(float(most), float(least))
        words = f"{{}} is 0 where it is small (it is at {most:.2g}, and is not at {least:.2g})"
        yield Hypothesis(words, partial(_drop_small, edge))


def _drop_small(edge: float, e: Evidence) -> Array:
    total = e.products.total()
    return np.where(np.abs(total) < edge, 0, total)


def _fit_additions(evidences: Sequence[Evidence]) -> Iterator[Hypothesis]:
    """Right, plus a multiple of something that has its shape."""
    candidates = _list_tensors(evidences[0]) | _list_own(evidences[0].products) | _list_others(evidences[0])
    for name, make in candidates.items():
        multiple = _find_multiple(make, evidences)
        if multiple is not None and not (name.startswith("its ") and "its" in multiple.words):
            words = f", {multiple.words}" if multiple.words else ""
            yield Hypothesis(f"{{}} is right plus {name}{words}", partial(_add, make, multiple.evaluate))


Candidates = dict[str, Callable[[Evidence], Array]]


def _list_tensors(first: Evidence) -> Candidates:
    """What was at hand, and 1; of weights their sign and square too."""
    candidates: Candidates = {"1": lambda e: np.ones(e.products.shape)}
    candidates |= {name: partial(_shaped, name, _itself) for name in first.tensors}
    weights = [tensor.name for tensor in first.step.parameters if tensor.role == "weight"] if first.step else []
    candidates |= {f"the sign of {name}": partial(_shaped, name, np.sign) for name in weights}
    return candidates | {f"{name}²": partial(_shaped, name, np.square) for name in weights}


def _list_own(products: Products) -> Candidates:
    """What the gradient itself and its operands give."""
    candidates: Candidates = {
        "its square": lambda e: e.products.total() ** 2,
        "its sum": lambda e: np.full(e.products.shape, e.products.total().sum()),
        "its mean": lambda e: np.full(e.products.shape, e.products.total().mean()),
    }
    for which, name in enumerate(products.names):
        candidates[f"{name}, summed and for every one"] = partial(_spread_operand, which)
    for axis, letter in enumerate(products.axes):
        for words, place in (("first", 0), ("last", -1)):
            candidates[f"that of the {words} {AXES[letter]}, for every one"] = partial(_take_along, axis, place)
    return candidates


def _list_others(first: Evidence) -> Candidates:
    """What the other gradients of the step give, and weights that were updated with theirs."""
    if first.step is None:
        return {}
    candidates: Candidates = {"its sign": lambda e: np.sign(e.products.total())}
    for index, tensor in enumerate(first.step.reads):
        if index != first.which:
            candidates[f"dL/d{tensor.name}, for every one"] = partial(_spread_other, index)
        if tensor.role == "weight" and first.which == 0:
            words = f"what dL/d{tensor.name} would give in the place of {tensor.name} (updated too early?)"
            candidates[words] = partial(_update_early, index)
    return candidates


def _find_multiple(make: Callable[[Evidence], Array], evidences: Sequence[Evidence]) -> Formula | None:
    factors, unseen = [], []
    for e in evidences:
        try:
            added = e.observe(make(e))
        except (LookupError, ValueError):
            return None
        missing: Arrays = tuple(f - r for f, r in zip(e.found, e.right, strict=True))
        # What is missing carries the rounding of what it is the difference of.
        size = max(np.abs(part).max(initial=0) for part in e.found)
        left = max(np.abs(part).max(initial=0) for part in missing)
        if left <= INVISIBLE * size:
            unseen.append((e, max(np.abs(part).max(initial=0) for part in added) / (size or 1)))
            continue
        eps = e.eps * max(size / left, 1)
        factor = measure_factor(added, missing, eps)
        if factor is None:
            return None
        if 10 * eps < SAME:  # else it is not known well enough to be named
            factors.append((e, factor))
    formulas = find_factor(factors)
    if not formulas or not any(np.isfinite(f) and f for _, f in factors):
        return None
    if any(size * abs(formulas[0].evaluate(e)) > VISIBLE for e, size in unseen):
        return None
    return formulas[0]


def _add(make: Callable[[Evidence], Array], value: Callable[[Evidence], float], e: Evidence) -> Array:
    return e.products.total() + value(e) * make(e)


def _itself(array: Array) -> Array:
    return array


def _shaped(name: str, change: Callable[[Array], Array], e: Evidence) -> Array:
    array = change(e.tensors[name])
    if array.shape != e.products.shape:
        raise LookupError
    return array


def _take_along(axis: int, place: int, e: Evidence) -> Array:
    total = e.products.total()
    return np.broadcast_to(np.take(total, [place], axis), total.shape)


def _spread_operand(which: int, e: Evidence) -> Array:
    """An operand summed over the axes that the gradient has not, along those that it has not itself."""
    letters, axes = e.products.letters[which], e.products.axes
    if len(axes) != len(e.products.shape) or set(axes) == set(letters):
        raise LookupError
    common = "".join(axis for axis in axes if axis in letters)
    sums = np.einsum(f"{letters}->{common}", e.products.operands[which])
    sums = np.expand_dims(sums, tuple(place for place, axis in enumerate(axes) if axis not in letters))
    return np.broadcast_to(sums, e.products.shape)


def _spread_other(index: int, e: Evidence) -> Array:
    """Another gradient of the same step, along the first axes of this one."""
    if e.step is None:
        raise LookupError
    other = e.step.backward(e.given, *e.read)[index]
    shape = e.products.shape
    return np.broadcast_to(other.reshape(*other.shape, *[1] * (len(shape) - other.ndim)), shape)


def _update_early(index: int, e: Evidence) -> Array:
    if e.step is None:
        raise LookupError
    gradients = e.step.backward(e.given, *e.read)
    read = list(e.read)
    read[index] = gradients[index]
    return e.answer(e.given, read)
