"""Single keys from the terminal: no Enter needed, and none is lost while the screen is drawn."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ESCAPE = "\x1b"
LETTER_AFTER_ESCAPE = 0.05  # seconds in which the rest of an arrow key comes

if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def single_keys() -> Iterator[None]:
        """Windows hands out single keys at any time."""
        yield

    def read_key() -> str:
        """The next key; an arrow is two characters, as Windows sends it."""
        key = msvcrt.getwch()
        return key + msvcrt.getwch() if key in "\x00à" else key

else:
    import termios
    import tty

    @contextmanager
    def single_keys() -> Iterator[None]:
        """A terminal that hands out every key at once and shows none, until the block ends."""
        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin, termios.TCSADRAIN)
        try:
            yield
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    def read_key() -> str:
        """The next key; an arrow is three characters. "" at the end of the input."""
        key = os.read(sys.stdin.fileno(), 1).decode(errors="replace")
        if key == ESCAPE and select.select([sys.stdin], [], [], LETTER_AFTER_ESCAPE)[0]:
            key += os.read(sys.stdin.fileno(), 2).decode(errors="replace")
        return key
