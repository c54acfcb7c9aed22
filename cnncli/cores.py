"""The processor cores."""

import os

_most: int | None = None
_owned = False


def available_cores() -> int:
    """How many this process may use."""
    return min(len(usable_cores()), _most or os.cpu_count() or 1)


def usable_cores() -> set[int]:
    """The numbers of those that the system lets this process run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def owns_cores() -> bool:
    """Whether `limit_cores` has given this process cores of its own."""
    return _owned


def limit_cores(cores: list[int]) -> None:
    """From now on run on these alone, where the system can keep to it; with none, on one of any."""
    global _most, _owned
    _most, _owned = max(len(cores), 1), bool(cores)
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
