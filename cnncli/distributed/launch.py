"""Whether this process was started alone or as one of many ranks."""

import os
import sys
from typing import TextIO

from cnncli.distributed.communicator import ALONE, Communicator
from cnncli.errors import UsageError

RANKS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")  # what MPICH, PMIx and Open MPI tell each process

_world: Communicator = ALONE
_muted: TextIO | None = None  # the stderr of a rank that is silent


def world() -> Communicator:
    """The ranks of this program: those that `join_world` found."""
    return _world


def speak() -> None:
    """Let this rank be heard on stderr, whichever it is."""
    if _muted is not None:
        sys.stderr = _muted


def join_world() -> Communicator:
    """Start MPI where this process was started as a rank; ranks other than 0 are silent from here on.

    Raises UsageError where MPI is not installed.
    """
    global _world, _muted
    if not any(os.environ.get(name) for name in RANKS):
        return ALONE
    try:
        from cnncli.distributed.mpi import Mpi  # only a rank pays for it
    except (ImportError, RuntimeError) as error:  # RuntimeError: mpi4py is there, and finds no library of MPI
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"this process is one of several ranks, but MPI cannot be started ({reason}): install cnncli[mpi]"
        ) from None
    _world = Mpi()
    if not _world.leads:
        _muted = sys.stderr
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    return _world
