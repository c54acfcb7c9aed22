"""How a rank waits for the others: the next instruction may be a few microseconds away, or minutes."""

import os
import time
from collections.abc import Callable
from functools import partial

from mpi4py import MPI

from cnncli.cores import owns_cores

SPIN = 3e-4  # seconds without giving way; whoever gets the core in between keeps it for milliseconds
PATIENCE = 1e-3  # seconds in which a rank that waits looks again and again
NAP = 5e-5  # seconds between two looks after that

give_way: Callable[[], None] = getattr(os, "sched_yield", partial(time.sleep, 0))  # Windows has no such call


def wait(request: MPI.Request, *, nap: bool = False, look: Callable[[float], None] = lambda _waited: None) -> None:
    """Until numbers are exchanged; `look` is told the seconds so far.

    Ranks that share a core give way to each other at once. They sleep only where it may take long: a rank whose numbers
    are on their way has to move them.
    """
    start, spin = time.monotonic(), SPIN if owns_cores() else 0.0
    while not request.Test():
        waited = time.monotonic() - start
        look(waited)
        if nap and waited > PATIENCE:
            time.sleep(NAP)
        elif waited > spin:
            give_way()
