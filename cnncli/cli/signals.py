"""SIGTERM as an exception, and signals that are not lost."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from cnncli.errors import Stopped

AGAIN = 0.01  # seconds after which a lost signal comes again


def stop_at_sigterm() -> None:
    """From now on SIGTERM raises Stopped."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Stopped("stopped by SIGTERM", 143)


@contextmanager
def send_lost_signals_again() -> Iterator[None]:
    """Python drops what is raised in some places (the callback of a weak reference), a signal's exception too."""
    before = sys.unraisablehook
    in_hook = False  # where what is raised is lost once more

    def send(number: int) -> None:
        time.sleep(AGAIN)
        while in_hook:
            time.sleep(AGAIN)
        os.kill(os.getpid(), number)

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        nonlocal in_hook
        if isinstance(lost.exc_value, Stopped | KeyboardInterrupt):
            number = signal.SIGTERM if isinstance(lost.exc_value, Stopped) else signal.SIGINT
            in_hook = True
            try:
                threading.Thread(target=send, args=[number]).start()
            finally:
                in_hook = False  # the last thing: Python handles no signal between here and the return
        else:
            before(lost)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
