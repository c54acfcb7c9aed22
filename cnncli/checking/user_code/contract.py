"""The contract for a backward pass that somebody else wrote: functions, calls, and a file to start from.

All arrays are float64 and carry the images in their first axis, m of them. The network is the note's: one block.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cnncli.checking.user_code.layout import Layout
from cnncli.checking.user_code.situations import Situation
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain, build_chain, vary
from cnncli.network.record import Record
from cnncli.network.tensors import Shape, Tensor
from cnncli.subject.subject import Subject

Argument = Array | int | tuple[int, ...] | dict[str, Array]


@dataclass(frozen=True)
class Function:
    """One function of the contract: the backward function of one kind of step, or of the whole network."""

    signature: str  # "relu_backward(Z1, dA1)"
    contract: str
    given: str | None  # the tensor whose gradient it is given, None for L itself
    returns: tuple[str, ...]  # the tensors whose gradients it gives; () for those of all parameters there are
    own_options: tuple[str, ...] = ()  # numbers of the architecture that are its step's; those of all for all at once
    options: tuple[str, ...] = ()  # numbers that somebody's version takes besides, by name

    @property
    def name(self) -> str:
        """As it is called in code."""
        return self.signature.partition("(")[0]

    @property
    def argument_names(self) -> list[str]:
        """As they are written in the signature."""
        return re.findall(r"\w+", self.signature)[1:]

    @property
    def is_whole(self) -> bool:
        """Whether it is the backward pass of a whole network."""
        return self.name == WHOLE

    def find_returned(self, chain: Chain) -> list[Tensor]:
        """The tensors whose gradients it gives in a network."""
        return [chain.gradients[name] for name in self.returns or chain.parameters]


WHOLE, PARAMETERS, CLASSES = "backward", "parameters", "classes"
STRIDE, POOL_STRIDE = "stride", "pool_stride"
NOTE = build_chain(Architecture(6, 6, filters=(1,)))
OTHERS = [build_chain(other) for other in vary(Architecture(6, 6, filters=(1,))).values()]
SOFTMAX = build_chain(Architecture(6, 6, filters=(1,), classes=3))


def _list_functions() -> tuple[Function, ...]:
    """One for each kind of step, those of the note's own network from L backwards first, and one for all at once."""
    functions: dict[str, Function] = {}
    for chain in (NOTE, SOFTMAX, *OTHERS):
        output = chain.output
        functions.setdefault(output.signature, Function(output.signature, output.contract, None, (chain.logit.name,)))
        for step in reversed(chain.steps):
            read = tuple(tensor.name for tensor in step.reads)
            functions.setdefault(
                step.signature, Function(step.signature, step.contract, step.output.name, read, step.options)
            )
    names = tuple(NOTE.parameters)
    whole = Function(f"{WHOLE}(X, y, {', '.join(names)})", "", None, names, tuple(Architecture.__dataclass_fields__))
    return *functions.values(), whole


FUNCTIONS = _list_functions()


def adapt(function: Function, argument_names: Sequence[str]) -> Function:
    """A function as somebody defines it: with options besides, or with all parameters in one dictionary."""
    signature, returns = function.signature, function.returns
    if function.is_whole and PARAMETERS in argument_names:
        signature, returns = f"{WHOLE}(X, y, {PARAMETERS})", ()
    options = [name for name in argument_names if name in Architecture.__dataclass_fields__]
    adapted = replace(function, signature=signature, returns=returns)
    taken = adapted.argument_names
    return replace(adapted, options=tuple(name for name in options if name not in taken))


@dataclass(frozen=True)
class Case:
    """One call of one function: its arguments, and the subject and gradient that it is checked on."""

    label: str
    subject: Subject
    record: Record
    gradient: Array  # of what the function is given
    returned: tuple[Tensor, ...]
    arguments: tuple[Argument, ...]
    options: Mapping[str, Argument]  # by name

    @property
    def grid(self) -> Shape:
        """The shape of the P that F is made of."""
        return find_grid(self.subject.architecture)


def find_grid(architecture: Architecture) -> Shape:
    """The shape of the P that F is made of."""
    return build_chain(architecture).makers["F"].source.shape


