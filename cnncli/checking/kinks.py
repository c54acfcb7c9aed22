"""Which units sit on a kink."""

from collections.abc import Mapping
from dataclasses import dataclass

from cnncli.checking.bounds import find_tied
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain
from cnncli.network.record import Record
from cnncli.network.steps.step import KinkedStep


@dataclass(frozen=True)
class Ties:
    """Units that sit on a kink, up to rounding; the convention decides what their gradient is."""

    counts: Mapping[str, int]  # by sort: "relus"
    words: Mapping[str, str]  # how each sort is called: "units with Z = 0"
    convention: str


def count_ties(chain: Chain, record: Record, rounding: Mapping[str, Array]) -> Ties:
    """The units on a kink, each counted once; `rounding` as of a probe."""
    counts: dict[str, int] = {}
    words: dict[str, str] = {}
    conventions: dict[str, None] = {}
    for step in chain.steps:
        if isinstance(step, KinkedStep):
            tied = find_tied(step, record, rounding).sum(axis=-1) > 1
            empty = record[step.output.name] <= step.candidates(rounding[step.source.name]).max(axis=-1)
            for sort, count in step.count_ties(tied, empty).items():
                counts[sort] = counts.get(sort, 0) + count
            words |= step.ties
            conventions[step.convention] = None
    return Ties(counts, words, "; ".join(conventions))
