"""Many image files decoded, in order; by one process for each core once there is enough to do for them.

Processes, not threads: a small image is mostly Python's own work. They are started when this process has decoded for a
while, and until they are ready it goes on, so that nobody waits for them.
"""

import json
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from cnncli.children import Child, ChildEnded
from cnncli.cores import available_cores
from cnncli.data.decoder import ANOTHER_SIZE, YOURS, read_answer
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
Item = Path | ImageError  # an error that is known already keeps its place
Decoded = tuple[Path, Result]


class Wanted(NamedTuple):
    """What the images are decoded to, and the size that they are expected to have."""

    size: Size | None
    expected: Size | None


def decode_many(
    items: Iterable[Item],
    size: Size | None,
    *,
    expected: Size | None = None,
    threads: int | None = None,
    at_once: int = MOST_IN_TASK,
) -> Generator[Decoded, None, None]:
    """Each path with its pixels, fitted to `size`, or with its ImageError; in the order given, a never-ending one too.

    `threads` is the number of processor cores where it is not given. Who uses so many images `at_once` gets each such
    batch before the next one's items are read, until helpers go ahead. Raises AnotherSize as soon as an image has not
    the `expected` one, MemoryError, and DataError where the system ends a helper.
    """
    waiting, wanted = iter(items), Wanted(size, expected)
    helpers_to_start = min(threads or available_cores(), MOST_HELPERS)
    spent, done = 0.0, 0
    task_length = 1
    while spent <= ALONE or helpers_to_start == 1:
        start = time.perf_counter()
        decoded = _decode_here(list(islice(waiting, min(task_length, at_once - done % at_once))), wanted)
        if not decoded:
            return
        spent, done = spent + time.perf_counter() - start, done + len(decoded)
        yield from decoded
        task_length = min(2 * task_length, _choose_task_length(spent / done, size or expected))
    try:
        helpers = Helpers(helpers_to_start, wanted, task_length)
    except (OSError, RuntimeError):  # the system gives no more processes, files, memory or threads
        yield from decode_many(waiting, size, expected=expected, threads=1, at_once=at_once)
        return
    try:
        yield from helpers.decode(waiting)
    finally:
        helpers.stop()


class Task(NamedTuple):
    """Some items, and where what a helper makes of their paths comes."""

    items: list[Item]
    answer: "SimpleQueue[list[Result | int] | DataError]"

    @property
    def paths(self) -> list[Path]:
        """What there is to decode."""
        return [item for item in self.items if isinstance(item, Path)]


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

    def decode(self, waiting: Iterator[Item]) -> Iterator[Decoded]:
        """As `decode_many`: here until the helpers are ready, then by them, with tasks ahead so that none waits."""
        while not self.ready:
            decoded = _decode_here(list(islice(waiting, self._task_length)), self._wanted)
            if not decoded:
                return
            yield from decoded
        most_ahead = 2 * sum(self._started.get() for _ in self._children)
        if most_ahead == 0:  # none could start: for lack of memory, perhaps
            yield from decode_many(waiting, self._wanted.size, expected=self._wanted.expected, threads=1)
        ahead: deque[Task] = deque()
        while True:
            while len(ahead) < most_ahead and (not ahead or ahead[0].answer.empty()):
                items = list(islice(waiting, self._task_length))
                if not items:
                    break
                ahead.append(Task(items, SimpleQueue()))
                self._tasks.put(ahead[-1])
            if not ahead:
                return
            task = ahead.popleft()
            answer = task.answer.get()
            if isinstance(answer, DataError):
                raise answer
            yield from self._match(task.items, iter(answer))

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
            task.answer.put(self._have_decoded(child, task.paths))

    def _have_decoded(self, child: Child, paths: Sequence[Path]) -> list[Result | int] | DataError:
        """What a helper answers, or the error where it has ended instead."""
        if not paths:
            return []
        try:
            child.send(json.dumps([[str(path) for path in paths], *self._wanted]).encode())
            return read_answer(paths, child.receive(), child.receive())
        except ChildEnded as ended:
            return DataError(
                f"a process that decodes images {ended}, by the system and for lack of memory most likely, at "
                f"{paths[0]} or soon after: free memory, or use fewer processes"
            )

    def _match(self, task: Sequence[Item], results: Iterator[Result | int]) -> Iterator[Decoded]:
        """The items of a task with their results; what a helper left to this process is done here."""
        for item in task:
            result: Result | int = YOURS if isinstance(item, ImageError) else next(results)
            if result is ANOTHER_SIZE:
                raise AnotherSize
            if isinstance(result, int):
                yield from _decode_here([item], self._wanted)
            else:
                yield _path_of(item), result


def _choose_task_length(seconds: float, size: Size | None) -> int:
    """How many images, of so many seconds each, make a task."""
    room = TASK_BYTES // (3 * size.height * size.width) if size else MOST_IN_TASK
    return max(1, min(MOST_IN_TASK, room, int(TASK_SECONDS / max(seconds, 1e-9))))


def _decode_here(items: Sequence[Item], wanted: Wanted) -> list[Decoded]:
    plain = iter(decode_plain([item for item in items if isinstance(item, Path)], wanted.expected or wanted.size))
    return [
        (item.path, item) if isinstance(item, ImageError) else (item, _finish(item, next(plain), wanted))
        for item in items
    ]


def _finish(path: Path, plain: Pixels | None, wanted: Wanted) -> Result:
    """What is found in a file that is not read in the quick way."""
    if plain is not None:
        return plain
    try:
        return decode_any(path, wanted.size, expected=wanted.expected)
    except ImageError as error:
        return error


def _path_of(item: Item) -> Path:
    return item.path if isinstance(item, ImageError) else item
