"""The contract for a backward pass that somebody else wrote: functions, cases, and a file to start from.

All arrays are float64 and carry the images in their first axis, m of them. The network is the note's: one block.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.initialisation import he_normal
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose

Argument = Array | int | tuple[int, ...]


@dataclass(frozen=True)
class Function:
    """One function of the contract."""

    name: str
    signature: str
    given: str | None  # the tensor whose gradient it is given, None for L itself
    returns: tuple[str, ...]  # the tensors whose gradients it gives
    arguments: Callable[[Subject, Record, Array], tuple[Argument, ...]]

    @property
    def returned_names(self) -> tuple[str, ...]:
        """As they are called in code: dX, dw1, db1."""
        return tuple(f"d{name}" for name in self.returns)


FUNCTIONS = (
    Function("loss_backward", "loss_backward(z2, y)", None, ("z2",), lambda s, r, _: (r["z2"], s.y)),
    Function(
        "dense_backward",
        "dense_backward(F, w2, dz2)",
        "z2",
        ("F", "w2", "b2"),
        lambda _, r, dz2: (r["F"], r["w2"], dz2),
    ),
    Function(
        "flatten_backward",
        "flatten_backward(dF, shape)",
        "F",
        ("P1",),
        lambda _, r, dF: (dF, r["P1"].shape[1:]),
    ),
    Function(
        "maxpool_backward",
        "maxpool_backward(A1, dP1, pool)",
        "P1",
        ("A1",),
        lambda s, r, dP1: (r["A1"], dP1, s.architecture.pool),
    ),
    Function("relu_backward", "relu_backward(Z1, dA1)", "A1", ("Z1",), lambda _, r, dA1: (r["Z1"], dA1)),
    Function(
        "conv_backward",
        "conv_backward(X, w1, dZ1)",
        "Z1",
        ("X", "w1", "b1"),
        lambda s, r, dZ1: (s.X, r["w1"], dZ1),
    ),
    Function(
        "backward",
        "backward(X, y, w1, b1, w2, b2)",
        None,
        ("w1", "b1", "w2", "b2"),
        lambda s, r, _: (s.X, s.y, *(r[name] for name in ("w1", "b1", "w2", "b2"))),
    ),
)


@dataclass(frozen=True)
class Case:
    """One call of one function: its arguments, and the subject and gradient that it is checked on."""

    label: str
    subject: Subject
    gradient: Array  # of what the function is given
    arguments: tuple[Argument, ...]


def cases(function: Function, seed: int) -> Iterator[Case]:
    """The calls of a function, from the note's example to the awkward ones."""
    for number, (label, subject) in enumerate(_subjects(seed).items()):
        architecture = subject.architecture
        if function.name == "backward" and architecture.pool != 2:
            continue  # the signature has no pool: it is 2
        if architecture.outputs > 1 and function.name != "dense_backward":
            continue
        record = Textbook(architecture).record(subject.parameters, subject.X, subject.y)
        random = np.random.default_rng([seed, number])
        gradient = random.normal(size=record[function.given].shape) if function.given else np.zeros(0)
        yield Case(label, subject, gradient, function.arguments(subject, record, gradient))


def _subjects(seed: int) -> dict[str, Subject]:
    random = np.random.default_rng([seed, 99])
    sides = [int(side) for side in random.integers(6, 12, 2)]
    ties = _whole_numbers(Architecture(8, 8, filters=(2,)), 1, seed)
    dead = _random(Architecture(8, 8, filters=(2,)), 1, seed)
    dead.parameters["b1"][0] = -100  # no number of the first filter is positive
    return {
        "the note's example": choose([], None, None, FreshNetwork()),
        "random sizes": _random(Architecture(sides[0], sides[1], filters=(1,)), 1, seed),
        "channels and filters": _random(Architecture(9, 8, channels=3, filters=(4,), kernel=2), 1, seed),
        "ties": ties,
        "a dead filter": dead,
        "a batch": _random(Architecture(7, 7, channels=2, filters=(3,)), 4, seed),
        "windows of 3": _random(Architecture(11, 10, filters=(2,), kernel=2, pool=3), 2, seed),
        "three outputs": _random(Architecture(6, 6, filters=(2,), classes=3), 2, seed),
    }


