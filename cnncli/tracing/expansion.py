"""Where one entry comes from: the formula that made it, with the recorded numbers that went into it.

Every entry is a sum of terms, most of a single one. The entries of the forward pass are explained by their step; those
of a gradient are the sum, over all that read the entry, of the local derivative times the reader's own gradient. The
values of the terms are worked out from the recorded numbers alone; that they add up to what the network computed is
what the tests hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cnncli.network.chain import Chain
from cnncli.network.steps.step import Step
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Entry, Factor, Index, Made, Term, Values, Window
from cnncli.tracing.blockages import Blockage, find_blockages


@dataclass(frozen=True)
class Expansion:
    """One entry, explained."""

    entry: Entry
    label: str  # "dL/dw1[0,0,1,2]"
    value: float  # as recorded
    formula: str  # in symbols, for this entry
    terms: tuple[Term, ...]  # what is added up; none for what was given
    reason: str  # why, where the formula does not say it
    window: Window | None  # where the entry depends on the choice of a pooling window
    blockages: tuple[Blockage, ...]  # of a derivative of L that is 0, what shuts the ways to L

    @property
    def total(self) -> float:
        """The sum of the terms."""
        return sum(term.value for term in self.terms)


class Expander:
    """Explains entries of one image's pass."""

    def __init__(self, chain: Chain, values: Values) -> None:
        self._chain, self._values = chain, values
        self._rules = self._collect_rules()
        self._window_steps = {step.output.name: step for step in self._chain.steps}
        self._window_steps |= {step.source.gradient.name: step for step in self._chain.steps}

    def expand(self, entry: Entry) -> Expansion:
        """The entry with the terms that it is the sum of."""
        name, place = entry
        made = self._rules[name](place)
        value = float(self._values[name][place])
        step = self._window_steps.get(name)
        window = step.window_of(name, place, self._values) if step else None
        blockages = self._find_blockages(entry) if value == 0 else ()
        return Expansion(
            entry, self._label(name, place), value, made.formula, tuple(made.terms), made.reason, window, blockages
        )

    def _find_blockages(self, entry: Entry) -> tuple[Blockage, ...]:
        """Of a derivative of L for a value that leads to it; of anything else none."""
        fraction = self._chain.tensors[entry.name].fraction
        if fraction is None or fraction[0] != self._chain.output.loss or fraction[1] == self._chain.output.output:
            return ()
        return tuple(find_blockages(self._chain, self._values, Entry(fraction[1].name, entry.place)))

    def _collect_rules(self) -> dict[str, Callable[[Index], Made]]:
        chain = self._chain
        rules: dict[str, Callable[[Index], Made]] = {
            name: partial(self._given, tensor)
            for name, tensor in chain.tensors.items()
            if tensor.kind in ("input", "parameter")
        }
        for step in chain.steps:
            rules[step.output.name] = partial(step.explain, values=self._values)
            rules |= {tensor.gradient.name: partial(self._sum_readers, step, tensor) for tensor in step.reads}
            if derivative := step.local_derivative:
                rules[derivative.tensor.name] = partial(derivative.explain, values=self._values)
        for tensor, _ in (*chain.output.values, *chain.output.derivatives):
            rules[tensor.name] = partial(chain.output.explain, tensor.name, values=self._values)
        return rules

    def _given(self, tensor: Tensor, place: Index) -> Made:
        if tensor.is_parameter:
            gradient = self._label(tensor.gradient.name, place)
            return Made("", [], f"given: a parameter; what L thinks of it is {gradient}")
        return Made("", [], "given: " + ("the image" if tensor.role == "image" else "the class that counts as true"))

    def _sum_readers(self, step: Step, tensor: Tensor, place: Index) -> Made:
        """The chain rule for one entry."""
        gradient = step.output.gradient.name
        terms = [
            reader.term(Factor.of(self._values, gradient, reader.place))
            for reader in step.readers(tensor.name, place, self._values)
        ]
        return step.explain_gradient(tensor.name, place, terms, self._values)

    def _label(self, name: str, place: Index) -> str:
        return Entry(name, place).label(self._values[name].shape)
