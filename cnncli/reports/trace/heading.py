"""What every report of a trace begins with, and the headings of its parts."""

from collections.abc import Iterator
from typing import Any

from cnncli.network.record import Recorded
from cnncli.text import printable
from cnncli.tracing.trace import Trace

ASSUMED = "not known; L is that of the predicted class, "  # before a class that nothing tells
HEADINGS = {
    "input": "the input",
    "parameter": "the parameters",
    "forward": "forward",
    "gradient": "backward: the derivatives, in the order in which they are taken",
}


def subject_document(trace: Trace) -> dict[str, Any]:
    """What is traced, as every JSON document of a trace begins."""
    subject = trace.subject
    return {
        "image": subject.images[0],
        "label": subject.classes[subject.y[0]],
        "label_predicted": subject.predicted,
        "classes": subject.classes,
    }


def header(trace: Trace) -> str:
    """What is traced, and what the network answers."""
    subject = trace.subject
    answer = max(trace.probabilities, key=lambda name: trace.probabilities[name])
    return (
        f"image       {printable(subject.images[0])}\n"
        f"weights     {printable(subject.origin)}\n"
        f"true class  {_label(trace)} (y = {subject.y[0]}); one image: m = 1\n"
        f"the network says {answer} with probability {trace.probabilities[answer]:.4f}\n"
    )


def _label(trace: Trace) -> str:
    """The class of y, and whether it is known."""
    name = trace.subject.classes[trace.subject.y[0]]
    return f"{ASSUMED}{name}" if trace.subject.predicted else name


def caption(trace: Trace) -> str:
    """What is traced and what the network answers, in a line."""
    subject = trace.subject
    answer = max(trace.probabilities, key=lambda name: trace.probabilities[name])
    loss = float(trace.values["L"]) if "L" in trace.values else None
    parts = (
        printable(subject.images[0]),
        f"true class {_label(trace)}",
        f"the network says {answer} with probability {trace.probabilities[answer]:.4f}",
        "" if loss is None else f"L = {loss:.4g}",
    )
    return "   ·   ".join(part for part in parts if part)


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as people read it."""
    return "scalar" if shape == () else str(shape)


def sections(trace: Trace) -> Iterator[tuple[str, list[Recorded]]]:
    """The heading and the steps of each part of the chain that has any."""
    for kind, heading in HEADINGS.items():
        steps = [step for step in trace.steps if step.kind == kind]
        if steps:
            yield heading, steps
