"""Helper processes, which share a batch with the process that was started.

Processes and not threads: Python lets one thread at a time go from one NumPy call to the next, and the calls are so
short, 5 to 100 µs, that two threads spend their time waiting for each other (docs/performance.md).
"""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from cnncli.network.architecture import Architecture
from cnncli.network.fused.board import Board, Worker

AWAKE = 1e-3  # seconds
READY = b"."  # what a helper says when it has started, and after each task


class Team:
    """Helpers, and the board with room for m images that they share with this process; they are `ready` after a while.

    A helper ends with this process, or when nothing refers to the team any more.
    """

    def __init__(self, architecture: Architecture, m: int, helpers: int) -> None:
        context = get_context("spawn")  # not forked, for there may be threads
        memory = context.RawArray("b", Board.size(architecture, m))
        self.board = Board(architecture, m, memory)
        self._helpers: list[Connection] = []
        self._processes: list[BaseProcess] = []
        self._asked: list[tuple[Connection, range]] = []
        self._ready = 0
        for _ in range(helpers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_help, args=(architecture, m, memory, theirs), daemon=True)
            with _hold_back_signals():
                process.start()
            theirs.close()
            self._helpers.append(ours)
            self._processes.append(process)

    @property
    def ready(self) -> bool:
        """Whether all helpers have started; raises EOFError where one has ended instead."""
        while self._ready < len(self._helpers) and self._helpers[self._ready].poll():
            self._helpers[self._ready].recv_bytes()
            self._ready += 1
        return self._ready == len(self._helpers)

    def ask(self, m: int, lanes: Sequence[range], *, gradients: bool) -> None:
        """Have each helper work on its lanes of the m images on the board."""
        self._asked = list(zip(self._helpers, lanes, strict=False))
        for helper, of_helper in self._asked:
            with suppress(OSError):  # it has ended: `undone` will tell
                helper.send_bytes(np.array([m, of_helper.start, of_helper.stop, gradients], np.int64).data)

    def undone(self) -> list[range]:
        """Wait for the answers: the lanes of the helpers that have ended instead."""
        undone = []
        for helper, lanes in self._asked:
            try:
                _receive(helper)
            except (EOFError, OSError):
                undone.append(lanes)
        return undone

    def stop(self) -> None:
        """End the helpers at once, whatever they are doing; after that nobody writes on the board."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()


def _receive(connection: Connection) -> bytes:
    """The next message; whoever waits polls for a while before sleeping, because waking a process costs 50 µs."""
    end = time.perf_counter() + AWAKE
    while not connection.poll() and time.perf_counter() < end:
        pass
    return connection.recv_bytes()


@contextmanager
def _hold_back_signals() -> Iterator[None]:
    """While a helper starts: a signal that stops this process waits, and Ctrl-C never reaches the helper.

    A parent that is stopped half-way leaves a helper that complains. And Ctrl-C reaches every process of a terminal, of
    which the one that the person started answers for all.
    """
    came: list[int] = []
    main = threading.current_thread() is threading.main_thread()  # where Python handles signals
    stopping = (signal.SIGINT, signal.SIGTERM) if main else ()
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in stopping}
    masks = hasattr(signal, "pthread_sigmask")  # not on Windows, where `_help` does what can be done
    if masks:
        resource_tracker.ensure_running()  # its start would let interrupts through again
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # a new process has the mask of its parent
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        for missed in came:
            signal.raise_signal(missed)


def _help(architecture: Architecture, m: int, memory: Any, parent: Connection) -> None:
    """What a helper does until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1, "blas")
    np.seterr(all="ignore")  # the parent checks for values that are not finite
    board, worker = Board(architecture, m, memory), Worker(architecture)
    with suppress(EOFError, OSError, MemoryError):  # without a helper its parent does the work, and without a parent
        while True:
            parent.send_bytes(READY)
            images, first, end, gradients = np.frombuffer(_receive(parent), np.int64).tolist()
            worker.work(board, board.images[:images], range(first, end), gradients=bool(gradients))
