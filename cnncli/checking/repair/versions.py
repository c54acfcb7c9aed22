"""The parent's side of the process in which edited versions are tried."""

import ast
import os
import pickle
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnncli.checking.repair.source import Edit, Source, cut_statement
from cnncli.children import NOT_OURS, Child, ChildEnded

TRIAL = "cnncli.checking.repair.trial"
PATIENCE = 3  # times what the search may compute that it may take by the clock
LOADING = 120.0  # seconds by the clock for the file's imports and the function as it stands
QUIET = 5.0  # seconds by the clock after which a version is given up that does not even meet its limit of computing

Shares = list[dict[str, float]]  # for each case, of each gradient the share of entries that are right
Setup = tuple[str, Sequence[tuple[Any, Any, Mapping[str, Any]]], float]  # function, cases, seconds for a call


class Versions:
    """Edited versions of a file, each tried on the same cases, for so many seconds of computing.

    Raises ChildEnded where the file cannot be loaded.
    """

    def __init__(self, path: Path, setup: Setup, seconds: float) -> None:
        self._path, self._setup, self._seconds = path, setup, seconds
        self._before = self._now = 0.0  # computed by the processes that ended, and by this one
        self._child = self._start()
        self._begun = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether no more versions are tried."""
        return self.is_late or self._before + self._now > self._seconds

    @property
    def is_late(self) -> bool:
        """Whether the search has taken too long by the clock, with whatever came between the versions."""
        return time.monotonic() - self._begun > PATIENCE * self._seconds

    def try_unchanged(self) -> Shares:
        """How good the function is as it stands."""
        return self._try([], LOADING)

    def try_edits(self, source: Source, edits: Sequence[Edit], before: Sequence[str]) -> Iterator[Shares]:
        """How good it is after each of the edits, and after statements that replace others before; [] where it ends.

        It stops when the time is up.
        """
        for edit in edits:
            if self.is_over:
                return
            try:
                yield self._try([*before, cut_statement(source, edit)], QUIET)
            except ChildEnded:  # an index outside of an array that only C sees, or a wait without an end
                self._child = self._start()
                yield []

    def close(self) -> None:
        """End the process."""
        self._child.stop()

    def _start(self) -> Child:
        child = Child(TRIAL, str(self._path.resolve()))
        try:
            with child.limit_waiting(LOADING):
                child.send(pickle.dumps(self._setup))
                child.receive()
        except ChildEnded:
            child.stop()
            raise
        return child

    def _try(self, statements: Sequence[str], seconds: float) -> Shares:
        ended = _count_ended()
        try:
            with self._child.limit_waiting(seconds):
                self._child.send(pickle.dumps(list(statements)))
                shares, self._now = _read(self._child.receive())
        except ChildEnded:
            self._child.stop()
            self._before, self._now = self._before + _count_ended() - ended, 0.0
            raise
        return shares


def _read(answer: bytes) -> tuple[Shares, float]:
    """The shares, and the seconds computed so far. Raises ChildEnded for what nobody of ours wrote."""
    try:
        shares, seconds = ast.literal_eval(answer.decode())
    except (ValueError, SyntaxError):
        raise ChildEnded(NOT_OURS) from None
    return shares, seconds


def _count_ended() -> float:
    """Seconds that children have computed that ended."""
    times = os.times()
    return times.children_user + times.children_system
