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
        problems.append("hands out the same array again and overwrites it: what it gave for one call changes with the next")
    if "error" in report:
        return Usable({}, frozenset(), (*problems, tell_error(report["error"])), (), 0.0)
    parts = {key: dtype for key, dtype, _ in report["parts"]}
    if not report["dict"] and len(parts) != len(names):
        plural = "value" if len(parts) == 1 else "values"
        problems.append(f"returns {len(parts)} {plural} instead of {', '.join(names)}")
        return Usable({}, frozenset(), tuple(problems), (), 0.0)
    gradients, checkable, uncomputed, eps = {}, set(), [], float(np.finfo(np.float64).eps)
    for place, (name, tensor) in enumerate(zip(names, case.returned, strict=True)):
        key = name if report["dict"] else str(place)
        derivative = tensor.gradient.name
        if parts.get(key) == "NoneType":
            uncomputed.append(name)
        elif key not in parts:
            problems.append(f"returns no {name}")
        elif key not in answer.arrays:
            problems.append(f"{name} is {parts[key]} instead of a float64 array")
        else:
            array = layout.take(answer.arrays[key], tensor, case.grid)
            if parts[key] != "float64":
                problems.append(f"{name} is {parts[key]} instead of a float64 array")
                if parts[key].startswith("complex"):
                    continue
                eps = max(eps, float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else 0.0)
            elif not np.isfinite(array).all():
                problems.append(_tell_not_finite(name, array))
            else:
                checkable.add(derivative)
            gradients[derivative] = array.astype(np.float64)
    return Usable(gradients, frozenset(checkable), tuple(problems), tuple(uncomputed), eps)


def _tell_not_finite(name: str, array: Array) -> str:
    odd = ~np.isfinite(array)
    index = [int(i) for i in np.argwhere(odd)[0]]
    return f"{name} has {odd.sum()} entries that are no finite numbers, the first at {index}: {array[tuple(index)]}"
