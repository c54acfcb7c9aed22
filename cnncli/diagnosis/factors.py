"""Which factor it is by which a gradient is off: a constant, or one that depends on the sizes or on the gradient."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.measures import Measure, Measures, list_at_hand, list_own, list_sizes
from cnncli.network.arrays import Array

SAME = 1e-7  # relative: how well a factor must be met
CONSTANTS = {
    2.0: "2",
    0.5: "½",
    -2.0: "−2",
    -0.5: "−½",
    1 / np.log(2): "1/ln 2 (a logarithm to base 2?)",
    1 / np.log(10): "1/ln 10 (a logarithm to base 10?)",
    1 / 255: "1/255 (pixels?)",
    255.0: "255 (pixels?)",
}
POWERS: dict[float, str] = {1: "multiplied by {}", -1: "divided by {}"}
ODD_POWERS: dict[float, str] = {
    0.5: "multiplied by the square root of {}",
    -0.5: "divided by the square root of {}",
    2: "multiplied by the square of {}",
    -2: "divided by the square of {}",
}
OWN_LENGTHS = ("its length", "the gradients' common length")
MOST = 2  # formulas for the same factors that are said


@dataclass(frozen=True)
class Formula:
    """A factor of every case, known or not."""

    words: str  # the end of "{} is …"; "" is a factor of 1
    evaluate: Callable[[Evidence], float]


def find_factor(factors: Sequence[tuple[Evidence, float]]) -> list[Formula]:
    """The formulas of the factors of some cases: the simplest that fit, none if nothing does.

    Several are different explanations of the same numbers.
    """
    known = [(evidence, factor) for evidence, factor in factors if np.isfinite(factor)]
    if not known:
        return [_constant(1.0)]
    values = np.array([factor for _, factor in known])
    if (values == 0).any():
        return []
    if _is_constant(values):
        return [_constant(float(values[0]), max(SAME, min(evidence.slack for evidence, _ in known)))]
    cases = [evidence for evidence, _ in known]
    sizes, own = list_sizes(cases[0]), list_own(cases[0])
    found = (
        _of_one(values, _evaluate(sizes, cases), POWERS)
        or _of_two(values, _evaluate(sizes, cases))
        or _of_one(values, _evaluate(own, cases), POWERS)
        or _cut_down(values, _evaluate({name: own[name] for name in own if name.startswith(OWN_LENGTHS)}, cases))
        or _of_one(values, _evaluate(list_at_hand(cases[0]), cases), POWERS)
        or _of_one(values, _evaluate(sizes, cases), ODD_POWERS)
    )
    return found[:MOST]


def _constant(factor: float, same: float = SAME) -> Formula:
    return Formula(_times(factor, same), lambda _: factor)


def _is_constant(values: Array) -> bool:
    return bool((np.abs(values - values[0]) <= SAME * np.abs(values[0])).all())


Measured = Mapping[str, tuple[Measure, Array]]  # each measure, and what it is in every case


def _evaluate(measures: Measures, cases: Sequence[Evidence]) -> Measured:
    """Those that differ from case to case."""
    values = {name: np.array([measure(case) for case in cases], float) for name, measure in measures.items()}
    return {
        name: (measures[name], array)
        for name, array in values.items()
        if np.isfinite(array).all() and array.all() and not _is_constant(array)
    }


def _of_one(values: Array, measured: Measured, powers: Mapping[float, str]) -> list[Formula]:
    found = []
    for name, (measure, numbers) in measured.items():
        for power, template in powers.items() if (numbers > 0).all() else POWERS.items():
            rest = values / numbers**power
            if _is_constant(rest):
                words = template.format(name)
                if name.startswith(OWN_LENGTHS) and power == -1 and (rest > 0).all():
                    words += f" (or cut down to {rest[0]:.6g}, if it is longer in every case)"
                found.append(_of_powers(float(rest[0]), words, ((measure, power),)))
    return _choose_plain(found)


def _of_two(values: Array, measured: Measured) -> list[Formula]:
    found = []
    usable = [(name, measure, numbers) for name, (measure, numbers) in measured.items() if (numbers > 0).all()]
    for one, other in combinations(usable, 2):
        for powers in product(POWERS, POWERS):
            if _is_constant(rest := values / (one[2] ** powers[0] * other[2] ** powers[1])):
                words = " and ".join(
                    POWERS[power].format(each[0]) for power, each in zip(powers, (one, other), strict=True)
                )
                found.append(_of_powers(float(rest[0]), words, ((one[1], powers[0]), (other[1], powers[1]))))
    return _choose_plain(found)


def _cut_down(values: Array, measured: Measured) -> list[Formula]:
    """1 up to a bound of something, from there on the bound divided by it."""
    cut = values < 1 - SAME
    found = []
    for name, (measure, numbers) in measured.items():
        if not cut.any() or not _is_constant(bounds := (values * numbers)[cut]):
            continue
        bound = float(bounds[0])
        if (np.abs(values[~cut] - 1) <= SAME).all() and (numbers[~cut] <= bound * (1 + SAME)).all():
            words = f"cut down to {bound:.6g} where {name} is more (gradient clipping)"
            found.append(Formula(words, partial(_evaluate_cut, measure, bound)))
    return found


def _evaluate_cut(measure: Measure, bound: float, e: Evidence) -> float:
    return min(1.0, bound / (measure(e) or bound))


def _of_powers(rest: float, words: str, powers: Sequence[tuple[Measure, float]]) -> tuple[float, Formula]:
    def evaluate(e: Evidence) -> float:
        return rest * float(np.prod([measure(e) ** power for measure, power in powers]))

    return rest, Formula(words + _and(_times(rest)), evaluate)


def _choose_plain(found: Sequence[tuple[float, Formula]]) -> list[Formula]:
    """Those that leave no other factor, where there are any; the others with what is left."""
    plain = [formula for rest, formula in found if abs(abs(rest) - 1) <= SAME]
    return plain or [formula for _, formula in found]


def _times(factor: float, same: float = SAME) -> str:
    if abs(factor - 1) <= same:
        return ""
    if abs(factor + 1) <= same:
        return "has the wrong sign"
    for value, words in CONSTANTS.items():
        if abs(factor - value) <= same * abs(value):
            return f"multiplied by {words}"
    return f"multiplied by {factor:.6g}"


def _and(words: str) -> str:
    return f", and {words}" if words else ""
