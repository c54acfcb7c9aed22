"""A trace as NPZ: the arrays themselves."""

import io

import numpy as np

from cnncli.reports.look import Look
from cnncli.tracing.trace import Trace


def render(trace: Trace, _: Look) -> bytes:
    """Every array under its name, with / written as _: "dL_dw1"."""
    buffer = io.BytesIO()
    np.savez(buffer, **{step.name.replace("/", "_"): step.value for step in trace.steps})  # type: ignore[arg-type]
    return buffer.getvalue()
