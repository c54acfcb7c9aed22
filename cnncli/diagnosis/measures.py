"""Numbers that a factor may depend on: the sizes of a case, and what its arrays measure."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain

Measure = Callable[[Evidence], float]
Measures = dict[str, Measure]  # by what each is called

COUNTED = "number of entries that are not 0"
OF_ARRAYS: dict[str, Callable[[Array], float]] = {
    "length √Σg²": lambda g: float(np.sqrt((g**2).sum())),
    "Σg²": lambda g: float((g**2).sum()),
    "largest |entry|": lambda g: float(np.abs(g).max()),
    "sum of |entries|": lambda g: float(np.abs(g).sum()),
    "standard deviation": lambda g: float(g.std()),
    "mean": lambda g: float(g.mean()),
    "sum": lambda g: float(g.sum()),
    "sum (1 where that is 0)": lambda g: float(g.sum()) or 1.0,
    "number of entries": lambda g: float(g.size),
    COUNTED: lambda g: float(np.count_nonzero(g)),
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
        "the stride of the windows": architecture.window_stride,
    }


def list_sizes(evidence: Evidence) -> Measures:
    """The numbers of a case."""
    return {name: partial(_read_size, name) for name in evidence.numbers}


def list_own(_evidence: Evidence) -> Measures:
    """What the right gradient measures, alone and with all that the same call gives."""
    return _list({"its": lambda e: e.right}) | _list({"the gradients' common": lambda e: e.together()})


def list_at_hand(evidence: Evidence) -> Measures:
    """What the operands measure, and what the step has read."""
    reads = evidence.step.reads if evidence.step else ()
    if evidence.step is None:
        return _list({"y's": lambda e: (e.tensors["y"],)})
    operands = {f"{name}'s": partial(_take_operand, which) for which, name in enumerate(evidence.products.names)}
    listed = _list(operands | {f"{tensor.name}'s": partial(_take_read, which) for which, tensor in enumerate(reads)})
    for whose, take in operands.items():
        if all(np.isin(part, (0, 1)).all() for part in take(evidence)):  # of a gate all of them say the same
            for words in {*OF_ARRAYS} - {COUNTED}:
                del listed[f"{whose} {words}"]
    return listed


def _list(arrays: Mapping[str, Callable[[Evidence], Sequence[Array]]]) -> Measures:
    return {
        f"{whose} {words}": partial(_measure, take, measure)
        for whose, take in arrays.items()
        for words, measure in OF_ARRAYS.items()
    }


def _measure(take: Callable[[Evidence], Sequence[Array]], measure: Callable[[Array], float], e: Evidence) -> float:
    return measure(np.concatenate([part.ravel() for part in take(e)]))


def _read_size(name: str, e: Evidence) -> float:
    return float(e.numbers[name])


def _take_operand(which: int, e: Evidence) -> Sequence[Array]:
    return (e.products.operands[which],)


def _take_read(which: int, e: Evidence) -> Sequence[Array]:
    return (e.read[which],)
