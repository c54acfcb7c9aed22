"""What a rank, one of the processes that compute together, knows of the others.

Whoever is alone is a communicator of one rank: the code above knows this protocol only, and never asks what is behind.
All ranks make the same calls in the same order; a call that needs the others' answers waits for them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cnncli import stopping
from cnncli.errors import DataError, Stopped

if TYPE_CHECKING:  # the help does not wait for NumPy
    from cnncli.network.arrays import Array, Labels, Parameters
    from cnncli.network.engine import Engine

T = TypeVar("T")


class Part(NamedTuple):
    """The lanes of a batch that a rank computes; the whole batch has m images."""

    X: "Array"  # (images of the part, C, H, W)
    y: "Labels"
    weights: "Array | None"
    bounds: "Labels"  # (lanes of the part + 1,)
    m: int


class Step(NamedTuple):
    """What all lanes of a batch amount to, on every rank the same."""

    loss: float
    gradients: "Parameters"
    correct: int  # right answers before the step


class Communicator(ABC):
    """The ranks 0 … size − 1, of which this process is one. Rank 0 leads: it alone prints and writes."""

    rank: int
    size: int
    beside: int = 1  # ranks on this machine, this one among them

    @property
    def leads(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    def share(self, count: int, rank: int | None = None) -> range:
        """Which of `count` things in a row are a rank's, this one's by default: as many as any other's, or one more."""
        rank = self.rank if rank is None else rank
        return range(count * rank // self.size, count * (rank + 1) // self.size)

    def first(self, make: Callable[[], T]) -> T:
        """What `make` gives on rank 0, the only one that calls it."""
        value: T = self.gather(make() if self.leads else None)[0]  # type: ignore[assignment]
        return value

    def follow(self, items: Iterable[T]) -> Iterator[T]:
        """What rank 0, the only one that asks for it, gets from `items`; None ends them."""
        iterator = iter(items)
        while (item := self.first(lambda: next(iterator, None))) is not None:
            yield item

    def require_same(self, what: str, tell: Callable[[], object], advice: str = "make them the same") -> None:
        """Raise DataError where a rank tells another value than rank 0."""
        for rank, theirs in enumerate(values := self.gather(tell())):
            if theirs != values[0]:
                hosts = self.gather(self.host)
                raise DataError(f"rank {rank} on {hosts[rank]} has other {what} than rank 0 on {hosts[0]}: {advice}")

    @property
    @abstractmethod
    def host(self) -> str:
        """The name of the machine."""

    @abstractmethod
    def gather(self, value: T) -> list[T]:
        """The values of all ranks, in their order."""

    @abstractmethod
    def add_up(self, engine: "Engine", parameters: "Parameters", part: Part, smoothing: float) -> Step:
        """The sum over the lanes of a batch, in their order, of which each rank brings its own."""

    @abstractmethod
    def pending(self) -> Stopped | None:
        """What waits to be raised at the next safe point, on every rank the same."""

    @abstractmethod
    def conclude(self, sentence: str | None, code: int) -> tuple[str | None, int]:
        """Tell the others how this rank ended, by which error or by none; the sentence to print, and the exit code."""


class Alone(Communicator):
    """One process that computes everything."""

    rank, size, host = 0, 1, "this machine"

    def gather(self, value: T) -> list[T]:
        """Its own value."""
        return [value]

    def require_same(self, what: str, tell: Callable[[], object], advice: str = "") -> None:
        """There is nobody to differ from, and nothing to be told."""

    def add_up(self, engine: "Engine", parameters: "Parameters", part: Part, smoothing: float) -> Step:
        """The sum over all lanes."""
        loss, gradients, logits = engine.loss_and_gradients(
            parameters, part.X, part.y, smoothing=smoothing, weights=part.weights, bounds=part.bounds
        )
        return Step(loss, gradients, count_correct(engine, logits, part.y))

    def pending(self) -> Stopped | None:
        """What the last signal left."""
        return stopping.pending()

    def conclude(self, sentence: str | None, code: int) -> tuple[str | None, int]:
        """The same."""
        return sentence, code


def count_correct(engine: "Engine", logits: "Array", y: "Labels") -> int:
    """How many answers are right: logits (m, K), y (m,)."""
    from cnncli.network.chain import build_chain

    return int((build_chain(engine.architecture).output.predict(logits) == y).sum())


ALONE = Alone()
