"""The derivation without numbers: every equation of a small network written out, with the note's subscripts.

The terms are those of the expansion of a trace of zeros: which entries meet does not depend on the numbers. Only the
choices of relu and max pooling do, and are written as such.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnncli.errors import UsageError
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.steps.step import KinkedStep
from cnncli.network.tensors import Kind, Tensor
from cnncli.network.terms import Entry, Term
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject
from cnncli.tracing.entries import LARGEST, SUBSCRIPTS, label_with_subscripts
from cnncli.tracing.expansion import Expander
from cnncli.tracing.paths import Follower
from cnncli.tracing.trace import Trace, trace_image


@dataclass(frozen=True)
class Equation:
    """One value of the chain: its equation as a whole, and entry by entry where it has several."""

    name: str
    kind: Kind
    formula: str
    lines: tuple[tuple[str, str], ...]  # ("dL/dw11", "dL/dz11·x11 + …")


@dataclass(frozen=True)
class Derivation:
    """All equations in order, and the chain for each parameter."""

    architecture: Architecture
    equations: tuple[Equation, ...]
    chains: tuple[tuple[str, str], ...]  # ("dL/dw1", "dL/dA2 · dA2/dz2 · …")


def derive(fresh: FreshNetwork) -> Derivation:
    """The derivation for one filter and one gray channel; the note's 3×3 image and 2×2 kernel where not given.

    Raises UsageError for what has no place on a page: several filters, channels, classes, or more than 9 rows.
    """
    side = fresh.image_size or 3
    page = "has no place on a page of"
    refused = {
        "filters": f"{page} one filter: leave it out" if fresh.network.get("filters", (1,)) != (1,) else "",
        "channels": f"{page} one gray channel: leave it out" if fresh.channels == "rgb" else "",
        "classes": f"{page} the note's two classes: leave it out" if fresh.classes not in (None, 2) else "",
        "image_size": f"{side} {page} at most {LARGEST}×{LARGEST} pixels: choose less" if side > LARGEST else "",
    }
    for argument, sentence in refused.items():
        if sentence:
            raise UsageError(sentence, argument=argument)
    architecture = Architecture(side, side, **{"kernel": 2, **fresh.network, "filters": (1,)})
    chain = build_chain(architecture)
    matrices = (tensor.shape for tensor in chain.tensors.values() if SUBSCRIPTS.get(tensor.axes) == 2)
    if max(map(max, matrices)) > LARGEST:  # nothing but padding makes a value larger than the image
        raise UsageError(f"{architecture.padding} {page} values of at most {LARGEST}×{LARGEST}", argument="padding")
    zeros = {name: np.zeros(shape) for name, shape in chain.parameter_shapes.items()}
    X = np.zeros((1, *chain.image.shape))
    trace = trace_image(Subject(architecture, zeros, ("0", "1"), X, np.array([1]), ("zeros",), "zeros"))
    write = _Writer(trace)
    equations = tuple(
        Equation(step.name, step.kind, step.formula, tuple(write.lines(step.tensor)))
        for step in trace.steps
        if step.kind in ("forward", "gradient")
    )
    follower = Follower(chain, trace.values)
    weights = [name for name, tensor in chain.parameters.items() if tensor.role == "weight"]
    chains = tuple((f"dL/d{name}", " · ".join(follower.chain(name))) for name in reversed(weights))
    return Derivation(architecture, equations, chains)


class _Writer:
    def __init__(self, trace: Trace) -> None:
        self._chain, self._values = trace.chain, trace.values
        self._expander = Expander(trace.chain, trace.values)
        output = self._chain.output
        self._of_output = {tensor.name for tensor, _ in (*output.values, *output.derivatives)}

    def lines(self, tensor: Tensor) -> Iterator[tuple[str, str]]:
        """One equation for each entry, of the tensors of which the page writes them."""
        # Of the output, and of the dense layer's bias, the equation as a whole says all: they are single numbers.
        if tensor.name in self._of_output or (tensor.kind == "gradient" and tensor.axes == "K"):
            return
        for place in np.ndindex(tensor.shape):
            yield label_with_subscripts(tensor, place), self._right_side(Entry(tensor.name, place))

    def _right_side(self, entry: Entry) -> str:
        for step in self._chain.steps:
            if isinstance(step, KinkedStep) and (choice := step.state_choice(*entry, self._values)):
                return self._term(choice)
        return " + ".join(self._term(term) for term in self._expander.expand(entry).terms)

    def _term(self, term: Term) -> str:
        labels = (label_with_subscripts(self._chain.tensors[f.entry.name], f.entry.place) for f in term.factors)
        return term.template.format(*labels)
