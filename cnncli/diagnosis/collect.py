"""From the answers of a backward pass to evidence: of one link alone, or of a link seen through the chain behind it."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cnncli.diagnosis.evidence import Arrays, Evidence
from cnncli.diagnosis.factors import count_sizes
from cnncli.diagnosis.mistakes import Mistake
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
    return _collect(case, subject, record, tensor, gradient, (found,), lambda answer: (answer,), eps, at_hand)


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
    return _collect(case, subject, record, tensor, gradient, tuple(found.values()), observe, eps, at_hand)


def _list_at_hand(subject: Subject, record: Record, tensor: Tensor, gradient: Array) -> dict[str, Array]:
    """What a link alone may have taken by mistake: all that its step reads, makes and is given."""
    chain = build_chain(subject.architecture)
    step = chain.readers.get(tensor.name)
    if step is None:
        return _of_output(chain, record, subject)
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
) -> Evidence:
    chain = build_chain(subject.architecture)
    step = chain.readers.get(tensor.name)
    if step is None:
        read: Arrays = (record[chain.logit.name], subject.y)
        right = chain.output.dL_dz(record[chain.logit.name], subject.y)
        products, which = Products("mk->mk", (f"{chain.output.output.name} − y",), (right,), "mk", right.shape), 0
    else:
        read, which = tuple(record[each.name] for each in step.reads), step.reads.index(tensor)
        products = step.products(gradient, *read)[which]

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
        observe(products.total()), found, observe, plant, eps, 0.0 if step else 1 / len(subject.y),
    )  # fmt: skip


def _of_output(chain: Chain, record: Record, subject: Subject) -> dict[str, Array]:
    """What an expression for dL/dz may be made of."""
    z = record[chain.logit.name]
    A, name = chain.output.forward(z), chain.output.output.name
    y = subject.y[:, None].astype(float) if A.shape[1] == 1 else np.eye(A.shape[1])[subject.y]
    e = np.exp(np.minimum(z, 700))
    others = {  # what may stand in the place of A
        "tanh(z)": np.tanh(z),
        "(1 + tanh(z))/2": (1 + np.tanh(z)) / 2,
        "z": z,
        "max(z, 0)": np.maximum(z, 0),
        "e^z": e,
        f"{name} rounded": np.round(A),
        f"log {name}": np.log(A),
        "σ(−z)": chain.output.forward(-z),
        "σ(2z)": chain.output.forward(2 * z),
        "σ(z) of each output": e / (1 + e),
        "e^z/Σe^z over the images": e / e.sum(axis=0, keepdims=True),
        "e^z/Σe^z over everything": e / e.sum(),
        "e^z/(1 + Σ e^z)": e / (1 + e.sum(axis=1, keepdims=True)),
    }
    return {
        name: A,
        "y": y,
        "1 − y": 1 - y,
        "½ − y": 0.5 - y,
        f"1/K − y (label smoothing?), K = {A.shape[1]}": 1 / A.shape[1] - y,
        f"1 − {name}": 1 - A,
        f"{name}·(1 − {name})": A * (1 - A),
        f"({name} − y)": A - y,
        f"{name}²": A**2,
        chain.logit.name: z,
        f"−y/{name}": -y / A,
        f"y·({name} − y)": y * (A - y),
        f"(1 − y)·{name}": (1 - y) * A,
        f"−y/{name} + (1 − y)/(1 − {name})": (A - y) / (A * (1 - A)),
        f"{name}·(y − Σ y·{name})": A * (y - (y * A).sum(axis=1, keepdims=True)),
        "what the squared error (z − y)² gives": z - y,
    } | {f"made with {words} in the place of {name}": other - y for words, other in others.items()}


def list_links(chain: Chain) -> Sequence[Tensor]:
    """The tensors whose gradients the links answer, from L backwards."""
    return list(chain.gradients.values())
