"""A trace for people, one table per step, and for other programs."""

from dataclasses import asdict
from typing import Any

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from cnncli.inspection.trace import Trace
from cnncli.network.arrays import Array
from cnncli.network.record import Step
from cnncli.reports.console import stdout
from cnncli.reports.grids import grid, number_writer
from cnncli.text import printable

HEADINGS = {
    "input": "the input",
    "parameter": "the parameters",
    "forward": "forward",
    "gradient": "backward: the derivatives, in the order in which they are taken",
}
FACTS = 16  # the width of the column beside the numbers: the shape, and the statistics of what is cut


def trace_document(trace: Trace) -> dict[str, Any]:
    """The trace as JSON: values at full precision, without the batch axis, in the order of computation."""
    subject = trace.subject
    return {
        "image": subject.images[0],
        "label": subject.classes[subject.y[0]],
        "classes": subject.classes,
        "architecture": asdict(subject.architecture),
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


def print_trace(trace: Trace, *, full: bool) -> None:
    """A header, then a table for each step: its formula, its shape and its values."""
    console = stdout()
    console.print(_header(trace), soft_wrap=True)
    width = console.width - FACTS - 4
    kind = None
    for step in trace.steps:
        if step.kind != kind:
            console.print(Text(f"── {HEADINGS[step.kind]} ──\n", "bold"))
            kind = step.kind
        table = step_table(step, width, full=full)
        if full:
            natural = console.measure(table, options=console.options.update(max_width=1_000_000)).maximum
            console.width = max(console.width, natural)
        console.print(table)


def step_table(step: Step, width: int, *, full: bool) -> Table:
    """One step: the formula over the values, the shape over the statistics of what is cut."""
    values, cut = grid(step.value, width, full=full)
    head = Text(step.name, "bold").append(f" = {step.formula}" if step.formula else "", "not bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(head, no_wrap=full, min_width=width)
    table.add_column(Text(_shape(step.value.shape), "not bold"), no_wrap=True, min_width=FACTS)
    table.add_row(values, _statistics(step.value) if cut else "")
    table.add_row("", "")
    return table


def _header(trace: Trace) -> str:
    subject = trace.subject
    answer = max(trace.probabilities, key=lambda name: trace.probabilities[name])
    return (
        f"image       {printable(subject.images[0])}\n"
        f"weights     {printable(subject.origin)}\n"
        f"true class  {subject.classes[subject.y[0]]} (y = {subject.y[0]}); one image: m = 1\n"
        f"the network says {answer} with probability {trace.probabilities[answer]:.4f}\n"
    )


def _shape(shape: tuple[int, ...]) -> str:
    return "scalar" if shape == () else str(shape)


def _statistics(values: Array) -> str:
    write = number_writer(np.array([values.mean(), values.max(), values.min()]))
    return "\n".join(
        f"{name:<4}{write(float(number)):>12}"
        for name, number in (
            ("min", values.min()),
            ("max", values.max()),
            ("mean", values.mean()),
            ("norm", np.linalg.norm(values)),
        )
    )
