"""What keeps a version of somebody's code that nobody has read from changing anything outside of its process.

Writing, deleting, starting programs and connecting are refused. It is no sandbox: it keeps what went wrong by accident
from doing harm, not somebody who means it.
"""

import os
import sys
from contextlib import suppress
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
REFUSED = ("subprocess.", "shutil.", "socket.", "ctypes.", "os.", "pty.", "mmap.", "sqlite3.", "webbrowser.")
HARMLESS = {f"os.{name}" for name in ("listdir", "scandir", "walk", "getxattr", "listxattr", "putenv", "unsetenv")}
MEMORY = 1 << 30  # bytes that a version may take beside what its process has


def refuse_effects() -> None:
    """From now on, whatever would change something outside of this process raises PermissionError."""
    sys.dont_write_bytecode = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        if writes or (event.startswith(REFUSED) and event not in HARMLESS):
            raise PermissionError(event)

    sys.addaudithook(watch)


def limit_memory() -> None:
    """From now on this process may take so much more."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
