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
from cnncli.network.convolution import conv_backward
from cnncli.network.dense import dense_backward
from cnncli.network.pooling import maxpool_backward
from cnncli.tracing.entries import Entry
from cnncli.tracing.local_derivatives import Link, LocalDerivatives
from cnncli.tracing.trace import Trace


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

    @property
    def total(self) -> float:
        """The sum of the shown paths."""
        return sum(path.product for path in self.shown)


class Follower:
    """Follows entries of a trace."""

    def __init__(self, trace: Trace) -> None:
        self._architecture = trace.subject.architecture
        self._values = {step.name: step.value for step in trace.steps}
        self._readings = LocalDerivatives(trace).readings

    def follow(self, entry: Entry, most: int) -> Paths:
        """The paths from L to an entry of X, a parameter or a value before L, at most `most` of them shown.

        Raises UsageError for any other entry: nothing leads from L to it.
        """
        followed = [name for name in self._architecture.shapes if name in self._readings]
        if entry.name not in followed:
            raise UsageError(f"--follow {entry.name}: L leads back to {', '.join(followed)}, not to {entry.name}")
        return Paths(
            entry.label(self._values[entry.name].shape),
            float(self._values[f"dL/d{entry.name}"][entry.place]),
            tuple(self.chain(entry.name)),
            tuple(islice(self._strongest(entry), most)),
            self._number(entry),
        )

    def chain(self, name: str) -> list[str]:
        """The links from L to a tensor, without indices, that of L first."""
        names = [name]
        while names[-1] != "L":
            names.append(self._readings[names[-1]].reader)
        return [f"d{reader}/d{read}" for read, reader in pairwise(names)][::-1]

    def _strongest(self, entry: Entry) -> Iterator[Path]:
        """All paths, the one that carries most first; of equals the one that was found first."""
        reach = self._reach()
        found = count()
        heap: list[tuple[float, int, Entry, float, tuple[Link, ...]]] = [(0.0, next(found), entry, 1.0, ())]
        while heap:
            _, _, here, carried, links = heapq.heappop(heap)
            if here.name == "L":
                yield Path(links)
                continue
            for link in self._readings[here.name].links(here.place):
                product = carried * link.value
                if strength := abs(product) * float(reach[link.reader.name][link.reader.place]):
                    heapq.heappush(heap, (-strength, next(found), link.reader, product, (link, *links)))

    def _reach(self) -> dict[str, Array]:
        """For every entry between the first filters and L, the largest |product| of links from it to L."""
        last = self._architecture.dense
        w = np.abs(self._values[f"w{last}"])  # (K, D)
        dz = np.abs(self._values[f"dL/dz{last}"])  # (K,)
        answer = f"A{last}"
        reach = {"L": np.array(1.0), answer: np.abs(self._values[f"dL/d{answer}"]), f"z{last}": dz}
        reach["F"] = (w * dz[:, None]).max(axis=0)  # (D,)
        reach[f"P{last - 1}"] = reach["F"].reshape(self._values[f"P{last - 1}"].shape)
        for i in reversed(self._architecture.blocks):
            A = self._values[f"A{i}"]
            reach[f"A{i}"] = maxpool_backward(A[None], reach[f"P{i}"][None], self._architecture.pool)[0]
            reach[f"Z{i}"] = reach[f"A{i}"] * self._values[f"dA{i}/dZ{i}"]
            reach[self._architecture.block_input(i)] = _through_filters(reach[f"Z{i}"], np.abs(self._values[f"w{i}"]))
        return reach

    def _number(self, entry: Entry) -> int:
        """How many paths carry something: the backward pass with 1 for every number that is not zero."""
        last = self._architecture.dense
        ones = {name: (value != 0).astype(float) for name, value in self._values.items()}
        numbers = {f"{name}{last}": ones[f"dL/d{name}{last}"] for name in "Az"}
        below = dense_backward(ones["F"][None], ones[f"w{last}"], numbers[f"z{last}"][None])
        numbers |= {"F": below[0][0], f"w{last}": below[1], f"b{last}": below[2]}
        numbers[f"P{last - 1}"] = numbers["F"].reshape(self._values[f"P{last - 1}"].shape)
        for i in reversed(self._architecture.blocks):
            A, P = self._values[f"A{i}"], self._architecture.block_input(i)
            numbers[f"A{i}"] = maxpool_backward(A[None], numbers[f"P{i}"][None], self._architecture.pool)[0]
            numbers[f"Z{i}"] = numbers[f"A{i}"] * ones[f"dA{i}/dZ{i}"]
            below = conv_backward(ones[P][None], ones[f"w{i}"], numbers[f"Z{i}"][None])
            numbers |= {P: below[0][0], f"w{i}": below[1], f"b{i}": below[2]}
        return int(numbers[entry.name][entry.place])


def _through_filters(reach: Array, w: Array) -> Array:
    """The largest |w|·reach over all that an input is read by: reach (N, h, w), w (N, C, k, k) → (C, H, W)."""
    N, h, width = reach.shape
    _, C, k, _ = w.shape
    largest = np.zeros((C, h + k - 1, width + k - 1))
    for n, u, v in np.ndindex(N, k, k):
        part = largest[:, u : u + h, v : v + width]
        np.maximum(part, w[n, :, u, v, None, None] * reach[n], out=part)
    return largest
