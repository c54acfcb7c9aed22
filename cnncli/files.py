"""Files that are either whole or not there: the one place that writes any.

A link is followed, and what it leads to is replaced; a pipe or a device is written to, for there is nothing to replace;
a file keeps its mode.
"""

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

LONGEST_NAME = 100  # bytes of a file's name that its temporary one repeats: the whole may be as long as a name can be
WAIT_FOR_READER = 10.0  # seconds, of a pipe


def write_atomically(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write beside `path`, bring it to the disk, and only then put it in its place.

    Without `replace` a file that is there already stays, even one that another program makes meanwhile. Raises OSError;
    FileExistsError for that.
    """
    status = _look_at(path)
    if status is not None and not stat.S_ISREG(status.st_mode):
        _pour_into(path, content, status.st_mode)
        return
    target = Path(os.path.realpath(path))
    if not replace:
        target.open("xb").close()  # nobody else can have it now
    try:
        _replace(target, content, 0o666 if status is None else stat.S_IMODE(status.st_mode), keep=status is not None)
    except BaseException:
        if not replace:
            target.unlink(missing_ok=True)
        raise


def is_replaceable(path: Path) -> bool:
    """Whether writing to this path would replace a file; a pipe or a device is only written to."""
    status = _look_at(path)
    return status is not None and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode))


def _look_at(path: Path) -> os.stat_result | None:
    """What a path leads to, through links; None where there is nothing. Raises OSError where nobody can tell."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _replace(target: Path, content: bytes, mode: int, *, keep: bool) -> None:
    """Write a file's successor in the same folder, and give it the place; `keep` the mode whatever the umask says."""
    short = os.fsdecode(os.fsencode(target.name)[:LONGEST_NAME])
    temporary = target.with_name(f".{short}.{os.getpid()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:  # noqa: PTH123
            if keep:
                temporary.chmod(mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _pour_into(path: Path, content: bytes, mode: int) -> None:
    """Write to a pipe or a device; for a pipe that nobody reads yet, wait a little."""
    if stat.S_ISDIR(mode) or stat.S_ISSOCK(mode):
        raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.ENXIO, "it is no file", str(path))
    deadline = time.monotonic() + (WAIT_FOR_READER if stat.S_ISFIFO(mode) else 0)
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | (os.O_NONBLOCK if stat.S_ISFIFO(mode) else 0))
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise OSError(errno.ENXIO, "nobody reads this pipe", str(path)) from None
            time.sleep(0.02)
    os.set_blocking(descriptor, True)
    with open(descriptor, "wb") as file:  # noqa: PTH123
        file.write(content)


def _sync_folder(folder: Path) -> None:
    """Bring the folder's new entry to the disk too; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    with suppress(PermissionError):  # a folder that may be written to, but not read
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
