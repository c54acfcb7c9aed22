"""The recorded chain of one image, each value in the shape that the note gives it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnncli.errors import UsageError
from cnncli.network.arrays import Array
from cnncli.network.output import class_probabilities
from cnncli.network.record import Step
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject
from cnncli.tracing.entries import known


@dataclass(frozen=True)
class Trace:
    """The steps of one image's forward and backward pass, in order, without the batch axis."""

    subject: Subject
    steps: list[Step]
    probabilities: dict[str, float]  # of every class

    def __getitem__(self, name: str) -> Array:
        return next(step.value for step in self.steps if step.name == name)

    def only(self, names: Sequence[str] | None) -> "Trace":
        """The steps with these names, or all. Raises UsageError for a name that is none of the chain's."""
        if names is None:
            return self
        wanted = {known(name, [step.name for step in self.steps], "--only") for name in names}
        return replace(self, steps=[step for step in self.steps if step.name in wanted])

    def narrowed(self, n: int | None, c: int | None) -> "Trace":
        """Filter n of every block that has it, channel c of the image; everything else stays whole.

        A part is named as it would be indexed: Z1[3] has the shape (h, w), w1[3,0] the shape (k, k). Raises UsageError
        where no block has such a filter, or the image no such channel.
        """
        architecture = self.subject.architecture
        if n is not None and n >= max(architecture.filters):
            raise UsageError(f"--filter {n}: the filters are 0 … {max(architecture.filters) - 1}")
        if c is not None and c >= architecture.channels:
            raise UsageError(f"--channel {c}: the image's channels are 0 … {architecture.channels - 1}")
        return replace(self, steps=[part for step in self.steps for part in self._part(step, n, c)])

    def _part(self, step: Step, n: int | None, c: int | None) -> list[Step]:
        """What is left of a step: nothing where its block lacks the filter."""
        tensor = step.name.split("/")[0 if step.name.startswith("dA") else -1].removeprefix("d")
        block = int(tensor[1:]) if tensor[1:].isdigit() else 0
        if tensor == "X":
            places = [c]
        elif block in self.subject.architecture.blocks and tensor[0] in "wbZAP":
            if n is not None and n >= self.subject.architecture.filters[block - 1]:
                return []
            places = [n, c if block == 1 else None] if tensor[0] == "w" else [n]
        else:
            places = []
        if all(place is None for place in places):
            return [step]
        while places[-1] is None:
            places.pop()
        name = f"{step.name}[{','.join(':' if place is None else str(place) for place in places)}]"
        value = step.value[tuple(slice(None) if place is None else place for place in places)]
        return [replace(step, name=name, value=value)]


def trace_image(subject: Subject) -> Trace:
    """Record one image's forward and backward pass."""
    shapes = subject.architecture.shapes
    record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
    steps = [replace(step, value=step.value.reshape(shapes[step.name])) for step in record]
    (probabilities,) = class_probabilities(record[subject.architecture.logit]).tolist()
    return Trace(subject, steps, dict(zip(subject.classes, probabilities, strict=True)))
