"""The processor cores."""

import os

_limit: int | None = None


def available_cores() -> int:
    """How many this process may use."""
    return min(len(usable_cores()), _limit or os.cpu_count() or 1)


def usable_cores() -> set[int]:
    """The numbers of those that the system lets this process run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def limit_cores(most: int) -> None:
    """From now on use no more: the rest is for others."""
    global _limit
    _limit = most
