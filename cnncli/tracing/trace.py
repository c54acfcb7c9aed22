"""The recorded chain of one image, each value in the shape that the note gives it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cnncli.errors import UsageError
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain, build_chain
from cnncli.network.record import Recorded
from cnncli.network.terms import Entry, Values
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject
from cnncli.tracing.entries import find_name, parse_entries
from cnncli.tracing.expansion import Expander, Expansion
from cnncli.tracing.paths import Follower, Paths


@dataclass(frozen=True)
class Trace:
    """The values of one image's forward and backward pass, in order, without the batch axis."""

    subject: Subject
    steps: list[Recorded]
    probabilities: dict[str, float]  # of every class

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    @property
    def chain(self) -> Chain:
        """The chain that was recorded."""
        return build_chain(self.subject.architecture)

    @cached_property
    def values(self) -> Values:
        """The arrays by name."""
        return {step.name: step.value for step in self.steps}

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the chain is left out."""
        return [(step.tensor.name, step.part) for step in self.steps] == [(name, ()) for name in self.chain.tensors]

    @cached_property
    def expander(self) -> Expander:
        """Explains its entries."""
        return Expander(self.chain, self.values)

    @cached_property
    def follower(self) -> Follower:
        """Follows its entries."""
        return Follower(self.chain, self.values)

    def expand(self, entry: str) -> list[Expansion]:
        """Where an entry comes from: "dL/dw1[0,0,1,2]", or "Z1[0]" for all below it. Raises UsageError."""
        return [self.expander.expand(each) for each in parse_entries(entry, self.chain.tensors, "expand")]

    def follow(self, entry: str, most: int = 8) -> Paths:
        """The chain from L to one entry, with the strongest paths; dL/dw1[1,2] means w1[1,2]. Raises UsageError."""
        entries = [self._below(each) for each in parse_entries(entry, self.chain.tensors, "follow")]
        if len(entries) > 1:
            first, last = (each.label(self.chain.shapes[each.name]) for each in (entries[0], entries[-1]))
            several = f"{entry} names {len(entries):,} entries, {first} to {last}: name one of them"
            raise UsageError(several, argument="follow")
        return self.follower.follow(entries[0], most)

    def only(self, names: Sequence[str] | None) -> "Trace":
        """The steps with these names, or all. Raises UsageError for a name that is none of the chain's."""
        if names is None:
            return self
        known = dict.fromkeys(name for step in self.steps for name in (step.tensor.name, step.name))  # Z1, and Z1[3]
        wanted = {find_name(name, list(known), "only") for name in names}
        return replace(self, steps=[step for step in self.steps if wanted & {step.name, step.tensor.name}])

    def _below(self, entry: Entry) -> Entry:
        """What the derivative of L is taken for; any other entry itself."""
        fraction = self.chain.tensors[entry.name].fraction
        of_loss = fraction is not None and fraction[0] == self.chain.output.loss
        return Entry(fraction[1].name, entry.place) if fraction and of_loss else entry

    def narrow(self, n: int | None, c: int | None) -> "Trace":
        """Filter n of every block that has it, channel c of the image; everything else stays whole.

        A part is named as it would be indexed: Z1[3] has the shape (h, w), w1[3,0] the shape (k, k). Raises UsageError
        where no block has such a filter, or the image no such channel.
        """
        architecture = self.subject.architecture
        if n is not None and n >= max(architecture.filters):
            raise UsageError(f"{n}: the filters are 0 … {max(architecture.filters) - 1}", argument="filter")
        if c is not None and c >= architecture.channels:
            raise UsageError(f"{c}: the image's channels are 0 … {architecture.channels - 1}", argument="channel")
        return replace(self, steps=[part for step in self.steps for part in _narrow(step, n, c)])


def trace_image(subject: Subject) -> Trace:
    """Record one image's forward and backward pass."""
    chain = build_chain(subject.architecture)
    record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
    steps = [replace(step, value=step.value.reshape(step.tensor.shape)) for step in record]
    (probabilities,) = chain.output.class_probabilities(record[chain.logit.name]).tolist()
    return Trace(subject, steps, dict(zip(subject.classes, probabilities, strict=True)))


def _narrow(step: Recorded, n: int | None, c: int | None) -> list[Recorded]:
    """What is left of a step: nothing where its block lacks the filter."""
    tensor = step.tensor
    of_image = tensor.block <= 1  # only there are the channels those of the image
    chosen = {"N": n, "C": c if of_image else None}
    places = [chosen.get(letter) for letter in tensor.axes]
    if any(place is not None and place >= length for place, length in zip(places, tensor.shape, strict=True)):
        return []
    while places and places[-1] is None:
        places.pop()
    if not places:
        return [step]
    value = step.value[tuple(slice(None) if place is None else place for place in places)]
    return [replace(step, value=value, part=tuple(places))]
