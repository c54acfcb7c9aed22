"""Linux' Landlock, by which a process gives up rights of its own for good."""

import sys

PR_SET_NO_NEW_PRIVS = 38
CREATE_RULESET, RESTRICT_SELF = 444, 446  # the numbers of the system calls, on every processor
VERSION = 1  # the flag that asks for it
READING = 1 << 2 | 1 << 3  # files and directories: the only rights of the file system that are kept
FILES = ((1, 13), (2, 14), (3, 15), (5, 16))  # from which version on it knows so many rights of the file system
TCP, SCOPES = 0b11, 0b11  # bind and connect; sockets and signals of other processes
TCP_SINCE, SCOPES_SINCE = 4, 6


def restrict_process() -> bool:
    """From now on this thread and what it starts may change no file, run no program, connect to nothing, signal nobody.

    As far as the kernel knows how; False where it does not at all.
    """
    if sys.platform != "linux":
        return False
    import ctypes  # only a child needs it

    libc = ctypes.CDLL(None)
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)
    if version < 1:
        return False
    rights = max(count for since, count in FILES if version >= since)
    refused = (
        (1 << rights) - 1 & ~READING,
        TCP if version >= TCP_SINCE else 0,
        SCOPES if version >= SCOPES_SINCE else 0,
    )
    attributes = (ctypes.c_uint64 * len(refused))(*refused)
    ruleset = libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(ctypes.sizeof(attributes)), 0)
    if ruleset < 0 or libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return bool(libc.syscall(RESTRICT_SELF, ruleset, 0) == 0)
