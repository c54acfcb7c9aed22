"""Many image files decoded, in order; by one process for each core once there is enough to do for them.

Plain PNG files are read first, by threads, where the compiled reader is there. The rest goes to processes: what Pillow
does with a small image is mostly Python's own work, which threads cannot share. They are started when this process has
decoded for a while, and until they are ready it goes on, so that nobody waits for them.
"""

import json
import os
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from math import inf
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from cnncli.children import Child, ChildEnded
from cnncli.cores import available_cores
from cnncli.data.compiled.reader import load_reader, read_pngs
from cnncli.data.decoder import ANOTHER_SIZE, read_answer
from cnncli.data.decoding import AnotherSize, Pixels, Size, decode_any, decode_plain
from cnncli.errors import DataError, ImageError

ALONE = 0.2  # seconds of decoding after which helpers are started: about what their start takes
MOST_HELPERS = 8  # more would wait for this process, and for the disk
TASK_SECONDS = 0.05  # of decoding in one task
MOST_IN_TASK = 256  # images
TASK_BYTES = 4 << 20  # of pixels in one task, if it has more than one image
HELPERS_BYTES = 400 << 20  # of all helpers together, for the images that they are decoding
BYTES_OF_PIXEL = 16  # while an image is decoded, its copies in other modes counted

Result = Pixels | ImageError
Item = str | Path | ImageError  # an error that is known already keeps its place
Decoded = tuple[str, Result]
Work = str | Decoded  # likewise


class Wanted(NamedTuple):
    """What the images are decoded to, and the size that they are expected to have."""

    size: Size | None
    expected: Size | None
    sifted: bool = False  # no plain PNG file is among them any more


def decode_many(
    items: Iterable[Item],
    size: Size | None,
    *,
    expected: Size | None = None,
    threads: int | None = None,
    at_once: int = MOST_IN_TASK,
) -> Generator[Decoded, None, None]:
    """Each path with its pixels, fitted to `size`, or with its ImageError; in the order given, a never-ending one too.

    The paths come as strings. `threads` is the number of processor cores where it is not given. Who uses so many images
    `at_once` gets each such batch before the next one's items are read, until helpers go ahead. Raises AnotherSize as
    soon as an image has not the `expected` one, MemoryError, and DataError where the system ends a helper.
    """
    cores = threads or available_cores()
    wanted, waiting = _sift(items, Wanted(size, expected), cores, at_once)
    helpers_to_start = min(cores, MOST_HELPERS)
    task_length = yield from _decode_alone(waiting, wanted, at_once, inf if helpers_to_start == 1 else ALONE)
    if not task_length:
        return
    try:
        helpers = Helpers(helpers_to_start, wanted, task_length)
    except (OSError, RuntimeError):  # the system gives no more processes, files, memory or threads
        yield from _decode_alone(waiting, wanted, at_once)
        return
    try:
        yield from helpers.decode(waiting)
    finally:
        helpers.stop()


def _sift(items: Iterable[Item], wanted: Wanted, threads: int, at_once: int) -> tuple[Wanted, Iterator[Work]]:
    """The items as work, some of it done: plain PNG files have their pixels where the compiled reader is there."""
    known = ((str(item.path), item) if isinstance(item, ImageError) else os.fspath(item) for item in items)
    size = wanted.expected or wanted.size
    if size is None or load_reader() is None:
        return wanted, known
    return wanted._replace(sifted=True), _read_plain(known, size, threads, at_once)


def _read_plain(waiting: Iterator[Work], size: Size, threads: int, at_once: int) -> Iterator[Work]:
    """The work, with the pixels of the plain PNG files of a size; by so many threads."""
    spent, done = 0.0, 0
    length = 1
    while batch := list(islice(waiting, min(length, at_once - done % at_once))):
        start = time.perf_counter()
        found = iter(read_pngs(_to_decode(batch), size, threads))
        spent, done = spent + time.perf_counter() - start, done + len(batch)
        for item in batch:
            if not isinstance(item, str) or (pixels := next(found)) is None:
                yield item
            else:
                yield item, pixels
        length = min(2 * length, _choose_task_length(spent / done, size))


def _decode_alone(
    waiting: Iterator[Work], wanted: Wanted, at_once: int, seconds: float = inf
) -> Generator[Decoded, None, int]:
    """Decode in this process, for so many seconds: the number of images that make a task, or 0 if none is left."""
    spent, done = 0.0, 0
    task_length = 1
    while spent <= seconds:
        work = list(islice(waiting, min(task_length, at_once - done % at_once)))
        start = time.perf_counter()
        decoded = _decode_here(work, wanted)
        if not decoded:
            return 0
        spent, done = spent + time.perf_counter() - start, done + len(decoded)
        yield from decoded
        task_length = min(2 * task_length, _choose_task_length(spent / done, wanted.size or wanted.expected))
    return task_length


