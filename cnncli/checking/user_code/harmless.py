"""What keeps a version of somebody's code that nobody has read from changing anything outside of its process.

Writing, deleting, starting programs, connecting and signals to others are refused: by Python, and on Linux by the
kernel as well (Landlock, from 5.13 on), which sees what a library does in C. It is no sandbox: it keeps what went wrong
by accident from doing harm, not somebody who means it.
"""

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from cnncli.checking.user_code.landlock import restrict_process

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
REFUSED = (
    *("subprocess.", "shutil.", "socket.", "ctypes.", "os.", "pty.", "mmap.", "sqlite3.", "webbrowser."),
    *("fcntl.", "resource.prlimit", "syslog.", "winreg.", "_winapi."),
)
HARMLESS = {f"os.{name}" for name in ("listdir", "scandir", "walk", "getxattr", "listxattr", "putenv", "unsetenv")}
UNTOLD = {  # functions of which Python tells no hook
    "os": ("mkfifo", "mknod", "setpriority", "sched_setaffinity", "sched_setscheduler", "sched_setparam"),
    "signal": ("pidfd_send_signal",),
    "_posixsubprocess": ("fork_exec",),
    "_posixshmem": ("shm_open", "shm_unlink"),
}
MEMORY = 1 << 30  # bytes that a version may take beside what its process has


def refuse_effects() -> None:
    """From now on, whatever would change something outside of this process raises PermissionError."""
    sys.dont_write_bytecode = True
    for module, names in UNTOLD.items():
        with suppress(ImportError):
            for name in vars(import_module(module)).keys() & set(names):
                setattr(sys.modules[module], name, _refuse)
    restrict_process()
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
    if writes or (event.startswith(REFUSED) and event not in HARMLESS):
        raise PermissionError(event)


def _refuse(*_arguments: object, **_options: object) -> None:
    raise PermissionError


def limit_memory() -> None:
    """From now on this process may take so much more."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
