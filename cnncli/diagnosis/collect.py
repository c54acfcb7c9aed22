"""From the answers of a backward pass to evidence: of one link alone, or of a link seen through the chain behind it."""

from collections.abc import Callable, Mapping

import numpy as np

from cnncli.diagnosis.conditions import find_features
from cnncli.diagnosis.evidence import Arrays, Evidence
from cnncli.diagnosis.measures import count_sizes
from cnncli.diagnosis.mistakes import Mistake
from cnncli.diagnosis.output import list_alternatives, list_factors
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain, build_chain
from cnncli.network.products import Products
from cnncli.network.record import Record
from cnncli.network.tensors import Tensor
from cnncli.subject.subject import Subject

Observe = Callable[[Array], Arrays]


def answer_link(
    subject: Subject, record: Record, given: str | None, gradient: Array, mistake: Mistake | None = None
) -> dict[str, Array]:
    """What one step answers to a gradient, "dL/dZ1": …, maybe with a mistake; the output step where none is given."""
    chain = build_chain(subject.architecture)
    chain = mistake.plant(chain) if mistake else chain
    if given is None:
        return {chain.logit.gradient.name: chain.loss_backward(record[chain.logit.name], subject.y)}
    step = next(step for step in chain.steps if step.output.gradient.name == given)
    answers = chain.backward(step, gradient, *(record[tensor.name] for tensor in step.reads))
    return {tensor.gradient.name: answer for tensor, answer in zip(step.reads, answers, strict=True)}


def collect_link(
    case: str, subject: Subject, record: Record, tensor: Tensor, gradient: Array, found: Array, eps: float
) -> Evidence:
    """A link alone, given a gradient, which answered what was found for a tensor."""
    at_hand = _list_at_hand(subject, record, tensor, gradient)
    if tensor.name not in build_chain(subject.architecture).readers:
        eps *= measure_cancellation(subject, record)
    step = build_chain(subject.architecture).readers.get(tensor.name)
    read = [record[each.name] for each in step.reads] if step else []
    return _collect(
        case, subject, record, tensor, gradient, (found,), lambda answer: (answer,), eps, at_hand,
        lambda: step.backward(gradient, *read) if step else (record[tensor.gradient.name],),
    )  # fmt: skip


def collect_through(
    case: str, subject: Subject, record: Record, tensor: Tensor, found: Mapping[str, Array], eps: float
) -> Evidence:
    """A link, given the right gradient, of which is seen what the right chain made of its answer, by name."""
    chain = build_chain(subject.architecture)

    def observe(answer: Array) -> Arrays:
        gradients = _walk_on(chain, record, tensor, answer)
        return tuple(gradients[name] for name in found)

    step = chain.readers.get(tensor.name)
    gradient = record[step.output.gradient.name] if step else np.ones(())
    at_hand = _list_at_hand(subject, record, tensor, gradient)
    if step:  # the whole pass was
        at_hand = {entry.name: entry.value for entry in record} | at_hand
        at_hand.pop(tensor.gradient.name, None)
    eps *= measure_cancellation(subject, record)
    return _collect(
        case, subject, record, tensor, gradient, tuple(found.values()), observe, eps, at_hand,
        lambda: tuple(record[each.gradient.name] for each in chain.parameters.values()),
    )  # fmt: skip


def find_reached(chain: Chain, tensor: Tensor) -> set[str]:
    """The gradients in which that of a tensor has a part, itself among them."""
    reached = {tensor.gradient.name}
    while step := chain.makers.get(tensor.name):
        reached |= {read.gradient.name for read in step.reads}
        tensor = step.source
    return reached


def measure_cancellation(subject: Subject, record: Record) -> float:
    """How much of its precision A − y loses where A is near y; where all of it is lost the case tells nothing."""
    dz = record[build_chain(subject.architecture).logit.gradient.name]
    loss = 1 / (len(dz) * float(np.abs(dz).max()) + np.finfo(float).tiny)
    return max(loss, 1.0)


def _list_at_hand(subject: Subject, record: Record, tensor: Tensor, gradient: Array) -> dict[str, Array]:
    """What a link alone may have taken by mistake: all that its step reads, makes and is given."""
    chain = build_chain(subject.architecture)
    step = chain.readers.get(tensor.name)
    if step is None:
        return list_factors(chain.output, record[chain.logit.name], subject.y)
    return {each.name: record[each.name] for each in (*step.reads, step.output)} | {step.output.gradient.name: gradient}


def _walk_on(chain: Chain, record: Record, tensor: Tensor, answer: Array) -> dict[str, Array]:
    """All gradients, where that of a tensor is another than the right one."""
    gradients = {each.gradient.name: record[each.gradient.name] for each in chain.gradients.values()}
    gradients[tensor.gradient.name] = answer
    while step := chain.makers.get(tensor.name):
        parts = step.backward(gradients[tensor.gradient.name], *(record[each.name] for each in step.reads))
        gradients |= {each.gradient.name: part for each, part in zip(step.reads, parts, strict=True)}
        tensor = step.source
    return gradients


def _collect(
    case: str,
    subject: Subject,
    record: Record,
    tensor: Tensor,
    gradient: Array,
    found: Arrays,
    observe: Observe,
    eps: float,
    tensors: Mapping[str, Array],
    together: Callable[[], Arrays],
) -> Evidence:
    chain = build_chain(subject.architecture)
    step = chain.readers.get(tensor.name)
    if step is None:
        read: Arrays = (record[chain.logit.name], subject.y)
        right = chain.output.dL_dz(record[chain.logit.name], subject.y)
        instead = list_alternatives(chain.output, *read)
        products, which = Products("mk->mk", (f"{chain.output.output.name} − y",), (right,), "mk", right.shape), 0
    else:
        read, which = tuple(record[each.name] for each in step.reads), step.reads.index(tensor)
        products, instead = step.products(gradient, *read)[which], {}

    def plant(mistake: Mistake) -> Arrays | None:
        kind = step.kind if step else chain.output.kind
        role = "source" if which == 0 else tensor.role
        if mistake.kind != kind or mistake.wrong != role:
            return None
        given = step.output.gradient.name if step else None
        return observe(answer_link(subject, record, given, gradient, mistake)[tensor.gradient.name])

    numbers = count_sizes(subject.architecture, len(subject.y))
    return Evidence(
        case, tensor.gradient.name, products, step, which, gradient, read, tensors, numbers,
        observe(products.total()), found, observe, plant, eps, 0.0 if step else 1 / len(subject.y), instead,
        find_features(subject.architecture, record, gradient), together,
    )  # fmt: skip
