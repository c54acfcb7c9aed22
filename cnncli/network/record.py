"""The record of one forward and backward pass: every named value in order, each with the formula that made it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cnncli.network.arrays import Array

Kind = Literal["input", "parameter", "forward", "gradient"]


@dataclass(frozen=True)
class Step:
    """One named value: `formula` says how it was made, "" for what was given."""

    name: str
    kind: Kind
    formula: str
    value: Array


class Record:
    """The steps in the order in which they were computed, found by the note's names: record["dL/dw1"]."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}

    def add(self, name: str, kind: Kind, value: Array, formula: str = "") -> None:
        """Append one step."""
        self._steps[name] = Step(name, kind, formula, value)

    def __getitem__(self, name: str) -> Array:
        return self._steps[name].value

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps.values())
