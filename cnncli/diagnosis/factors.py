"""Which factor it is by which a gradient is off: a constant, or one that depends on the sizes or on the gradient."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain

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
MEASURES: dict[str, Callable[[Array], float]] = {
    "length √Σg²": lambda g: float(np.sqrt((g**2).sum())),
    "Σg²": lambda g: float((g**2).sum()),
    "largest |entry|": lambda g: float(np.abs(g).max()),
    "sum of |entries|": lambda g: float(np.abs(g).sum()),
    "standard deviation": lambda g: float(g.std()),
    "mean": lambda g: float(g.mean()),
    "sum": lambda g: float(g.sum()),
    "number of entries": lambda g: float(g.size),
    "number of entries that are not 0": lambda g: float(np.count_nonzero(g)),
}
POWERS: dict[float, str] = {1: "multiplied by {}", -1: "divided by {}"}
ODD_POWERS: dict[float, str] = {
    0.5: "multiplied by the square root of {}",
    -0.5: "divided by the square root of {}",
    2: "multiplied by the square of {}",
    -2: "divided by the square of {}",
}
MOST = 2  # formulas for the same factors that are said


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
    if (values == 0).any():
        return []
    if _constant(values):
        return [_times(values[0])]
    evidences = [evidence for evidence, _ in known]
    sizes = {name: np.array([e.numbers[name] for e in evidences], float) for name in evidences[0].numbers}
    found = (
        _of_one(values, sizes, POWERS)
        or _of_two(values, sizes)
        or _of_one(values, _measure({"its": [_join(e.right) for e in evidences]}), POWERS)
        or _of_one(values, _measure(_list_arrays(evidences)), POWERS)
        or _of_one(values, sizes, ODD_POWERS)
    )
    return found[:MOST]


def _constant(values: Array) -> bool:
    return bool((np.abs(values - values[0]) <= SAME * np.abs(values[0])).all())


def _of_one(values: Array, sizes: Mapping[str, Array], powers: Mapping[float, str]) -> list[str]:
    found = []
    for name, size in sizes.items():
        if (size == 0).any() or not np.isfinite(size).all() or _constant(size):
            continue
        for power, words in powers.items() if (size > 0).all() else POWERS.items():
            rest = values / size**power
            if _constant(rest):
                found.append((rest[0], words.format(name)))
    return _choose_plain(found)


def _of_two(values: Array, sizes: Mapping[str, Array]) -> list[str]:
    found = []
    usable = {name: size for name, size in sizes.items() if (size > 0).all() and not _constant(size)}
    for (one, first), (other, second) in combinations(usable.items(), 2):
        for powers in product(POWERS, POWERS):
            if _constant(rest := values / (first ** powers[0] * second ** powers[1])):
                words = (POWERS[power].format(name) for power, name in zip(powers, (one, other), strict=True))
                found.append((rest[0], " and ".join(words)))
    return _choose_plain(found)


def _choose_plain(found: Sequence[tuple[float, str]]) -> list[str]:
    """Those that leave no other factor, where there are any; the others with what is left."""
    plain = [(rest, words) for rest, words in found if abs(abs(rest) - 1) <= SAME]
    return [words + _and(_times(rest)) for rest, words in plain or found]


def _join(parts: Sequence[Array]) -> Array:
    return np.concatenate([part.ravel() for part in parts])


def _list_arrays(evidences: Sequence[Evidence]) -> dict[str, list[Array]]:
    """The operands, and what the step has read, in each case."""
    first = evidences[0]
    arrays = {f"{name}'s": [e.products.operands[i] for e in evidences] for i, name in enumerate(first.products.names)}
    reads = first.step.reads if first.step else ()
    return arrays | {f"{tensor.name}'s": [e.read[i] for e in evidences] for i, tensor in enumerate(reads)}


def _measure(arrays: Mapping[str, Sequence[Array]]) -> dict[str, Array]:
    """Numbers that depend on some arrays, by what they are called."""
    return {
        f"{whose} {words}": np.array([measure(array) for array in each])
        for whose, each in arrays.items()
        for words, measure in MEASURES.items()
    }


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
