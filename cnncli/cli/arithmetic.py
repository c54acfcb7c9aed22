"""How the numbers of a trace or a check are computed: by one BLAS thread, and without warnings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def calm_arithmetic() -> Iterator[None]:
    """For commands whose products are small, and whose numbers may be anything: what is not finite is shown as such.

    Threads would only wait for each other: without them a trace takes 15 % less time, and on a busy machine a check
    90 %. That is settled before NumPy is loaded: afterwards it is too late.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import numpy as np

    with np.errstate(all="ignore"):
        yield
