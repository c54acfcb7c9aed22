"""Signals that stop the program: one sentence and exit code 130, 143 or 129, whatever it is doing.

Three phases. While the program starts there is nothing to clean up, and what a signal raises would end up in the middle
of an import: it exits on the spot. While the command runs a signal raises Stopped, which cleans up on its way. Once the
command has ended, signals are ignored: its answer stands.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from cnncli import stopping
from cnncli.errors import Stopped

AGAIN = 0.01  # seconds after which a lost signal comes again
CLEANING = 1.0  # seconds in which further signals do not disturb the cleaning up; after them they end the program
LOST = 5.0  # seconds after which what was raised comes again if it has not reached the end: others swallowed it
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")

SHOW_CURSOR = "\x1b[?25h"  # that a progress bar hides

Handler = Callable[[int, FrameType | None], None]

_raised: tuple[Stopped, float] | None = None  # the last one that was raised, and when


def stop_on_the_spot() -> None:
    """The first phase: a signal writes its sentence and exits."""
    _handle(_exit)


@contextmanager
def stop_cleanly() -> Iterator[None]:
    """The second phase, and after it the third. Raises Stopped, whatever others made of it on its way."""
    global _raised
    _raised = None
    before, sys.unraisablehook = sys.unraisablehook, _send_again(sys.unraisablehook)
    try:
        _handle(_stop)
        yield
    except Stopped:
        raise
    except BaseException:
        if _raised is None:
            raise
        raise _raised[0] from None  # a library took it for a failure of its own
    finally:
        _raise_again_after(0)
        _handle(signal.SIG_IGN)
        sys.unraisablehook = before


def _handle(handler: Handler | signal.Handlers) -> None:
    """From now on `handler` gets every stopping signal, but those that the caller of the program has ignored."""
    for name in NAMES:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background
            signal.signal(number, handler)


def _exit(number: int, _frame: FrameType | None) -> None:
    reason = _reason(number)
    try:
        os.write(2, f"{SHOW_CURSOR if os.isatty(2) else ''}Error: {reason}\n".encode())
    finally:
        os._exit(reason.exit_code)


def _stop(number: int, frame: FrameType | None) -> None:
    """Raise Stopped, once: whoever is impatient presses Ctrl-C again and again."""
    global _raised
    if _raised is not None:
        if time.monotonic() > _raised[1] + CLEANING:
            _exit(number, frame)
        return
    try:
        stopping.stop(_reason(number))
    except Stopped as reason:
        _raised = reason, time.monotonic()
        _raise_again_after(LOST)
        raise


def _raise_again_after(seconds: float) -> None:
    """Have the last Stopped raised again, in the main thread and as often as it takes; never for 0."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _raise_again)
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def _raise_again(_number: int, _frame: FrameType | None) -> None:
    if _raised is not None:
        raise _raised[0]


def _reason(number: int) -> Stopped:
    return Stopped(f"stopped by {signal.Signals(number).name}", 128 + number)


def _send_again(before: Callable[["sys.UnraisableHookArgs"], object]) -> Callable[["sys.UnraisableHookArgs"], None]:
    """A hook for exceptions that Python drops (in the callback of a weak reference): a signal's comes again."""
    in_hook = False  # where what is raised is lost once more

    def send(number: int) -> None:
        global _raised
        time.sleep(AGAIN)
        while in_hook:
            time.sleep(AGAIN)
        _raised = None
        os.kill(os.getpid(), number)

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        nonlocal in_hook
        if isinstance(lost.exc_value, Stopped):
            in_hook = True
            try:
                threading.Thread(target=send, args=[lost.exc_value.exit_code - 128]).start()
            finally:
                in_hook = False  # the last thing: Python handles no signal between here and the return
        else:
            before(lost)

    return hook
