"""Which factor it is by which a gradient is off: a constant, or one that depends on the sizes or on the gradient."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain

SAME = 1e-7  # relative: how well a factor must be met
CONSTANTS = {1.0: "", -1.0: "−1", 2.0: "2", 0.5: "½", -2.0: "−2", -0.5: "−½"}
OF_GRADIENT: dict[str, Callable[[Array], float]] = {
    "its length √Σg²": lambda g: float(np.sqrt((g**2).sum())),
    "Σg²": lambda g: float((g**2).sum()),
    "its largest |entry|": lambda g: float(np.abs(g).max()),
    "the sum of its |entries|": lambda g: float(np.abs(g).sum()),
    "its standard deviation": lambda g: float(g.std()),
    "its sum": lambda g: float(g.sum()),
}


def count_sizes(architecture: Architecture, m: int) -> dict[str, float]:
    """The numbers that a factor may be made of, by what they are called."""
    shapes = build_chain(architecture).shapes
    C, H, W = shapes["X"]
    N, h, w = shapes["Z1"]
    _, p, q = shapes["P1"]
    k, s = architecture.kernel, architecture.pool
    return {
        "m, the number of images": m,
        "m − 1": m - 1,
        "s² = the size of a window": s * s,
        "k² = the size of a kernel": k * k,
        "the number of positions of the kernel": h * w,
        "N, the number of filters": N,
        "C, the number of channels": C,
        "K, the number of outputs": architecture.outputs,
        "s, the side of a window": s,
        "k, the side of a kernel": k,
        "the number of windows": p * q,
        "D, the number of entries of F": shapes["F"][0],
        "the number of pixels": H * W,
        "the number of rows": H,
        "the number of columns": W,
        "the number of rows of positions": h,
        "the number of columns of positions": w,
        "the padding": architecture.padding,
        "the stride": architecture.stride,
    }


def name_factor(factors: Sequence[tuple[Evidence, float]]) -> list[str]:
    """What the factors of some cases are, as the end of "{} is …": the simplest that fit, none if nothing does.

    A constant of 1 gives "". Several are different explanations of the same numbers.
    """
    known = [(evidence, factor) for evidence, factor in factors if np.isfinite(factor)]
    if not known:
        return [""]
    values = np.array([factor for _, factor in known])
    if _constant(values):
        return [_times(values[0])]
    if (values == 0).any():
        return []
    sizes = {name: np.array([evidence.numbers[name] for evidence, _ in known], float) for name in known[0][0].numbers}
    return _of_one(values, sizes) or _of_two(values, sizes) or _of_gradient(values, [e for e, _ in known])


def _constant(values: Array) -> bool:
    return bool((np.abs(values - values[0]) <= SAME * np.abs(values[0])).all())


def _of_one(values: Array, sizes: Mapping[str, Array]) -> list[str]:
    found = []
    for name, size in sizes.items():
        if (size <= 0).any() or _constant(size):
            continue
        for power, words in ((1, f"multiplied by {name}"), (-1, f"divided by {name}")):
            rest = values / size**power
            if _constant(rest):
                found.append((abs(float(np.round(rest[0], 12))) != 1, words + _and(_times(rest[0]))))
    return [words for strange, words in found if strange == min(each for each, _ in found)]


def _of_two(values: Array, sizes: Mapping[str, Array]) -> list[str]:
    found = []
    for (one, first), (other, second) in combinations(sizes.items(), 2):
        if (first <= 0).any() or (second <= 0).any() or _constant(first) or _constant(second):
            continue
        for powers in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            if _constant(rest := values / (first ** powers[0] * second ** powers[1])):
                words = (
                    f"{'multiplied' if power > 0 else 'divided'} by {name}"
                    for power, name in zip(powers, (one, other), strict=True)
                )
                found.append(" and ".join(words) + _and(_times(rest[0])))
    return found


def _of_gradient(values: Array, evidences: Sequence[Evidence]) -> list[str]:
    found = []
    for name, measure in OF_GRADIENT.items():
        size = np.array([measure(np.concatenate([part.ravel() for part in e.right])) for e in evidences])
        if (size == 0).any():
            continue
        for power, words in ((1, f"multiplied by {name}"), (-1, f"divided by {name}")):
            if _constant(rest := values / size**power):
                found.append(words + _and(_times(rest[0])))
    return found


def _times(factor: float) -> str:
    if abs(factor - 1) <= SAME:
        return ""
    if abs(factor + 1) <= SAME:
        return "has the wrong sign"
    for value, words in CONSTANTS.items():
        if abs(factor - value) <= SAME * abs(value):
            return f"multiplied by {words}"
    return f"multiplied by {factor:.6g}"


def _and(words: str) -> str:
    return f", and {words}" if words else ""
