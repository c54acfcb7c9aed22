"""A trace as plain arrays and rows: NPZ and CSV, at full precision."""

import csv
import io

import numpy as np

from cnncli.tracing.trace import Trace


def trace_npz(trace: Trace) -> bytes:
    """Every array under its name, with / written as _: "dL_dw1"."""
    buffer = io.BytesIO()
    np.savez(buffer, **{step.name.replace("/", "_"): step.value for step in trace.steps})  # type: ignore[arg-type]
    return buffer.getvalue()


def trace_csv(trace: Trace) -> str:
    """One row for each number: the tensor's name, its kind, the index ("0,1,2") and the value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["name", "kind", "index", "value"])
    for step in trace.steps:
        for index, value in np.ndenumerate(step.value):
            writer.writerow([step.name, step.kind, ",".join(map(str, index)), repr(value.item())])
    return buffer.getvalue()
