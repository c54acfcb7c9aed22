"""The program run on a case inside the worker: as quick as it is itself, and honest where it starts no processes."""

import io
import os
import resource
import sys
import time
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.hammering.frame import (
    CODE,
    FILES,
    MEMORY,
    MOST_MEMORY,
    MOST_MEMORY_PREDICT,
    PROCESSES,
    TRACEBACK,
    Outcome,
    Problem,
)

FAILURES = {2, 3, 4}  # exit codes of one sentence


@dataclass(frozen=True)
class Case:
    """A command, and what may come of it."""

    description: str
    arguments: Sequence[str]
    codes: Collection[int] = (0, 2, 3)
    outputs: Collection[str] = ()  # paths below the case's folder that may be there afterwards
    filled: Collection[str] = ()  # folders in which something may be new
    inputs: int = 1
    limited: bool = False  # the memory that may be held is a limit of the process, for the program to respect


def run_inside(case: Case, folder: Path) -> Outcome:
    """Run `cnncli ARGUMENTS` in a folder that holds the case's inputs, and judge it."""
    from cnncli.cli import main

    most = MOST_MEMORY_PREDICT if case.arguments[:1] == ["predict"] else MOST_MEMORY
    before, running = _snapshot(folder), children()
    os.chdir(folder)
    _reset_peak()
    start = time.monotonic()
    problems: list[Problem] = []
    with _streams() as (out, err), _limit(most if case.limited else None):
        sys.argv = ["cnncli", *case.arguments]
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        except BaseException as error:  # noqa: BLE001  that is what is looked for
            code = -1
            where = traceback.extract_tb(error.__traceback__)[-1]
            problems.append(
                Problem(
                    TRACEBACK, f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"[:300]
                )
            )
    seconds, peak = time.monotonic() - start, _peak()
    if code >= 0:
        problems += judge(case, code, text_of(out), text_of(err))
    if peak > most:
        problems.append(Problem(MEMORY, f"{peak / 2**20:,.0f} MB"))
    problems += _look_for_changes(before, _snapshot(folder), case)
    if left := children() - running:
        problems.append(Problem(PROCESSES, f"{sorted(left)}"))
    return Outcome(case.description, code, seconds, peak, problems, case.inputs)


def judge(case: Case, code: int, out: str, err: str) -> Iterator[Problem]:
    """What an exit code and the two streams tell."""
    last = err.strip().splitlines()[-1] if err.strip() else ""
    if code not in case.codes:
        yield Problem(CODE, f"{code}: {last[:200]}")
    if "Traceback (most recent call last)" in err or "Warning:" in err:
        yield Problem(TRACEBACK, last[:200])
    answers = case.arguments[:1] == ["predict"] and code == 3 and out  # each image has its reason in its row
    if code in FAILURES and not answers and not last.startswith("Error: "):
        yield Problem(CODE, f"{code} without a sentence: {last[:200]!r}")
    if "\x1b" in out + err or "\x1b" in last:
        yield Problem(TRACEBACK, "a raw escape reaches the terminal")


@contextmanager
def _streams() -> Iterator[tuple[IO[str], IO[str]]]:
    """stdout and stderr in memory, as pipes would be."""
    kept = sys.stdout, sys.stderr, sys.argv
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    sys.stdout, sys.stderr = out, err
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr, sys.argv = kept


def text_of(stream: IO[str]) -> str:
    """What was written."""
    assert isinstance(stream, io.TextIOWrapper)  # noqa: S101
    stream.flush()
    content: bytes = stream.buffer.getvalue()
    return content.decode("utf-8", "surrogateescape")


@contextmanager
def _limit(most: int | None) -> Iterator[None]:
    """A limit of the addresses that this process may take beside those that it has: a library may reserve gigabytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if most is not None:
        had = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (had + most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


def _snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every file below: its kind and mode, its size, the time of its last change."""
    found = {}
    for directory, names, files in os.walk(folder):
        for name in (*names, *files):
            path = os.path.join(directory, name)  # noqa: PTH118  Path is slow
            status = os.lstat(path)
            size, changed = (0, 0) if name in names else (status.st_size, status.st_mtime_ns)
            found[os.path.relpath(path, folder)] = (status.st_mode, size, changed)
    return found


def _look_for_changes(
    before: dict[str, tuple[int, int, int]], after: dict[str, tuple[int, int, int]], case: Case
) -> Iterator[Problem]:
    for path in before.keys() | after.keys():
        if before.get(path) == after.get(path):
            continue
        if any(path == each or path.startswith(f"{each}/") for each in case.outputs):
            continue
        if path not in before and Path(path).parent in map(Path, case.filled):
            continue
        what = "is new" if path not in before else "is gone" if path not in after else "has changed"
        yield Problem(FILES, f"{path!r} {what}")


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found |= {int(child) for child in (task / "children").read_text().split()}
    return found
