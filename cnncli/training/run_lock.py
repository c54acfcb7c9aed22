"""The lock of a run folder while it is written, so that two trainings never mix."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cnncli.errors import DataError, UsageError
from cnncli.training.run_folder import SETTINGS, choose_place, is_run


@contextmanager
def claim_run_folder(out: Path | None, data: Path, *, replace: bool) -> Iterator[Path]:
    """The folder of a run, made and locked within the block: `out`, or the first free one of runs/NAME, runs/NAME-2, ….

    With `replace` it may exist. A folder that was made here goes again at the end if there is no more in it than its
    empty settings. Raises UsageError where another training holds it, and DataError where it cannot be made.
    """
    while True:
        path = choose_place(out, data, replace)
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        lock = _make_and_lock(path, exist_ok=replace and out is not None)
        if lock is not None:
            break
        if out is not None:
            raise UsageError(f"{path} is being written by another training: name another folder", argument="out")
    try:
        yield path
    finally:
        if path in missing and is_run(path) and not (path / SETTINGS).stat().st_size:
            (path / SETTINGS).unlink()
        for folder in missing:
            try:
                folder.rmdir()
            except OSError:  # something is in it
                break
        os.close(lock)


def _make_and_lock(path: Path, *, exist_ok: bool) -> int | None:
    """A descriptor that holds the lock until it is closed or the process ends; None where somebody else has it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # of the folder alone: a parent that exists and is no folder is nobody's run
            path.mkdir(exist_ok=exist_ok)
            return _lock(path)
    except OSError as error:
        reason = f"{path.parent} is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise DataError(f"{path} cannot be written ({reason}): name another folder", remedy="out") from None
    return None


if sys.platform == "win32":

    def _lock(_path: Path) -> int | None:
        """Windows locks no folder: there the making of the settings' file alone keeps new runs apart."""
        return os.open(os.devnull, os.O_RDONLY)

else:
    import fcntl

    def _lock(path: Path) -> int | None:
        """The folder's own lock: no file is left over, and the system takes it back however the process ends."""
        folder = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(folder)
            return None
        except OSError:  # a file system without locks: some of a network
            return folder
        if not path.exists() or not os.path.samestat(os.fstat(folder), path.stat()):  # it went meanwhile, empty
            os.close(folder)
            return None
        return folder
