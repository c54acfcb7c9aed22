"""A trace as CSV: one row for each number, at full precision."""

import csv
import io

import numpy as np

from cnncli.reports.look import Look
from cnncli.tracing.trace import Trace


def render(trace: Trace, _: Look) -> str:
    """The tensor's name, its kind, the index ("0,1,2") and the value of every number."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["name", "kind", "index", "value"])
    for step in trace.steps:
        for index, value in np.ndenumerate(step.value):
            writer.writerow([step.name, step.kind, ",".join(map(str, index)), repr(value.item())])
    return buffer.getvalue()
