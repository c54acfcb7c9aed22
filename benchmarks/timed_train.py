"""`cnncli train`, which also writes what its steps take.

    python -m benchmarks.timed_train FILE train DATA …

The file gets the lower quartile in seconds, which other programs on the machine disturb least.
"""

import sys
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from cnncli.cli import main
from cnncli.distributed.launch import world
from cnncli.training.loop import Loop

take, times = Loop._take_step, []


def timed(*arguments: Any) -> float:
    """A step."""
    start = time.perf_counter()
    loss = take(*arguments)
    times.append(time.perf_counter() - start)
    return loss


if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    Loop._take_step = timed  # type: ignore[method-assign]
    try:
        main()
    finally:
        if world().leads:
            file.write_text(str(quantiles(times)[0]))
