"""Another tensor, or another gradient, in the place of a gradient or of a factor in it."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.network.arrays import Array

AXES_OF = {"CHW": "mcrs", "Npq": "mcrs", "NCkk": "ncuv", "Nhw": "mnrs", "KD": "kd", "D": "md", "N": "n", "K": "k"}
JOINED: dict[str, Callable[..., Array]] = {"summed": np.sum, "averaged": np.mean}


def list_of_tensors(evidence: Evidence) -> Iterator[Hypothesis]:
    """Another expression, another tensor for an operand, a factor too many, or one too few."""
    for words in evidence.instead:
        yield Hypothesis(f"{{}} is {words}", partial(_take_instead, words))
    for name in evidence.tensors:
        yield Hypothesis(f"{{}} is multiplied by {name}", partial(_multiply, name, 1))
        yield Hypothesis(f"{{}} is divided by {name}", partial(_multiply, name, -1))
        yield Hypothesis(f"{{}} is {name}", partial(_take, name))
        for which, operand in enumerate(evidence.products.names):
            yield Hypothesis(f"in {{}}, {name} stands in the place of {operand}", partial(_exchange, which, name))
    yield from _of_sums(evidence)


def _of_sums(evidence: Evidence) -> Iterator[Hypothesis]:
    """Another tensor of the step, or another gradient of it, summed down to the axes of this one."""
    step, own = evidence.step, evidence.products.axes
    for index, tensor in enumerate(step.reads if step else ()):
        axes = AXES_OF.get(tensor.axes, "").replace("c", "n") if index == 0 else AXES_OF.get(tensor.axes, "")
        over = tuple(place for place, letter in enumerate(axes) if letter not in own)
        if set(own) <= set(axes) and over:
            for words, join in JOINED.items():
                said = f"{words} over all its other axes"
                yield Hypothesis(f"{{}} is {tensor.name}, {said}", partial(_join_read, index, join, over))
                if index != evidence.which:
                    name = tensor.gradient.name
                    yield Hypothesis(f"{{}} is {name}, {said}", partial(_join_other, index, join, over))


def _join_read(index: int, join: Callable[..., Array], over: tuple[int, ...], evidence: Evidence) -> Array:
    return join(evidence.read[index], axis=over)


def _join_other(index: int, join: Callable[..., Array], over: tuple[int, ...], evidence: Evidence) -> Array:
    if evidence.step is None:
        raise LookupError
    return join(evidence.step.backward(evidence.given, *evidence.read)[index], axis=over)


def _fitting(evidence: Evidence, name: str, shape: tuple[int, ...]) -> Array:
    """A tensor, if its shape is one."""
    array = evidence.tensors[name]
    if array.shape != shape:
        raise LookupError
    return array


def _take_instead(words: str, evidence: Evidence) -> Array:
    return evidence.instead[words]


def _multiply(name: str, power: int, evidence: Evidence) -> Array:
    product: Array = evidence.products.total() * _take(name, evidence) ** power
    return product


def _take(name: str, evidence: Evidence) -> Array:
    return _fitting(evidence, name, evidence.products.shape)


def _exchange(which: int, name: str, evidence: Evidence) -> Array:
    products = evidence.products
    array = _fitting(evidence, name, products.operands[which].shape)
    if which == 0 and evidence.step is not None:
        return evidence.answer(array, evidence.read)
    return products.exchange(which, array).total()