def list_cases(function: Function, situations: Mapping[str, Situation], seed: int, layout: Layout) -> Iterator[Case]:
    """The calls of a function, from the note's example to the awkward ones."""
    for number, (label, situation) in enumerate(situations.items()):
        if not _is_meant(function, situation) or not _fits(function, situation.subject.architecture):
            continue
        record = situation.make_record()
        random = np.random.default_rng([seed, number])
        gradient = random.normal(size=record[function.given].shape) if function.given else np.zeros(0)
        gradient = situation.gradient(gradient) if situation.gradient else gradient
        yield make_case(label, function, situation.subject, record, gradient, layout)


def make_case(
    label: str, function: Function, subject: Subject, record: Record, gradient: Array, layout: Layout
) -> Case:
    """The call of a function with a gradient."""
    chain = build_chain(subject.architecture)
    arguments = tuple(
        _make_argument(name, function, subject, record, gradient, layout) for name in function.argument_names
    )
    options = {name: _get_option(function, subject.architecture, name) for name in function.options}
    return Case(label, subject, record, gradient, tuple(function.find_returned(chain)), arguments, options)


def _is_meant(function: Function, situation: Situation) -> bool:
    """Whether a situation is there for such a function."""
    if situation.gradient and function.given is None:
        return False
    if situation.A1 or not function.is_whole:
        return not situation.arguments or not {*situation.arguments}.isdisjoint(function.argument_names)
    return True


def _fits(function: Function, architecture: Architecture) -> bool:
    """Whether a function can be called for a network, whose numbers may say more than it has arguments for."""
    chain = build_chain(architecture)
    if function.is_whole:
        kinds = [step.kind for step in chain.steps]
        if kinds != [step.kind for step in NOTE.steps] and not (
            function.returns == () and kinds[:3] == [step.kind for step in NOTE.steps[:3]]
        ):
            return False
        steps: list[Any] = [*chain.steps]
        if architecture.outputs > 1 and CLASSES not in function.options:
            return False  # without it the contract is that of two classes
        if architecture.pool != Architecture.pool and "pool" not in function.options:
            return False
    else:
        everything: list[Any] = [*chain.steps, chain.output]
        steps = [step for step in everything if step.signature == function.signature]
        if not steps or len(architecture.filters) > 1:
            return False
        if architecture.outputs > 1 and not any(step.output.axes == "K" for step in steps):
            return False
    options = {name for step in steps for name in getattr(step, "options", ())} - {"pool"}
    unusual = {name for name in options if _get_number(architecture, name) != _get_usual(architecture, name)}
    taken = {*function.argument_names, *function.options}
    return unusual <= taken | ({POOL_STRIDE} if _is_pooling(function) and STRIDE in taken else set())


def _get_option(function: Function, architecture: Architecture, name: str) -> int:
    """The number that is meant: a pooling's stride is that of its windows; what a step has not is as if left out."""
    if name in function.own_options:
        return _get_number(architecture, name)
    if name == STRIDE and _is_pooling(function):
        return architecture.window_stride
    return _get_usual(architecture, name)


def _is_pooling(function: Function) -> bool:
    return not function.is_whole and POOL_STRIDE in function.own_options


def _get_number(architecture: Architecture, name: str) -> int:
    number = getattr(architecture, name)
    return number if number is not None else architecture.window_stride  # the one that follows from another


def _get_usual(architecture: Architecture, name: str) -> int:
    usual = getattr(Architecture, name)
    return usual if usual is not None else architecture.pool


def _make_argument(
    name: str, function: Function, subject: Subject, record: Record, gradient: Array, layout: Layout
) -> Argument:
    """What a function is given under a name of its signature."""
    chain = build_chain(subject.architecture)
    grid = find_grid(subject.architecture)

    def give(name: str, array: Array) -> Array:
        tensor = chain.tensors[name]
        return array.copy() if tensor.role == "label" else layout.give(array, tensor, grid).copy()

    if name == f"d{function.given}":
        return give(str(function.given), gradient)
    if name == PARAMETERS:
        return {each: give(each, subject.parameters[each]) for each in chain.parameters}
    if name == "shape":
        return layout.give_shape(record[function.returns[0]].shape[1:])
    if name in Architecture.__dataclass_fields__:
        return _get_number(subject.architecture, name)
    return give(name, record[name])
