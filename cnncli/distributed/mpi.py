"""The communicator of MPI. Importing this module starts MPI, so nothing does that is not about to compute with others.

Every exchange begins with a meeting, in which each rank tells in a few numbers how it is. A rank that has failed comes
to the next meeting, whichever that is, with its sentence, so that all ranks end together and orderly. One that was
killed comes to none: then the program that started the ranks (mpiexec, srun) ends the others.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NoReturn, TypeVar

import mpi4py
import numpy as np

mpi4py.rc.thread_level = "funneled"  # the main thread alone talks to the others
from mpi4py import MPI  # noqa: E402

from cnncli import stopping  # noqa: E402
from cnncli.cores import limit_cores, usable_cores  # noqa: E402
from cnncli.distributed.communicator import Communicator, Part, Step, count_correct  # noqa: E402
from cnncli.distributed.sums import Sums, make_sums  # noqa: E402
from cnncli.distributed.waiting import wait  # noqa: E402
from cnncli.errors import CnncliError, Stopped  # noqa: E402
from cnncli.network.arrays import Array, Parameters  # noqa: E402
from cnncli.network.engine import MOST_LANES, Engine, add_in_order  # noqa: E402

LINGER = 5.0  # seconds that a failed rank waits for the others to meet; after them it ends the job
FAILED, STOPPED, CORRECT, LOSSES = 0, 1, 2, 3  # what the numbers of a meeting are; the losses are those of all lanes

T = TypeVar("T")


class RankFailed(CnncliError):
    """Some rank has failed, and all have agreed on how to end."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.exit_code = code


class Mpi(Communicator):
    """The ranks that mpiexec, or a cluster's own program, has started."""

    def __init__(self) -> None:
        self._comm = MPI.COMM_WORLD
        self.rank, self.size = self._comm.rank, self._comm.size
        self._own, self._all = np.zeros(LOSSES + MOST_LANES), np.zeros((self.size, LOSSES + MOST_LANES))
        self._stop: Stopped | None = None
        self._end: RankFailed | None = None
        self._sums: tuple[Engine, Sums] | None = None
        self._divide_cores()

    @property
    def host(self) -> str:
        """The name of the machine."""
        name: str = MPI.Get_processor_name()
        return name

    def gather(self, value: T) -> list[T]:
        """The values of all ranks, in their order."""
        with stopping.deferred():
            self._meet()
            with self._exchange():
                values: list[T] = self._comm.allgather(value)
            return values

    def add_up(self, engine: Engine, parameters: Parameters, part: Part, smoothing: float) -> Step:
        """The sum over the lanes of a batch, in their order, of which each rank brings its own."""
        X, y, weights, bounds, m = part
        of_all, own = self._sums_for(engine, parameters), self.share(MOST_LANES)
        sums = engine.lane_sums(
            parameters, X, y, m=m, bounds=bounds, smoothing=smoothing, weights=weights, into=of_all.own
        )
        with stopping.deferred():
            self._own[LOSSES + own.start : LOSSES + own.stop] = sums.losses
            told = self._meet(correct=count_correct(engine, sums.logits, y))
            losses = told[:, LOSSES:].sum(axis=0)  # a lane has one owner: all others tell 0
            with self._exchange():
                gradients = of_all.add(engine, sums)
            return Step(float(add_in_order(losses)), gradients, int(told[:, CORRECT].sum()))

    def pending(self) -> Stopped | None:
        """What the ranks agreed on when they last met: the signal that any of them got."""
        return self._stop

    def conclude(self, sentence: str | None, code: int) -> tuple[str | None, int]:
        """Meet once more; where a rank has failed, its sentence and code are everybody's, and rank 0 prints them."""
        try:
            if self._end is None:
                self._meet(failure=(sentence, code) if sentence is not None else None)
        except RankFailed:
            pass
        if self._end is not None:
            sentence, code = self._end.message, self._end.exit_code
        return (sentence if self.leads else None), code

    def _meet(self, *, correct: int = 0, failure: tuple[str, int] | None = None) -> Array:
        """What all ranks tell: (size, 3 + lanes). Raises RankFailed where one has failed."""
        own, reason = self._own, stopping.pending()
        own[:LOSSES] = failure is not None, reason.exit_code if reason else 0, correct
        wait(self._comm.Iallgather(own, self._all), nap=True, look=partial(self._look, failure))
        own[:] = 0
        if self._all[:, FAILED].any():
            self._end = _choose_failure(self._comm.allgather(failure and (self.host, *failure)))
            raise self._end
        if self._stop is None and (code := int(self._all[:, STOPPED].max())):
            self._stop = Stopped(f"stopped by {signal.Signals(code - 128).name}", code)
        return self._all

    def _sums_for(self, engine: Engine, parameters: Parameters) -> Sums:
        """Those of the network that is trained."""
        if self._sums is None or self._sums[0] is not engine:
            with stopping.deferred():
                self._meet()
                with self._exchange():
                    if self._sums is not None:
                        self._sums[1].free()
                    lanes = [self.share(MOST_LANES, rank) for rank in range(self.size)]
                    self._sums = engine, make_sums(self._comm, lanes, engine, parameters)
        return self._sums[1]

    def _look(self, failure: tuple[str, int] | None, waited: float) -> None:
        """While the others come: with a failure they have only so long, and then the job ends at once."""
        if failure is not None and waited > LINGER:
            self._abort(*failure)

    @contextmanager
    def _exchange(self) -> Iterator[None]:
        """Numbers move: a rank that fails now cannot come to a meeting, where the others are not; it ends the job."""
        try:
            yield
        except BaseException as error:  # noqa: BLE001  a signal too
            self._abort(str(error) or type(error).__name__, error.exit_code if isinstance(error, Stopped) else 1)

    def _abort(self, sentence: str, code: int) -> NoReturn:
        os.write(2, f"Error: {_tell(self.rank, self.host, sentence)}\n".encode(errors="backslashreplace"))
        self._comm.Abort(code)
        os._exit(code)

    def _divide_cores(self) -> None:
        """Take this rank's part of the processor cores, for good: the ranks of a host that share some divide them.

        Left to the system, two ranks that wait for each other often find themselves on one core.
        """
        places = self._comm.allgather((self.host, usable_cores()))
        self.beside = sum(host == self.host for host, _ in places)
        sharing = [rank for rank, place in enumerate(places) if place == places[self.rank]]
        cores, place = sorted(usable_cores()), sharing.index(self.rank)
        first, last = (len(cores) * number // len(sharing) for number in (place, place + 1))
        limit_cores(cores[first:last] if len(cores) >= len(sharing) else [])


def _choose_failure(told: list[tuple[str, str, int] | None]) -> RankFailed:
    """The failure that a person is told: what all have alike as it is, else the first rank's, with rank and host."""
    rank, (host, sentence, code) = next((rank, each) for rank, each in enumerate(told) if each is not None)
    if rank == 0:
        return RankFailed(sentence, code)
    return RankFailed(_tell(rank, host, sentence), code)


def _tell(rank: int, host: str, sentence: str) -> str:
    return f"rank {rank} on {host}: {sentence}"
