"""From what a call gave to gradients that can be checked, and what is wrong with the others."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cnncli.checking.user_code.contract import Case, Function
from cnncli.checking.user_code.layout import Layout
from cnncli.checking.user_code.process import Answer, tell_error
from cnncli.network.arrays import Array


class Usable(NamedTuple):
    """The gradients of one call by the names of the derivatives."""

    gradients: Mapping[str, Array]  # all that are numbers, float64
    checkable: frozenset[str]  # those that can be checked entry by entry
    problems: tuple[str, ...]
    uncomputed: tuple[str, ...]  # for which it gives None
    eps: float  # the rounding of the coarsest of their dtypes


def select_usable(function: Function, case: Case, answer: Answer, layout: Layout) -> Usable:
    """Sort an answer."""
    names = [f"d{tensor.name}" for tensor in case.returned]
    report = answer.report
    problems = [f"changes its argument {function.argument_names[index]} in place" for index in report["changed"]]
    if report["overwritten"]:
        problems.append(
            "hands out the same array again and overwrites it: what it gave for one call changes with the next"
        )
    if "error" in report:
        return Usable({}, frozenset(), (*problems, tell_error(report["error"])), (), 0.0)
    parts = {key: dtype for key, dtype, _ in report["parts"]}
    if list(parts.values()) == ["NoneType"] and not report["dict"]:
        return Usable({}, frozenset(), (*problems, "returns nothing (None): is a return missing?"), (), 0.0)
    if not report["dict"] and len(parts) != len(names):
        plural = "value" if len(parts) == 1 else "values"
        problems.append(f"returns {len(parts)} {plural} instead of {', '.join(names)}")
        return Usable({}, frozenset(), tuple(problems), (), 0.0)
    gradients: dict[str, Array] = {}
    checkable: set[str] = set()
    uncomputed, eps = [], float(np.finfo(np.float64).eps)
    for place, (name, tensor) in enumerate(zip(names, case.returned, strict=True)):
        key = name if report["dict"] else str(place)
        kind, derivative = parts.get(key, ""), tensor.gradient.name
        if kind == "NoneType":
            uncomputed.append(name)
            continue
        array = layout.take(answer.arrays[key], tensor, case.grid) if key in answer.arrays else None
        problem = _find_problem(name, kind, array)
        problems += [problem] if problem else []
        if array is not None and not kind.startswith("complex"):
            gradients[derivative] = array.astype(np.float64)
            eps = max(eps, float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else 0.0)
            checkable |= set() if problem else {derivative}
    return Usable(gradients, frozenset(checkable), tuple(problems), tuple(uncomputed), eps)


def _find_problem(name: str, kind: str, array: Array | None) -> str:
    """What keeps a gradient from being checked entry by entry."""
    if not kind:
        return f"returns no {name}"
    if array is None or kind != "float64":
        return f"{name} is {kind} instead of a float64 array"
    return "" if np.isfinite(array).all() else _tell_not_finite(name, array)


def _tell_not_finite(name: str, array: Array) -> str:
    odd = ~np.isfinite(array)
    index = [int(i) for i in np.argwhere(odd)[0]]
    return f"{name} has {odd.sum()} entries that are no finite numbers, the first at {index}: {array[tuple(index)]}"
