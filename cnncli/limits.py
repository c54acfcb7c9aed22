"""The limits that a caller sets for this process (ulimit). Imports nothing of ours, and no NumPy."""

import os
from contextlib import suppress
from pathlib import Path


def addresses_left() -> int | None:
    """The bytes that are left of the limit of this process's addresses (ulimit -v); None where there is no limit."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
            return soft - used
    return None
