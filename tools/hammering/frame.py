"""What the hammer's subjects share: a case that can be repeated, its outcome, and what counts as a failure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

LONGEST = 20.0  # seconds of processor time that any command on any input may take
LONGEST_IDLE = 20.0  # seconds for which it may wait for anything
MOST_MEMORY = 2 << 30  # bytes that a command may hold at once
MOST_MEMORY_PREDICT = 1 << 30

# What can go wrong, in the order of the report.
TRACEBACK, HANG, CODE, MEMORY, FILES, PROCESSES = KINDS = (
    "tracebacks",
    "hangs",
    "wrong exit codes",
    "above the memory",
    "files left",
    "processes left",
)


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong."""

    kind: str  # one of KINDS
    detail: str  # a line


@dataclass(frozen=True)
class Outcome:
    """What became of one case."""

    description: str  # what was tried, in a line
    code: int | None = None  # the exit code
    seconds: float = 0.0
    peak: int = 0  # bytes
    problems: Sequence[Problem] = field(default=())
    inputs: int = 1  # how many mutated files the case had


class Subject(Protocol):
    """One kind of input. It is made once in each worker, and then runs one case after the other."""

    def __init__(self, base: Path) -> None:
        """Make the real inputs, in a folder that stays as long as the worker."""

    def run(self, random: Random, folder: Path) -> Outcome:
        """Make a case, run the program on it in an empty folder of its own, and look at what it did.

        Everything about the case is drawn from `random`, so that it can be repeated. What takes longer than LONGEST is
        ended from outside.
        """


def randomness(subject: str, seed: int, number: int) -> Random:
    """All that is drawn for one case."""
    return Random(f"{subject} {seed} {number}")
