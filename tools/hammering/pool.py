"""Workers that live long: children that run case after case. One that hangs or dies is an outcome, and is replaced."""

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue

from cnncli import files
from cnncli.children import end_with_parent
from tools.hammering.frame import CODE, HANG, LONGEST, LONGEST_IDLE, Outcome, Problem, randomness
from tools.hammering.subjects import load

TICK = 1.0  # seconds between two looks at a worker; what is counted in them stands still with a machine that does
START = 120  # of them in which a worker must be ready


def run_cases(subject: str, seed: int, numbers: Iterable[int], jobs: int) -> Generator[tuple[int, Outcome], None, None]:
    """The outcome of each case, in the order in which they end."""
    todo: SimpleQueue[int] = SimpleQueue()
    for number in numbers:
        todo.put(number)
    done: SimpleQueue[tuple[int, Outcome] | None] = SimpleQueue()
    threads = [
        threading.Thread(target=_drive, args=(subject, seed, todo, done.put), daemon=True) for _ in range(max(jobs, 1))
    ]
    for thread in threads:
        thread.start()
    ended = 0
    try:
        while ended < len(threads):
            result = done.get()
            if result is None:
                ended += 1
            else:
                yield result
    finally:  # stopped in the middle: each thread ends with the case that it is at, and its worker with it
        with suppress(Empty):
            while True:
                todo.get_nowait()
        for thread in threads:
            thread.join()


def _drive(
    subject: str, seed: int, todo: "SimpleQueue[int]", tell: Callable[[tuple[int, Outcome] | None], None]
) -> None:
    """Have workers, one after the other, do the cases that are left."""
    worker = None
    try:
        while True:
            number = todo.get_nowait()
            worker = worker or _Worker(subject, seed)
            outcome = worker.run(number)
            if outcome is None:  # on a busy machine anything may be slow once
                worker = _Worker(subject, seed)
                outcome = worker.run(number)
            if outcome is None or not worker.alive:
                worker = None
            tell((number, outcome or Outcome("", problems=[Problem(HANG, "twice")])))
    except Empty:
        pass
    finally:
        if worker:
            worker.stop()
        tell(None)


class _Worker:
    """One child, the leader of a process group of its own."""

    def __init__(self, subject: str, seed: int) -> None:
        self._base = Path(tempfile.mkdtemp(prefix="hammer-"))
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, subject, seed, self._base), daemon=False)
        self._process.start()
        theirs.close()
        self.alive = True
        if not (any(self._pipe.poll(TICK) for _ in range(START)) and self._pipe.recv() == "ready"):
            self.stop()
            raise RuntimeError("a worker did not start")

    def run(self, number: int) -> Outcome | None:
        """The outcome of a case; None where it takes too long, and then the worker is gone."""
        try:
            self._pipe.send(number)
            start = before = self._spent()
            idle = 0.0
            while not self._pipe.poll(TICK):
                spent = self._spent()
                idle = 0.0 if spent > before else idle + TICK  # on a busy machine it works slowly
                before = spent
                if spent - start > LONGEST or idle > LONGEST_IDLE:
                    self.stop()
                    return None
            outcome: Outcome = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            self.stop()
            return Outcome("", problems=[Problem(CODE, f"the process died, exit code {code}")])
        return outcome

    def _spent(self) -> float:
        """The seconds of processor time that it has used."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has died
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it and whatever it started."""
        self.alive = False
        with suppress(OSError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._pipe.close()
        _remove(self._base)


def _work(pipe: Connection, subject: str, seed: int, base: Path) -> None:
    """What a worker does: cases, until the pipe is closed."""
    if parent := parent_process():
        end_with_parent(parent.pid or 0)
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what a case prints is taken otherwise
    inputs = base / "inputs"
    inputs.mkdir()
    files.WAIT_FOR_READER = 0.5  # seconds, for a pipe that nobody reads: the program's own 10 would be most of the time
    cases = load(subject)(inputs)
    pipe.send("ready")
    with suppress(EOFError, BrokenPipeError):  # the hammer has ended
        while True:
            number = pipe.recv()
            folder = base / f"case{number}"
            folder.mkdir()
            try:
                outcome = cases.run(randomness(subject, seed, number), folder)
            finally:
                os.chdir(base)
                _remove(folder)
            pipe.send(outcome)


def _remove(folder: Path) -> None:
    """A folder, even one with folders that nobody may enter."""

    def permit(_: object, path: str, __: object) -> None:
        with suppress(OSError):
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)
            Path(path).unlink()

    shutil.rmtree(folder, onerror=permit)
