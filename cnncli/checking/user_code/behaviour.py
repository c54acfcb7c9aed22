"""How a function behaves from call to call: state, chance, and whether it is linear in the gradient it is given."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from cnncli.checking.user_code.answers import select_usable
from cnncli.checking.user_code.contract import Case, Function, make_case
from cnncli.checking.user_code.layout import Layout
from cnncli.checking.user_code.process import Answer
from cnncli.network.arrays import Array

LINEAR_CASES = 3  # in which 0, 2·g and g + h are given as well
ROUNDING = 1e-9  # of the largest entry: what a sum in another order may differ by

Call = Callable[[Case], Answer]


class Behaviour(NamedTuple):
    """Something that a function does from one call to another."""

    case: str
    sentence: str


def watch_behaviour(
    function: Function, cases: Sequence[Case], answers: Mapping[str, Answer], layout: Layout, call: Call
) -> tuple[Behaviour, ...]:
    """Call every case again, out of order, and some with other gradients. Raises ChildEnded."""
    good = [case for case in cases if "error" not in answers[case.label].report]
    seen: list[Behaviour] = []
    for case in reversed(good):
        first, again = answers[case.label], call(case)
        if "error" in again.report or not _same(first, again):
            seen.append(Behaviour(case.label, _name_difference(first, again, call(case))))
    if seen or function.given is None:
        return tuple(seen)
    usual = sorted(good, key=lambda case: case.gradient.size)
    varied = [case for case in usual if case.gradient.size > 1 and np.ptp(case.subject.X) > 0][:LINEAR_CASES]
    for case in varied:
        seen += _watch_linearity(function, case, answers[case.label], layout, call)
    return tuple(seen)


def _watch_linearity(function: Function, case: Case, answer: Answer, layout: Layout, call: Call) -> list[Behaviour]:
    g = case.gradient
    h = np.random.default_rng(case.gradient.size).normal(size=g.shape)

    def ask(gradient: Array) -> Mapping[str, Array]:
        changed = make_case(case.label, function, case.subject, case.record, gradient, layout)
        reply = call(changed)
        return {} if "error" in reply.report else select_usable(function, changed, reply, layout).gradients

    usable, other = select_usable(function, case, answer, layout), ask(h)
    base = {name: usable.gradients[name] for name in usable.gradients if name in usable.checkable}
    given = f"d{function.given}"
    tests: tuple[tuple[Mapping[str, Array], Callable[[str], Array], str], ...] = (
        (ask(np.zeros_like(g)), lambda name: np.zeros_like(base[name]), f"is not 0 where {given} is 0"),
        (ask(2 * g), lambda name: 2 * base[name], f"is not linear in {given}: 2·{given} does not give twice as much"),
        (ask(g + h), lambda name: base[name] + other[name], f"is not linear in {given}: a sum does not give the sum"),
    )
    seen = []
    for name in base:
        for got, expect, sentence in tests:
            if name in got and name in other and not _near(got[name], expect(name)):
                seen.append(Behaviour(case.label, f"{name.removeprefix('dL/')} {sentence}"))
                break
    return seen


def _near(one: Array, other: Array) -> bool:
    if one.shape != other.shape:
        return False
    size = max(np.abs(one).max(initial=0), np.abs(other).max(initial=0))
    return not np.isfinite(size) or bool((np.abs(one - other) <= ROUNDING * size).all())


def _same(one: Answer, other: Answer) -> bool:
    return one.arrays.keys() == other.arrays.keys() and all(
        one.arrays[key].shape == other.arrays[key].shape
        and np.array_equal(one.arrays[key], other.arrays[key], equal_nan=one.arrays[key].dtype.kind in "fc")
        for key in one.arrays
    )


def _name_difference(first: Answer, second: Answer, third: Answer) -> str:
    """Three calls with the same numbers, of which the second gave something else than the first."""
    if "error" in second.report:
        return "fails when it is called again: it keeps something from one call to the next"
    steps = [
        (first.arrays[key], second.arrays[key], third.arrays[key])
        for key in first.arrays
        if key in second.arrays and key in third.arrays
    ]
    shapes = all(a.shape == b.shape == c.shape for a, b, c in steps)
    finite = all(np.isfinite(array).all() for arrays in steps for array in arrays)
    if shapes and finite and any(b.any() and _near(c - b, a) and not _near(b, a) for a, b, c in steps):
        return "adds up from one call to the next: it keeps an array that it should make anew"
    if _same(second, third):
        return (
            "gives something else for the same numbers after other calls: it keeps something from one call to the next"
            ", or reads memory that was never set (np.empty?)"
        )
    return (
        "gives something else each time for the same numbers: chance has a part in it, something that it keeps, "
        "or memory that was never set (np.empty?)"
    )
