"""The contract for a backward pass that somebody else wrote: functions, cases, and a file to start from.

All arrays are float64 and carry the images in their first axis, m of them. The network is the note's: one block.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain, vary
from cnncli.network.initialisation import he_normal
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose

Argument = Array | int | tuple[int, ...]


@dataclass(frozen=True)
class Function:
    """One function of the contract: the backward function of one kind of step, or of the whole network."""

    signature: str  # "relu_backward(Z1, dA1)"
    contract: str
    given: str | None  # the tensor whose gradient it is given, None for L itself
    returns: tuple[str, ...]  # the tensors whose gradients it gives
    kind: str | None  # of the step; None for the whole network
    options: tuple[str, ...] = ()  # numbers of the architecture that somebody's version takes besides, by name

    @property
    def name(self) -> str:
        """As it is called in code."""
        return self.signature.partition("(")[0]

    @property
    def argument_names(self) -> list[str]:
        """As they are written in the signature."""
        return re.findall(r"\w+", self.signature)[1:]

    @property
    def returned_names(self) -> tuple[str, ...]:
        """As they are called in code: dX, dw1, db1."""
        return tuple(f"d{name}" for name in self.returns)


NOTE = build_chain(Architecture(6, 6, filters=(1,)))
OTHERS = [build_chain(architecture) for architecture in vary(Architecture(6, 6, filters=(1,))).values()]


def _functions() -> tuple[Function, ...]:
    """Of each kind of step one, those of the note's own network from L backwards first, and one for all at once."""
    output, names = NOTE.output, tuple(NOTE.parameters)
    functions = {output.kind: Function(output.signature, output.contract, None, (NOTE.logit.name,), output.kind)}
    for step in (step for variant in (NOTE, *OTHERS) for step in reversed(variant.steps)):
        read = tuple(tensor.name for tensor in step.reads)
        functions.setdefault(step.kind, Function(step.signature, step.contract, step.output.name, read, step.kind))
    return *functions.values(), Function(f"backward(X, y, {', '.join(names)})", "", None, names, None)


FUNCTIONS = _functions()


@dataclass(frozen=True)
class Case:
    """One call of one function: its arguments, and the subject and gradient that it is checked on."""

    label: str
    subject: Subject
    gradient: Array  # of what the function is given
    arguments: tuple[Argument, ...]
    options: Mapping[str, Argument]  # by name


def cases(function: Function, seed: int) -> Iterator[Case]:
    """The calls of a function, from the note's example to the awkward ones."""
    for number, (label, subject) in enumerate(_subjects(seed).items()):
        if not _fits(function, subject.architecture):
            continue
        record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
        random = np.random.default_rng([seed, number])
        gradient = random.normal(size=record[function.given].shape) if function.given else np.zeros(0)
        arguments = tuple(_argument(name, function, subject, record, gradient) for name in function.argument_names)
        options = {name: getattr(subject.architecture, name) for name in function.options}
        yield Case(label, subject, gradient, arguments, options)


def _fits(function: Function, architecture: Architecture) -> bool:
    """Whether a function can be called for a network, whose numbers may say more than it has arguments for."""
    chain = build_chain(architecture)
    if function.kind is None:
        if [step.kind for step in chain.steps] != [step.kind for step in NOTE.steps]:
            return False
        steps = chain.steps
    else:
        steps = tuple(step for step in chain.steps if step.kind == function.kind)
        if not steps and function.kind != chain.output.kind:
            return False
    if architecture.outputs > 1 and (function.kind is None or not any(step.output.axes == "K" for step in steps)):
        return False  # the contract is that of two classes
    options = {name for step in steps for name in step.options}
    unusual = {name for name in options if getattr(architecture, name) != getattr(Architecture, name)}
    return unusual <= {*function.argument_names, *function.options}


def _argument(name: str, function: Function, subject: Subject, record: Record, gradient: Array) -> Argument:
    """What a function is given under a name of its signature."""
    if name == f"d{function.given}":
        return gradient
    if name == "shape":
        shape: tuple[int, ...] = record[function.returns[0]].shape[1:]
        return shape
    if name in Architecture.__dataclass_fields__:
        number: int = getattr(subject.architecture, name)
        return number
    return record[name]


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
        "padding": _random(Architecture(6, 7, channels=2, filters=(2,), padding=1), 2, seed),
        **{kind: _random(other, 2, seed) for kind, other in vary(Architecture(7, 8, filters=(3,))).items()},
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


TEMPLATE = '''"""My backward pass, to be checked by: {command} {name}

The network is  {network},
L = mean over the m images of the binary cross-entropy.

All arrays are float64. m images, C channels, N filters, k×k kernels, pooling windows of pool×pool:

    X  (m, C, H, W)    w1 (N, C, k, k)    b1 (N,)    Z1, A1 (m, N, H-k+1, W-k+1)    P1 (m, N, p, q)
    F  (m, D)          w2 (K, D)          b2 (K,)    z2 (m, K), K = 1               y  (m,), 0 or 1

A gradient has the shape of what it belongs to: dw1 means dL/dw1. Those of parameters are summed over the images; the
1/m of the mean is in dz2 already. Every function is checked alone: fill in as many as you like, delete the others.
"""

import numpy as np


{functions}

# Or all at once, with pooling windows of 2×2:
#
# def backward(X, y, w1, b1, w2, b2):
#     return {{"dw1": dw1, "db1": db1, "dw2": dw2, "db2": db2}}
'''


def write_stubs(name: str, command: str) -> str:
    """The text of a file to start from; `name` is the file's own, `command` checks it."""
    answer, formula = NOTE.output.values[0]
    equations = [(step.output, step.formula) for step in NOTE.steps] + [(answer, formula)]
    network = ",  ".join(f"{tensor.name} = {formula}" for tensor, formula in equations)
    kinds = {NOTE.output.kind, *(step.kind for step in NOTE.steps)}
    functions = "\n\n".join(_stub(function) for function in FUNCTIONS if function.kind in kinds)
    return TEMPLATE.format(name=name, command=command, network=network, functions=functions)


def _stub(function: Function) -> str:
    lines = [f"def {function.signature}:", f'    """{function.contract}"""', "    raise NotImplementedError"]
    if len(function.returns) > 1:
        lines.append(f"    return {', '.join(function.returned_names)}")
    return "\n".join(lines) + "\n"


def to_array(argument: Argument) -> tuple[str, Any]:
    """An argument as a kind and an array, for the way into another process."""
    if isinstance(argument, np.ndarray):
        return "array", argument
    return ("int" if isinstance(argument, int) else "tuple"), np.array(argument)
