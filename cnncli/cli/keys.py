"""Single keys from the terminal: no Enter needed, and none is lost while the screen is drawn."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ENTER = ("\r", "\n")
ERASE = ("\x7f", "\b")
ESCAPE = "\x1b"
LEAVE = ("", ESCAPE, "\x04")  # the end of the input, and Ctrl-D
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


def read_line(prompt: str) -> str | None:
    """What is typed before Enter, shown as it is typed; None where the person leaves. Needs `single_keys`."""
    typed = ""
    _write(prompt)
    while (key := read_key()) not in ENTER:
        if key in LEAVE:
            return None
        if key in ERASE and typed:
            typed = typed[:-1]
            _write("\b \b")
        elif len(key) == 1 and key.isprintable():
            typed += key
            _write(key)
    return typed


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
