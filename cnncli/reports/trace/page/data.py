"""What the page of a trace is made of: the record and the steps of its chain, as one JSON document."""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from cnncli.network.arrays import Array
from cnncli.network.record import Recorded
from cnncli.network.steps.step import Step
from cnncli.reports.trace.heading import ASSUMED, subject_document
from cnncli.reports.trace.mathml import mathml
from cnncli.tracing.trace import Trace

BYTES_AS_TEXT = 8 * 4 / 3  # characters of a float64 in base64
READ = {"source", "output", "parameters"}  # the fields of a step that are its tensors; the others are its options


def page_data(trace: Trace, precision: int) -> dict[str, Any]:
    """Everything that the page shows and computes with; the numbers are Python's, to the last bit."""
    chain, subject = trace.chain, trace.subject
    output = chain.output
    normalisation = subject.normalisation
    return subject_document(trace) | {
        "y": int(subject.y[0]),
        "assumed": ASSUMED if subject.predicted else "",
        "origin": subject.origin,
        "precision": precision,
        "normalisation": None if normalisation is None else asdict(normalisation),
        "tensors": _tensors(trace.steps),
        "steps": [_step(step) for step in chain.steps],
        "output": {
            "kind": output.description,
            "source": output.source.name,
            "output": output.output.name,
            "loss": output.loss.name,
            "local": output.local_derivative.name,
            "description": output.description,
        },
    }


def embed(document: dict[str, Any]) -> str:
    """The document as JSON that may stand in a script element."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _tensors(steps: Iterable[Recorded]) -> list[dict[str, Any]]:
    """In their order; numbers that stand in an earlier one already (F's are those of P) are named, not repeated."""
    seen: dict[bytes, str] = {}
    return [_tensor(step, seen.setdefault(step.value.tobytes(), step.name)) for step in steps]


def _tensor(step: Recorded, like: str) -> dict[str, Any]:
    tensor = step.tensor
    return {
        "name": step.name,
        "role": tensor.role,
        "kind": tensor.kind,
        "axes": tensor.axes,
        "shape": tensor.shape,
        "block": tensor.block,
        "fraction": [part.name for part in tensor.fraction] if tensor.fraction else None,
        "formula": mathml(step.name, step.formula),
        "values": _encode(step.value) if like == step.name else like,
    }


def _step(step: Step) -> dict[str, Any]:
    derivative = step.local_derivative
    return {
        "kind": step.kind,
        "options": _options(step),
        "source": step.source.name,
        "output": step.output.name,
        "parameters": [tensor.name for tensor in step.parameters],
        "local": derivative.tensor.name if derivative else None,
        "description": step.description,
    }


def _options(step: Step) -> dict[str, Any]:
    """The numbers of a step, as pool and padding; those that it keeps together lie beside the others."""
    options: dict[str, Any] = {}
    for field in fields(step):
        if field.name not in READ:
            value = getattr(step, field.name)
            together = is_dataclass(value) and not isinstance(value, type)
            options |= asdict(value) if together else {field.name: value}
    return options


def _encode(values: Array) -> list[float | int | str] | dict[str, str]:
    """The numbers as JSON writes them, or their bytes where those are shorter."""
    numbers = _numbers(values)
    if len(json.dumps(numbers, separators=(",", ":"))) <= values.size * BYTES_AS_TEXT:
        return numbers
    return {"float64": b64encode(values.astype("<f8").tobytes()).decode()}


def _numbers(values: Array) -> list[float | int | str]:
    """Row by row, each in the fewest digits that are exact; JSON has no word for what is no finite number."""
    return [_number(value) for value in values.ravel().tolist()]


def _number(value: float) -> float | int | str:
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    whole = int(value)
    return whole if whole == value and (value or str(value) == "0.0") and abs(whole) < 1e15 else value