def _random(architecture: Architecture, m: int, seed: int) -> Subject:
    random = np.random.default_rng([seed, m])
    parameters = he_normal(architecture, seed)
    for name in ("b1", "b2"):
        parameters[name] += random.normal(size=parameters[name].shape) / 4
    X = random.normal(size=(m, architecture.channels, architecture.height, architecture.width))
    y = random.integers(0, architecture.classes, m)
    return Subject(architecture, parameters, tuple(map(str, range(architecture.classes))), X, y, ("",) * m, "random")


def _whole_numbers(architecture: Architecture, m: int, seed: int) -> Subject:
    """A flat image with a few spots: equal patches, so equal maxima, and some Z of exactly 0."""
    random = np.random.default_rng([seed, 5])
    subject = _random(architecture, m, seed)
    X = np.ones_like(subject.X)
    X[:, :, 2, 2], X[:, :, 5, 4] = 3, -2
    parameters = subject.parameters | {
        "w1": random.integers(-2, 3, subject.parameters["w1"].shape).astype(float),
        "b1": np.zeros(architecture.filters[0]),
    }
    parameters["w1"][0, 0, 0, 0] += 1 - parameters["w1"][0].sum()  # the flat patches of the first filter give 1,
    parameters["w1"][1, 0, 0, 0] -= parameters["w1"][1].sum()  # those of the second 0
    return Subject(architecture, parameters, subject.classes, X, subject.y, subject.images, "whole numbers")


TEMPLATE = '''"""My backward pass, to be checked by: cnncli gradcheck --code {name}

The network is  Z1 = conv(X, w1) + b1,  A1 = relu(Z1),  P1 = maxpool(A1),  F = flatten(P1),  z2 = w2·F + b2,
A2 = sigmoid(z2),  L = mean over the m images of the binary cross-entropy.

All arrays are float64. m images, C channels, N filters, k×k kernels, pooling windows of pool×pool:

    X  (m, C, H, W)    w1 (N, C, k, k)    b1 (N,)    Z1, A1 (m, N, H-k+1, W-k+1)    P1 (m, N, p, q)
    F  (m, D)          w2 (K, D)          b2 (K,)    z2 (m, K), K = 1               y  (m,), 0 or 1

A gradient has the shape of what it belongs to: dw1 means dL/dw1. Those of parameters are summed over the images; the
1/m of the mean is in dz2 already. Every function is checked alone: fill in as many as you like, delete the others.
"""

import numpy as np


def loss_backward(z2, y):
    """dz2: the derivative of L for the logit."""
    raise NotImplementedError


def dense_backward(F, w2, dz2):
    """Three gradients from one; K may be more than 1 here."""
    raise NotImplementedError
    return dF, dw2, db2


def flatten_backward(dF, shape):
    """dP1 (m, *shape); F is P1 row by row: filter, row, column."""
    raise NotImplementedError


def maxpool_backward(A1, dP1, pool):
    """dA1; of equal maxima the first, row by row, takes the gradient. Rows that fill no window get 0."""
    raise NotImplementedError


def relu_backward(Z1, dA1):
    """dZ1; the derivative at 0 is 0."""
    raise NotImplementedError


def conv_backward(X, w1, dZ1):
    """Z1[n,i,j] = b1[n] + sum over c, u, v of X[c,i+u,j+v] * w1[n,c,u,v]: nothing is flipped."""
    raise NotImplementedError
    return dX, dw1, db1


# Or all at once, with pooling windows of 2×2:
#
# def backward(X, y, w1, b1, w2, b2):
#     return {{"dw1": dw1, "db1": db1, "dw2": dw2, "db2": db2}}
'''


def template(name: str) -> str:
    """The text of a file to start from; `name` is the file's own."""
    return TEMPLATE.format(name=name)


def to_array(argument: Argument) -> tuple[str, Any]:
    """An argument as a kind and an array, for the way into another process."""
    if isinstance(argument, np.ndarray):
        return "array", argument
    return ("int" if isinstance(argument, int) else "tuple"), np.array(argument)
