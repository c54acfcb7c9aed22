"""How the sums of all lanes, of which each rank has its own, become one: by memory that ranks share, or by messages.

Either way each rank adds up one piece of the numbers, over all lanes in their order, and all get all pieces.
"""

import os
from abc import ABC, abstractmethod
from contextlib import suppress

import numpy as np
from mpi4py import MPI

from cnncli.distributed.waiting import wait
from cnncli.network.arrays import Array, Parameters
from cnncli.network.engine import MOST_LANES, Engine, LaneSums, add_in_order, join_numbers, name_numbers

SHARED_MEMORY = "/dev/shm"  # noqa: S108  where Linux keeps what processes share, which may have an end
CACHE_LINE = 16  # numbers; two ranks never write to the same one


class Sums(ABC):
    """The sums of a batch; all ranks make the same calls."""

    own: Array | None = None  # (own lanes, numbers), where the engine may write this rank's

    @abstractmethod
    def add(self, engine: Engine, sums: LaneSums) -> Parameters:
        """The sums over all lanes, those of this rank among them."""

    @abstractmethod
    def free(self) -> None:
        """Give back what the ranks share."""


class SharedSums(Sums):
    """Of ranks on one machine with the same engine: a window of memory, into which each writes its lanes."""

    def __init__(self, comm: MPI.Intracomm, lanes: list[range], numbers: int, dtype: np.dtype) -> None:
        self._comm, width = comm, round_up(numbers)
        self._window = MPI.Win.Allocate_shared(
            (MOST_LANES + 1) * width * dtype.itemsize if comm.rank == 0 else 0, dtype.itemsize, comm=comm
        )
        self._window.Lock_all()
        memory, _ = self._window.Shared_query(0)
        rows = np.asarray(memory).view(dtype).reshape(MOST_LANES + 1, width)
        own = lanes[comm.rank]
        self.own = rows[own.start : own.stop, :numbers] if width == numbers else None
        piece = round_up(-(-numbers // comm.size))
        self._lanes, self._total = rows[:MOST_LANES, :numbers], rows[MOST_LANES, :numbers]
        self._rows = self._lanes[own.start : own.stop]
        self._piece = slice(piece * comm.rank, piece * (comm.rank + 1))

    def add(self, engine: Engine, sums: LaneSums) -> Parameters:
        """The lanes are there once all ranks have come, and so are the pieces. The parameters are copies."""
        if sums.numbers is not self.own:
            self._rows[:] = sums.numbers
        self._come_together()
        self._total[self._piece] = add_in_order(self._lanes[:, self._piece])
        self._come_together()
        return engine.name_sums(self._total.copy())

    def free(self) -> None:
        """The memory is nobody's any more, `own` neither."""
        self._window.Unlock_all()
        self._window.Free()

    def _come_together(self) -> None:
        """What any rank has written before is seen by all after it."""
        self._window.Sync()
        wait(self._comm.Ibarrier())
        self._window.Sync()


class SentSums(Sums):
    """Of ranks on several machines: in the order of the parameters, for their engines may have different ones."""

    def __init__(self, comm: MPI.Comm, lanes: list[range], shapes: dict[str, tuple[int, ...]], dtype: np.dtype) -> None:
        self._comm, self._shapes, size = comm, shapes, comm.size
        self._numbers = sum(int(np.prod(shape)) for shape in shapes.values())
        self._of_rank = [len(of_rank) for of_rank in lanes]
        self._piece = -(-self._numbers // size)
        self._sent = np.zeros((size, self._of_rank[comm.rank], self._piece), dtype)
        self._received = np.empty((MOST_LANES, self._piece), dtype)
        self._total = np.empty(size * self._piece, dtype)

    def add(self, engine: Engine, sums: LaneSums) -> Parameters:
        """Each rank gets its piece of all lanes, and then all pieces added up."""
        lanes, piece = join_numbers(engine.name_sums(sums.numbers), self._shapes, axes=1), self._piece
        for rank, to_rank in enumerate(self._sent):
            part = lanes[:, piece * rank : piece * (rank + 1)]  # (own lanes, numbers)
            to_rank[:, : part.shape[1]] = part
        sizes = [to_rank.size for to_rank in self._sent], [count * piece for count in self._of_rank]
        wait(self._comm.Ialltoallv([self._sent, sizes[0]], [self._received, sizes[1]]))
        wait(self._comm.Iallgather(add_in_order(self._received), self._total))
        return name_numbers(self._total[: self._numbers].copy(), self._shapes)

    def free(self) -> None:
        """They share nothing."""


def make_sums(comm: MPI.Intracomm, lanes: list[range], engine: Engine, parameters: Parameters) -> Sums:
    """Shared ones where all ranks are on one machine that has room for them; `lanes` are those of each rank."""
    dtype = np.result_type(*parameters.values())
    host = comm.Split_type(MPI.COMM_TYPE_SHARED)
    together = host.size == comm.size
    host.Free()
    told = comm.allgather((engine.description, engine.numbers, _has_room(engine.numbers * dtype.itemsize)))
    if together and all(each == (engine.description, engine.numbers, True) for each in told):
        return SharedSums(comm, lanes, engine.numbers, dtype)
    return SentSums(comm, lanes, {name: value.shape for name, value in parameters.items()}, dtype)


def round_up(numbers: int) -> int:
    """To whole cache lines."""
    return -(-numbers // CACHE_LINE) * CACHE_LINE


def _has_room(lane: int) -> bool:
    """Whether shared memory has room for twice so many bytes a lane: where it has none, a write kills the process."""
    with suppress(AttributeError, OSError):
        free = os.statvfs(SHARED_MEMORY)
        return 2 * (MOST_LANES + 1) * lane < free.f_bavail * free.f_frsize
    return True
