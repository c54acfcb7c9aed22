"""In which cases a gradient is wrong: what the wrong ones have in common and the right ones have not."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from cnncli.diagnosis.evidence import Features
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.record import Record
from cnncli.network.steps.step import KinkedStep

OVERFLOW = 709.0  # of float64, in z
TINY_GRADIENT, HUGE_GRADIENT = 1e-8, 1e8


def find_features(architecture: Architecture, record: Record, gradient: Array) -> Features:
    """What can be said of a case and the gradient that is given, in the words that follow "only where"."""
    chain = build_chain(architecture)
    shapes = chain.shapes
    C, H, W = shapes["X"]
    N, h, w = shapes["Z1"]
    s, t = architecture.pool, architecture.window_stride
    m, K = record[chain.logit.name].shape
    return {
        "m > 1": m > 1,
        "m > 2": m > 2,
        "C > 1": C > 1,
        "N > 1": N > 1,
        "K > 1": K > 1,
        "the image is not square": H != W,
        "there is padding": architecture.padding > 0,
        "the stride is not 1": architecture.stride > 1,
        "the dilation is not 1": architecture.dilation > 1,
        "the windows overlap": t < s,
        "the windows lie apart": t > s,
        "a rest fills no window": bool((h - s) % t or (w - s) % t),
        "the window is larger than 1×1": s > 1,
        "the window is larger than 2×2": s > 2,
        "the kernel is larger than 1×1": architecture.kernel > 1,
        "the kernel is not 3×3": architecture.kernel != 3,
        "a side is odd": bool(H % 2 or W % 2),
        "maxima are tied": _has_ties(chain.steps, record, selects=True),
        "some Z are 0": _has_ties(chain.steps, record, selects=False),
        "z is large": bool((np.abs(record[chain.logit.name]) > 30).any()),
        "z is so large that e^z overflows": bool((np.abs(record[chain.logit.name]) > OVERFLOW).any()),
        "the numbers are tiny": bool(np.abs(record["X"]).max() < 1e-3),
        "the numbers are huge": bool(np.abs(record["X"]).max() > 1e3),
        "m > 9": m > 9,
        "the kernel is as large as the image": architecture.kernel in (H, W),
        "there is one window alone": h < s + t and w < s + t,
        **_find_of_gradient(gradient),
        **_find_of_numbers(record, K),
    }


def _find_of_gradient(gradient: Array) -> Features:
    """What can be said of the gradient that is given."""
    sizes = np.abs(gradient[gradient != 0])
    least, most = (float(end) for end in (sizes.min(initial=1), sizes.max(initial=0)))
    empty = [
        axis for axis in range(min(gradient.ndim, 2)) if not gradient.any(tuple({*range(gradient.ndim)} - {axis})).all()
    ]
    return {
        "the gradient is tiny": 0 < most < TINY_GRADIENT,
        "a part of the gradient is tiny": least < TINY_GRADIENT,
        "the gradient is huge": most > HUGE_GRADIENT,
        "images have no gradient": 0 in empty,
        "filters have no gradient": 1 in empty,
    }


def _find_of_numbers(record: Record, K: int) -> Features:
    """What can be said of images, filters and labels."""
    A1, y = record["A1"], record["y"]
    return {
        "filters are dead": not A1.any((0, 2, 3)).all(),
        "images are empty": not record["X"].any((1, 2, 3)).all(),
        "A1 is below 0": bool((A1 < 0).any()),
        "numbers of A1 lie close together": bool(0 < A1.max() < 1.1 * A1.min()),
        "all labels are the same": len(y) > 1 and bool((y == y[0]).all()),
        "no label is the last class": K > 1 and int(y.max()) < K - 1,
    }


def _has_ties(steps: Sequence[object], record: Record, *, selects: bool) -> bool:
    for step in steps:
        if isinstance(step, KinkedStep) and step.selects == selects:
            values = step.candidates(record[step.source.name])
            tied = (values == values.max(axis=-1, keepdims=True)).sum(axis=-1) > 1
            positive = values.max(axis=-1) > 0 if selects else True
            if (tied & positive).any():
                return True
    return False


NEGATED = {  # how it is said that something is not so
    "m > 1": "m = 1",
    "m > 2": "m ≤ 2",
    "C > 1": "C = 1",
    "N > 1": "N = 1",
    "K > 1": "K = 1",
    "the image is not square": "the image is square",
    "there is padding": "there is no padding",
    "the stride is not 1": "the stride is 1",
    "the dilation is not 1": "the dilation is 1",
    "the windows overlap": "the windows do not overlap",
    "the windows lie apart": "the windows touch or overlap",
    "a rest fills no window": "the windows fill the map",
    "the window is larger than 1×1": "the window is 1×1",
    "the window is larger than 2×2": "the window is 2×2 or smaller",
    "the kernel is larger than 1×1": "the kernel is 1×1",
    "the kernel is not 3×3": "the kernel is 3×3",
    "a side is odd": "both sides are even",
    "maxima are tied": "no maxima are tied",
    "some Z are 0": "no Z is 0",
    "z is large": "z is not large",
    "z is so large that e^z overflows": "e^z does not overflow",
    "the numbers are tiny": "the numbers are not tiny",
    "the numbers are huge": "the numbers are not huge",
    "m > 9": "m ≤ 9",
    "the kernel is as large as the image": "the kernel is smaller than the image",
    "there is one window alone": "there are several windows",
    "the gradient is tiny": "the gradient is not tiny",
    "a part of the gradient is tiny": "no part of the gradient is tiny",
    "the gradient is huge": "the gradient is not huge",
    "images have no gradient": "every image has a gradient",
    "filters have no gradient": "every filter has a gradient",
    "filters are dead": "no filter is dead",
    "images are empty": "no image is empty",
    "A1 is below 0": "A1 is not below 0",
    "numbers of A1 lie close together": "the numbers of A1 do not lie close together",
    "all labels are the same": "there are several labels",
    "no label is the last class": "a label is the last class",
}
SCALES = ("the numbers are tiny", "the numbers are huge")
OR = ", or where "  # between conditions that the cases do not tell apart
ENOUGH = 3  # cases on either side from which on a condition of two parts is more than chance


def separate(wrong: Sequence[Features], right: Sequence[Features], *, thorough: bool = True) -> str | None:
    """What holds in all the wrong cases and in none of the right ones; None if nothing does.

    What the cases do not tell from it is said with it. A thorough search looks at the size of the numbers too, which
    may only hide what is wrong, and at two conditions at once.
    """
    if not wrong or not right or (not thorough and len(right) < ENOUGH <= len(wrong)):
        return None
    names = [name for name in wrong[0] if thorough or name not in SCALES]
    found = list(_separate_by_one(wrong, right, names))
    if not found and thorough and min(len(wrong), len(right)) >= ENOUGH:
        found = list(_separate_by_two(wrong, right, names))
    return OR.join(found[:2]) or None


def _separate_by_one(wrong: Sequence[Features], right: Sequence[Features], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if all(case[name] for case in wrong) and not any(case[name] for case in right):
            yield name
    for name in names:
        if len(right) > 1 and not any(case[name] for case in wrong) and all(case[name] for case in right):
            yield NEGATED[name]


def _separate_by_two(wrong: Sequence[Features], right: Sequence[Features], names: Sequence[str]) -> Iterator[str]:
    """Two that are both needed, or of which either is enough."""
    for one, other in combinations(names, 2):
        if all(case[one] or case[other] for case in wrong) and not any(case[one] or case[other] for case in right):
            yield f"{one} or {other}"
    for one, other in combinations(names, 2):
        if all(case[one] and case[other] for case in wrong) and not any(case[one] and case[other] for case in right):
            yield f"{one} and {other}"
