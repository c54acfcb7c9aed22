"""Reading a file whole, without waiting for a pipe and without filling the memory."""

import os
import stat
from pathlib import Path

from cnncli.errors import DataError


def require_regular_file(path: Path, most: int) -> None:
    """Raise DataError where there is no regular file of at most `most` bytes; a link is followed."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise DataError(f"{path} cannot be read ({_reason(error)})") from None
    _require_regular(path, status, most)


def read_regular_file(path: Path, most: int) -> bytes:
    """The bytes of a regular file, at most `most`. Raises DataError for whatever else there is, before it is opened."""
    require_regular_file(path, most)
    try:
        # A pipe that has taken the file's place meanwhile must not block either.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            _require_regular(path, status, most)
            return file.read(status.st_size)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({_reason(error)})") from None


def _require_regular(path: Path, status: os.stat_result, most: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{path} is a folder: name a file")
    if not stat.S_ISREG(status.st_mode):  # a pipe or a device would never end
        raise DataError(f"{path} is not a regular file: name one")
    if status.st_size > most:
        raise DataError(f"{path} is larger than the {most / 2**20:,.0f} MB that are read: name a smaller file")


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