class Task(NamedTuple):
    """Some work, and where what a helper makes of its paths comes."""

    work: list[Work]
    answer: "SimpleQueue[list[Result | int] | Exception]"


class Helpers:
    """Decoding processes, each with a thread here that hands it one task after the other.

    The threads are daemons and talk through SimpleQueue alone: a signal's exception may strike anywhere in the main
    thread, and a lock of Python's, as a Future has, would then stay locked for ever.
    """

    def __init__(self, count: int, wanted: Wanted, task_length: int) -> None:
        self._wanted, self._task_length = wanted, task_length
        self._children: list[Child] = []
        self._started: SimpleQueue[bool] = SimpleQueue()
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        try:
            for _ in range(count):
                self._children.append(Child("cnncli.data.decoder", str(HELPERS_BYTES // BYTES_OF_PIXEL // count)))
            for child in self._children:
                Thread(target=self._drive, args=[child], daemon=True).start()
        except BaseException:
            self.stop()
            raise

    @property
    def ready(self) -> bool:
        """Whether all have started, or have failed to."""
        return self._started.qsize() == len(self._children)

    def decode(self, waiting: Iterator[Work]) -> Iterator[Decoded]:
        """As `decode_many`: here until the helpers are ready, then by them, with tasks ahead so that none waits."""
        while not self.ready:
            decoded = _decode_here(list(islice(waiting, self._task_length)), self._wanted)
            if not decoded:
                return
            yield from decoded
        most_ahead = 2 * sum(self._started.get() for _ in self._children)
        if most_ahead == 0:  # none could start: for lack of memory, perhaps
            yield from _decode_alone(waiting, self._wanted, MOST_IN_TASK)
        ahead: deque[Task] = deque()
        while True:
            while len(ahead) < most_ahead and (not ahead or ahead[0].answer.empty()):
                work = list(islice(waiting, self._task_length))
                if not work:
                    break
                ahead.append(Task(work, SimpleQueue()))
                self._tasks.put(ahead[-1])
            if not ahead:
                return
            task = ahead.popleft()
            answer = task.answer.get()
            if isinstance(answer, Exception):
                raise answer
            yield from self._match(task.work, iter(answer))

    def stop(self) -> None:
        """End the processes at once."""
        for child in self._children:
            self._tasks.put(None)
            child.stop()

    def _drive(self, child: Child) -> None:
        """Wait until a helper has started, and have it do the tasks. In a thread of its own."""
        try:
            child.receive()
        except ChildEnded:
            self._started.put(False)
            return
        self._started.put(True)
        while (task := self._tasks.get()) is not None:
            task.answer.put(self._have_decoded(child, _to_decode(task.work)))

    def _have_decoded(self, child: Child, paths: Sequence[str]) -> list[Result | int] | Exception:
        """What a helper answers, or the error where it has ended instead."""
        if not paths:
            return []
        try:
            child.send(json.dumps([paths, *self._wanted]).encode())
            return read_answer(paths, child.receive(), child.receive())
        except ChildEnded as ended:
            return DataError(
                f"a process that decodes images {ended}, by the system and for lack of memory most likely, at "
                f"{paths[0]} or soon after: free memory, or use fewer processes"
            )
        except Exception as error:  # noqa: BLE001  for want of memory, say: whoever waits for the answer must learn of it
            return error

    def _match(self, task: Sequence[Work], results: Iterator[Result | int]) -> Iterator[Decoded]:
        """The work of a task with its results; what a helper left to this process is done here."""
        for item in task:
            if not isinstance(item, str):
                yield item
                continue
            result = next(results)
            if result is ANOTHER_SIZE:
                raise AnotherSize
            if isinstance(result, int):
                yield from _decode_here([item], self._wanted)
            else:
                yield item, result


def _choose_task_length(seconds: float, size: Size | None) -> int:
    """How many images, of so many seconds each, make a task."""
    room = TASK_BYTES // (3 * size.height * size.width) if size else MOST_IN_TASK
    return max(1, min(MOST_IN_TASK, room, int(TASK_SECONDS / max(seconds, 1e-9))))


def _decode_here(work: Sequence[Work], wanted: Wanted) -> list[Decoded]:
    paths = _to_decode(work)
    plain = iter([None] * len(paths) if wanted.sifted else decode_plain(paths, wanted.expected or wanted.size))
    return [(item, _finish(item, next(plain), wanted)) if isinstance(item, str) else item for item in work]


def _to_decode(work: Sequence[Work]) -> list[str]:
    """The paths of what is not done."""
    return [item for item in work if isinstance(item, str)]


def _finish(path: str, plain: Pixels | None, wanted: Wanted) -> Result:
    """What is found in a file that is not read in the quick way."""
    if plain is not None:
        return plain
    try:
        return decode_any(Path(path), wanted.size, expected=wanted.expected)
    except ImageError as error:
        return error
