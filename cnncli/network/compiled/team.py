"""Threads beside the caller's, and how many of them a batch is worth.

They wait for work inside the kernel, without Python's lock, and after a while fall asleep. Whoever calls takes part
itself and is never kept waiting by a thread that sleeps: parts are handed out one at a time.
"""

import ctypes
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from statistics import median

from cnncli.network.compiled.library import Job, Kernel, Net

WORTH_SHARING = 2e6  # products of a batch: about 60 µs
SEEN = 3  # the last steps that count
SOON, LATE = 16, 256  # steps between two trials of the slower number of threads


class Choice:
    """How many threads work on a batch: all, or the caller's alone where the others do not pay.

    The faster one by the last steps of each. The other is tried again as soon as it was faster, else after a while, and
    after twice as long each time that it loses again.
    """

    def __init__(self, threads: int) -> None:
        self._seconds = {count: deque[float](maxlen=SEEN) for count in (threads, 1)}  # of a product
        self._turns = self._take_turns(threads, 1)

    def choose(self, products: float) -> int:
        """The number of threads for a batch of so much work."""
        return next(self._turns) if products >= WORTH_SHARING and len(self._seconds) > 1 else 1

    def note(self, count: int, products: float, seconds: float) -> None:
        """How long a batch took so many threads."""
        if products >= WORTH_SHARING:
            self._seconds[count].append(seconds / products)

    def _take_turns(self, better: int, other: int) -> Iterator[int]:
        yield from [better] * SEEN
        wait = SOON
        while True:
            yield from [other] * SEEN
            if self._is_faster(other, better):
                better, other, wait = other, better, SOON
            for _ in range(wait):
                yield better
                if self._is_faster(other, better):
                    break
            wait = min(2 * wait, LATE)

    def _is_faster(self, count: int, than: int) -> bool:
        times, others = self._seconds[count], self._seconds[than]
        return bool(times and others) and median(times) < median(others)  # a batch that is refused has no time


class Team:
    """Threads that work on a job with the caller."""

    def __init__(self, kernel: Kernel, net: Net, job: Job, threads: int) -> None:
        self._sleeping = [False] * threads
        self._wake = [threading.Semaphore(0) for _ in range(threads)]
        self._started = False
        self._work = (kernel, net, job, self._sleeping, self._wake)
        self._finalizer = weakref.finalize(self, _stop, job, self._wake)

    def rouse(self) -> None:
        """Wake those who sleep. A batch has begun, so that they find work: who does not soon sleeps again."""
        if not self._started:
            self._started = True
            with suppress(RuntimeError):  # the system gives no more threads: those that are there do the work
                for thread in range(1, len(self._wake)):
                    threading.Thread(target=_serve, args=(*self._work, thread), daemon=True).start()
        for thread, sleeps in enumerate(self._sleeping):
            if sleeps:
                self._sleeping[thread] = False
                self._wake[thread].release()


def _serve(
    kernel: Kernel, net: Net, job: Job, sleeping: list[bool], wake: list[threading.Semaphore], thread: int
) -> None:
    """What a thread does until its team is gone."""
    at_net, at_job = ctypes.addressof(net), ctypes.addressof(job)
    while not job.stop:
        kernel.serve(at_net, at_job, thread)
        sleeping[thread] = True
        wake[thread].acquire()


def _stop(job: Job, wake: list[threading.Semaphore]) -> None:
    job.stop = 1
    for semaphore in wake:
        semaphore.release()
