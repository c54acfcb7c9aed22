"""`cnncli train`, which also writes what its steps take.

    python -m benchmarks.timed_train FILE train DATA …

The file gets the lower quartile in seconds, over spans of steps, which other programs disturb least.
"""

import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

from cnncli.cli import main
from cnncli.distributed.launch import world
from cnncli.training.loop import Loop

SPAN = 50  # steps; images are prepared for some of them at a time
take, ends = Loop._take_step, []


def timed(*arguments: Any) -> float:
    """A step."""
    loss = take(*arguments)
    ends.append(time.perf_counter())
    return loss


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    Loop._take_step = timed  # type: ignore[assignment]
    try:
        main()
    finally:
        if world().leads:
            file.write_text(str(quantiles(after - before for before, after in pairwise(ends[::SPAN]))[0] / SPAN))
