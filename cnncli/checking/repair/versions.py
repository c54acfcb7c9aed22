"""The parent's side of the process in which edited versions are tried."""

import ast
import pickle
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnncli.checking.repair.source import Edit, Source, cut_statement
from cnncli.children import Child, ChildEnded

TRIAL = "cnncli.checking.repair.trial"

Shares = list[dict[str, float]]  # for each case, of each gradient the share of entries that are right
Setup = tuple[str, Sequence[tuple[Any, Any, Mapping[str, Any]]], float]  # function, cases, seconds for a call


class Versions:
    """Edited versions of a file, each tried on the same cases. Raises ChildEnded where the file cannot be loaded."""

    def __init__(self, path: Path, setup: Setup) -> None:
        self._path, self._setup = path, setup
        self._before = self._now = 0.0
        self._child = self._start()

    @property
    def computed(self) -> float:
        """Seconds of computing so far."""
        return self._before + self._now

    def try_unchanged(self) -> Shares:
        """How good the function is as it stands."""
        return self._try([])

    def try_edits(self, source: Source, edits: Sequence[Edit], before: Sequence[str]) -> Iterator[Shares]:
        """How good it is after each of the edits, and after statements that replace others before; [] where it ends."""
        for edit in edits:
            try:
                yield self._try([*before, cut_statement(source, edit)])
            except ChildEnded:  # an index outside of an array that only C sees
                self._child.stop()
                self._before, self._now = self.computed, 0.0
                self._child = self._start()
                yield []

    def close(self) -> None:
        """End the process."""
        self._child.stop()

    def _start(self) -> Child:
        child = Child(TRIAL, str(self._path.resolve()))
        try:
            child.send(pickle.dumps(self._setup))
            child.receive()
        except ChildEnded:
            child.stop()
            raise
        return child

    def _try(self, statements: Sequence[str]) -> Shares:
        self._child.send(pickle.dumps(list(statements)))
        shares: Shares
        shares, self._now = ast.literal_eval(self._child.receive().decode())
        return shares
