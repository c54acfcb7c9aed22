"""Where a signal stops the program: at once, or at the next safe point of work that must not be cut in two.

Who turns signals into `Stopped` is the command line; as a library Python's own KeyboardInterrupt is left alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from cnncli.errors import Stopped

_blocks = 0  # how many `deferred` blocks are being run
_pending: Stopped | None = None


def stop(reason: Stopped) -> None:
    """Raise `reason`; only the first within `deferred` is kept for the next safe point."""
    global _pending
    if _blocks and _pending is None:
        _pending = reason
        return
    raise reason


def pending() -> Stopped | None:
    """What waits to be raised at the next safe point."""
    return _pending


@contextmanager
def deferred() -> Iterator[None]:
    """Within the block a first signal only becomes `pending`, and a second one raises at once.

    What is pending at the end of the outermost block is raised there, so that no signal is lost.
    """
    global _blocks, _pending
    _blocks += 1
    try:
        yield
    finally:
        _blocks -= 1
        reason = None
        if not _blocks:
            reason, _pending = _pending, None
    if reason is not None:
        raise reason
