"""The chain rule for one entry, path by path: every way from L back to it on which no link is zero.

The derivative of L is the sum, over all paths, of the product of their links. There can be millions of them, so the
strongest come first: a best-first search, whose estimate of the rest of a path is the largest product that can still be
reached from there, which is exact (Hart, Nilsson and Raphael 1968, doi:10.1109/TSSC.1968.300136).
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice, pairwise
from math import prod

import numpy as np

from cnncli.errors import UsageError
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain
from cnncli.network.steps.step import KinkedStep, Step
from cnncli.network.terms import Entry, Values
from cnncli.tracing.blockages import Blockage, find_blockages
from cnncli.tracing.local_derivatives import Link, LocalDerivatives


@dataclass(frozen=True)
class Path:
    """The links from L to the entry, that of L first."""

    links: tuple[Link, ...]

    @property
    def product(self) -> float:
        """What the path carries."""
        return prod(link.value for link in self.links)


@dataclass(frozen=True)
class Paths:
    """The paths to one entry."""

    label: str  # "w1[0,0,1,2]"
    derivative: float  # dL/dw1[0,0,1,2], as recorded
    chain: tuple[str, ...]  # the links' names without indices: "dL/dA2", "dA2/dz2", …
    shown: tuple[Path, ...]  # the strongest first
    number: int  # of all paths on which no link is zero
    blockages: tuple[Blockage, ...]  # where there is no path: what shuts every way to L

    @property
    def total(self) -> float:
        """The sum of the shown paths."""
        return sum(path.product for path in self.shown)


class Follower:
    """Follows entries of one image's pass."""

    def __init__(self, chain: Chain, values: Values) -> None:
        self._chain, self._values = chain, values
        self._derivatives = LocalDerivatives(chain, values)

    def follow(self, entry: Entry, most: int) -> Paths:
        """The paths from L to an entry of X, a parameter or a value before L, at most `most` of them shown.

        Raises UsageError for any other entry: nothing leads from L to it.
        """
        followed = [name for name in self._chain.tensors if name in self._derivatives.readers]
        if entry.name not in followed:
            loss = self._chain.output.loss.name
            why = "the chain begins there" if entry.name == loss else f"no chain leads to it from {loss}"
            raise UsageError(f"{entry.name}: {why}: name an entry of {', '.join(followed)}", argument="follow")
        number = self._number(entry)
        return Paths(
            entry.label(self._values[entry.name].shape),
            float(self._values[f"dL/d{entry.name}"][entry.place]),
            tuple(self.chain(entry.name)),
            tuple(islice(self._strongest(entry), most)),
            number,
            () if number else tuple(find_blockages(self._chain, self._values, entry)),
        )

    def chain(self, name: str) -> list[str]:
        """The links from L to a tensor, without indices, that of L first."""
        names = [name]
        while names[-1] != self._chain.output.loss.name:
            names.append(self._derivatives.readers[names[-1]])
        return [f"d{reader}/d{read}" for read, reader in pairwise(names)][::-1]

    def _strongest(self, entry: Entry) -> Iterator[Path]:
        """All paths, the one that carries most first; of equals the one that was found first."""
        reach = self._reach()
        found = count()
        heap: list[tuple[float, int, Entry, float, tuple[Link, ...]]] = [(0.0, next(found), entry, 1.0, ())]
        while heap:
            _, _, here, carried, links = heapq.heappop(heap)
            if here.name == self._chain.output.loss.name:
                yield Path(links)
                continue
            for link in self._derivatives.links(here):
                product = carried * link.value
                if strength := abs(product) * float(reach[link.reader.name][link.reader.place]):
                    heapq.heappush(heap, (-strength, next(found), link.reader, product, (link, *links)))

    def _reach(self) -> dict[str, Array]:
        """For every value the largest |product| of links from one of its entries to L."""
        output = self._chain.output
        reach = {tensor.name: np.abs(self._values[tensor.gradient.name]) for tensor in (output.source, output.output)}
        reach[output.loss.name] = np.array(1.0)
        for step in reversed(self._chain.steps):
            read = self._batches(self._values, step)
            reach[step.source.name] = step.carry_strongest(reach[step.output.name][None], *read)[0]
        return reach

    def _number(self, entry: Entry) -> int:
        """How many paths carry something: the backward pass with 1 for every number that is not zero."""
        ones = {name: (value != 0).astype(float) for name, value in self._values.items()}
        output = self._chain.output
        numbers = {tensor.name: ones[tensor.gradient.name] for tensor in (output.source, output.output)}
        for step in reversed(self._chain.steps):
            unit = step.with_unit_derivatives
            read = self._batches(ones, step)
            if isinstance(step, KinkedStep):
                read[0] = self._values[step.source.name][None]  # it chooses the piece
            source, *parameters = unit.backward(numbers[step.output.name][None], *read)
            numbers[step.source.name] = source[0]
            numbers |= {tensor.name: each for tensor, each in zip(step.parameters, parameters, strict=True)}
        return int(numbers[entry.name][entry.place])

    def _batches(self, values: Values, step: Step) -> list[Array]:
        """What a step reads, the source as a batch of one image."""
        source, *parameters = (values[tensor.name] for tensor in step.reads)
        return [source[None], *parameters]
