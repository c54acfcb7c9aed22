"""An engine in float32 against the textbook in float64, within the bound that follows from float32.

Where two candidates of a maximum lie closer together than their errors, float32 may hand the gradient to another one:
there the bound includes the whole gradient. An exact tie gets no such allowance: the first must win.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnncli.checking.bounds import TINY32, U32, Bounds
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain, build_chain
from cnncli.network.engine import Engine
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject


@dataclass(frozen=True)
class Agreement:
    """Gradients from both engines, and how far they may be apart, entry by entry."""

    name: str  # "dL/dw1", or "numpy engine" for those of all parameters in one row
    computed: Array
    textbook: Array
    bound: Array

    @property
    def label(self) -> str:
        """As a derivative's: what a report calls it."""
        return self.name

    @property
    def failed(self) -> NDArray[np.bool_]:
        """The entries that are not within their bound; a NaN is not."""
        within: NDArray[np.bool_] = self.errors <= self.bound
        return ~within

    @property
    def errors(self) -> Array:
        """How far the two are apart, entry by entry."""
        error: Array = np.abs(self.computed - self.textbook)
        return error

    @property
    def share_of_bound(self) -> float:
        """The largest error as a share of its bound; 0 where there is no error."""
        off = self.errors > 0
        with np.errstate(divide="ignore"):  # a bound of 0 allows nothing
            return float((self.errors[off] / self.bound[off]).max(initial=0))

    @property
    def passed(self) -> bool:
        """Whether no entry failed."""
        return not self.failed.any()


def compare_engine(engine: Engine, subject: Subject) -> Iterator[Agreement]:
    """Every parameter's gradient from an engine and the textbook, in order; both get the same float32 numbers."""
    parameters = {name: value.astype(np.float32) for name, value in subject.parameters.items()}
    X = subject.X.astype(np.float32)
    found = engine.loss_and_gradients(parameters, X, subject.y).gradients
    exact = {name: value.astype(np.float64) for name, value in parameters.items()}
    chain = build_chain(subject.architecture)
    record = Textbook(subject.architecture).record(exact, X.astype(np.float64), subject.y)
    bounds = bound_gradients(chain, record)
    for name, tensor in chain.parameters.items():
        textbook = record[tensor.gradient.name]
        yield Agreement(tensor.gradient.name, found[name].astype(np.float64), textbook, bounds[name])


def fits_float32(subject: Subject) -> bool:
    """Whether the numbers of a subject, and those that its forward pass makes of them, are finite in float32.

    Where they are not, an engine in float32 has nothing to compare.
    """
    parameters = {name: value.astype(np.float32) for name, value in subject.parameters.items()}
    record = Textbook(subject.architecture).record(parameters, subject.X.astype(np.float32), subject.y)
    return all(np.isfinite(record[name]).all() for name in (*parameters, *build_chain(subject.architecture).forward))


def join(name: str, agreements: Iterable[Agreement]) -> Agreement:
    """The gradients of all parameters as one row of numbers."""
    rows = [(a.computed.ravel(), a.textbook.ravel(), a.bound.ravel()) for a in agreements]
    return Agreement(name, *(np.concatenate(parts) for parts in zip(*rows, strict=True)))


def bound_gradients(chain: Chain, record: Record) -> dict[str, Array]:
    """The largest error that float32 may make in each parameter's gradient, in the shapes of the parameters."""
    bounds = Bounds(chain, record, U32, TINY32, cancels=True).gradients(handed_over=True)
    return {name: bounds[name] for name in chain.parameters}
