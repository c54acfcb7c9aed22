"""Threads beside the caller's, and how many of them a batch is worth.

They wait for work inside the kernel, without Python's lock, and after a while fall asleep. Whoever calls takes part
itself and is never kept waiting by a thread that sleeps: parts are handed out one at a time.
"""

import threading
import weakref
from collections import deque

from cnncli.network.compiled.library import Job, Kernel, Net

WORTH_SHARING = 2e6  # products of a batch: about 60 µs
SEEN = 5  # the last steps that count
AGAIN = 128  # steps after which the other number of threads is tried once more
TRIED = 2  # steps of a trial


class Team:
    """Threads that work on a job: all of them, or the caller alone where the others do not pay."""

    def __init__(self, kernel: Kernel, net: Net, job: Job, threads: int) -> None:
        self.threads = threads
        self._sleeping = [False] * threads
        self._wake = [threading.Semaphore(0) for _ in range(threads)]
        self._started = False
        self._work = (kernel, net, job, self._sleeping, self._wake)
        self._seconds = {count: deque[float](maxlen=SEEN) for count in {1, threads}}  # of a product
        self._steps = 0
        self._finalizer = weakref.finalize(self, _stop, job, self._wake)

    def choose(self, products: float) -> int:
        """How many threads take part in a batch of so much work; they are awake then."""
        if self.threads == 1 or products < WORTH_SHARING:
            return 1
        self._steps += 1
        alone, together = (sorted(self._seconds[count]) for count in (1, self.threads))
        count = self.threads
        if len(together) == SEEN:
            best = len(alone) < SEEN or alone[SEEN // 2] < together[SEEN // 2]
            count = 1 if best != (self._steps % AGAIN < TRIED) else self.threads
        if count > 1:
            self._rouse()
        return count

    def note(self, count: int, products: float, seconds: float) -> None:
        """How long a batch took so many threads."""
        if self.threads > 1 and products >= WORTH_SHARING:
            self._seconds[count].append(seconds / products)

    def _rouse(self) -> None:
        if not self._started:
            self._started = True
            for thread in range(1, self.threads):
                threading.Thread(target=_serve, args=(*self._work, thread), daemon=True).start()
        for thread, sleeps in enumerate(self._sleeping):
            if sleeps:
                self._sleeping[thread] = False
                self._wake[thread].release()


def _serve(
    kernel: Kernel, net: Net, job: Job, sleeping: list[bool], wake: list[threading.Semaphore], thread: int
) -> None:
    """What a thread does until its team is gone."""
    import ctypes

    at_net, at_job = ctypes.addressof(net), ctypes.addressof(job)
    while not job.stop:
        kernel.serve(at_net, at_job, thread)
        sleeping[thread] = True
        wake[thread].acquire()


def _stop(job: Job, wake: list[threading.Semaphore]) -> None:
    job.stop = 1
    for semaphore in wake:
        semaphore.release()
