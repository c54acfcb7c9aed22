"""The recorded chain of one image, each value in the shape that the note gives it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from cnncli.errors import UsageError
from cnncli.inspection.subject import Subject
from cnncli.network.output import class_probabilities
from cnncli.network.record import Step
from cnncli.network.textbook import Textbook


@dataclass(frozen=True)
class Trace:
    """The steps of one image's forward and backward pass, in order, without the batch axis."""

    subject: Subject
    steps: list[Step]
    probabilities: dict[str, float]  # of every class


def trace_image(subject: Subject, only: Sequence[str] | None = None) -> Trace:
    """Record one image's forward and backward pass; `only` names the steps to keep.

    Raises UsageError for a name that is none of the chain's.
    """
    shapes = subject.architecture.shapes
    record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
    steps = [replace(step, value=step.value.reshape(shapes[step.name])) for step in record]
    if only is not None:
        wanted = {_known(name.strip(), list(shapes)) for name in only}
        steps = [step for step in steps if step.name in wanted]
    (probabilities,) = class_probabilities(record[subject.architecture.logit]).tolist()
    return Trace(subject, steps, dict(zip(subject.classes, probabilities, strict=True)))


def _known(name: str, names: Sequence[str]) -> str:
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(f"--only {name}: there is no such value, there are {', '.join(names)}{hint}")
