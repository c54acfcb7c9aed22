"""A trace as JSON."""

from dataclasses import asdict
from typing import Any

from cnncli.reports.look import Look
from cnncli.reports.trace.heading import subject_document
from cnncli.tracing.trace import Trace


def render(trace: Trace, _: Look) -> dict[str, Any]:
    """Values at full precision, without the batch axis, in the order of computation."""
    return subject_document(trace) | {
        "architecture": asdict(trace.subject.architecture),
        "steps": [
            {
                "name": step.name,
                "kind": step.kind,
                "formula": step.formula,
                "shape": step.value.shape,
                "values": step.value.tolist(),
            }
            for step in trace.steps
        ],
    }
