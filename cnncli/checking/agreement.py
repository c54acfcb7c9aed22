"""An engine in float32 against the textbook in float64, within a bound that follows from float32.

The error of a sum of n terms in floating point is at most n·u·Σ|term|, where u = 2⁻²⁴ is the unit roundoff (Higham
2002, Accuracy and Stability of Numerical Algorithms, §3.1). The bound follows the chain forward and back: the error of
a value grows with the sizes of its terms and is carried on by the sizes of the weights. Where two candidates of a
maximum lie closer together than their errors, float32 may hand the gradient to another one: there the bound includes
the whole gradient. An exact tie gets no such allowance: the first must win.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array
from cnncli.network.chain import Chain, build_chain
from cnncli.network.engine import Engine
from cnncli.network.record import Record
from cnncli.network.steps.step import KinkedStep, Step
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject

U = 2.0**-24


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
    off = _bound_forward(chain, record)
    logit = chain.logit
    m, K = record[logit.name].shape
    dz = np.abs(record[logit.gradient.name])
    # A moves by no more than the largest change of a logit; exp and the division add a few roundings.
    gradient = off[logit.name].max(axis=1, keepdims=True) / m + (K + 8) * U * (dz + 1 / m)  # (m, K)
    bounds: dict[str, Array] = {}
    for step in reversed(chain.steps):
        if isinstance(step, KinkedStep):
            gradient = _bound_kinked(step, record, off[step.source.name], gradient)
        else:
            gradient, *of_parameters = _bound_smooth(step, record, off[step.source.name], gradient)
            bounds |= {tensor.name: bound for tensor, bound in zip(step.parameters, of_parameters, strict=True)}
    return bounds


def _bound_forward(chain: Chain, record: Record) -> dict[str, Array]:
    """The largest error of each value up to the logit; X is given, so it is exact."""
    off = {chain.image.name: np.zeros_like(record[chain.image.name])}
    for step in chain.steps:
        source, *parameters = (np.abs(record[tensor.name]) for tensor in step.reads)
        if isinstance(step, KinkedStep):  # no maximum moves by more than those do that can win
            values, offs = step.candidates(record[step.source.name]), step.candidates(off[step.source.name])
            off[step.output.name] = np.where(_can_win(values, offs), offs, 0).max(axis=-1)
        else:
            weights = [
                value if tensor.role == "weight" else np.zeros_like(value)
                for tensor, value in zip(step.parameters, parameters, strict=True)
            ]
            terms = step.with_unit_derivatives.forward(np.ones_like(source), *map(np.ones_like, parameters))
            rounding = terms * U * step.forward(source, *parameters)
            off[step.output.name] = step.forward(off[step.source.name], *weights) + rounding
    return off


def _bound_smooth(step: Step, record: Record, off: Array, off_gradient: Array) -> list[Array]:
    """The errors of the gradients of a step's source and parameters, given those of its source and of its gradient.

    In each product one factor at a time carries an error, and the sum of the products adds its own rounding.
    """
    source, *weights = (np.abs(record[tensor.name]) for tensor in step.reads)
    gradient = np.abs(record[step.output.gradient.name])
    carried = step.backward(off_gradient, source, *weights)
    off_source = step.backward(gradient, off, *weights)
    sizes = step.backward(gradient, source, *weights)
    alive = (gradient + off_gradient > 0).astype(np.float64)  # adding a 0 rounds nothing
    terms = step.with_unit_derivatives.backward(alive, np.ones_like(source), *map(np.ones_like, weights))
    rounding = [(count + 1) * U * size for count, size in zip(terms, sizes, strict=True)]
    first, *others = (bound + added for bound, added in zip(carried, rounding, strict=True))
    reads_source = [tensor.role == "weight" for tensor in step.parameters]
    return [first, *(o + s * reads for o, s, reads in zip(others, off_source[1:], reads_source, strict=True))]


def _bound_kinked(step: KinkedStep, record: Record, off: Array, off_gradient: Array) -> Array:
    """The error of the gradient of a maximum's source: the whole gradient wherever the winner is in doubt.

    Equal candidates leave no doubt, for they are the same sum: the first wins in float32 as well. Only a 0 may be what
    two different numbers were clipped to.
    """
    source, gradient = record[step.source.name], np.abs(record[step.output.gradient.name]) + off_gradient
    values, offs = step.candidates(source), step.candidates(off)  # (…, c)
    winner = np.arange(values.shape[-1]) == values.argmax(axis=-1)[..., None]
    same = (values == values.max(axis=-1, keepdims=True)) & ~winner & ((values != 0) | (offs == 0))
    rivals = _can_win(values, offs) & ~same
    doubtful = rivals & (rivals.sum(axis=-1, keepdims=True) > 1)
    # Place 0 is that of a constant candidate, whose gradient goes nowhere.
    places = step.candidates(np.arange(1, source[0].size + 1).reshape(1, *source.shape[1:])).reshape(-1)
    given = np.zeros((len(source), source[0].size + 1))
    images = np.arange(len(source))[:, None]
    np.add.at(given, (images, places), (doubtful * gradient[..., None]).reshape(len(source), -1))
    bound: Array = np.maximum(step.backward(off_gradient, source)[0], given[:, 1:].reshape(source.shape))
    return bound


def _can_win(values: Array, offs: Array) -> NDArray[np.bool_]:
    """Which candidates may be the largest, given the error of each: (…, c)."""
    possible: NDArray[np.bool_] = values + offs >= (values - offs).max(axis=-1, keepdims=True)
    return possible
