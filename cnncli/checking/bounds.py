"""How far two right programs may be apart: running error analysis along a recorded pass.

The error of a sum of n terms in floating point is at most n·u·Σ|term|, where u is the unit roundoff, 2⁻²⁴ in float32
and 2⁻⁵³ in float64 (Higham 2002, Accuracy and Stability of Numerical Algorithms, §3.1). The bound follows the chain
forward and back: the error of a value grows with the sizes of its terms, in whatever order they are summed, and is
carried on by the sizes of the weights. n is counted on the chain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array
from cnncli.network.chain import Chain
from cnncli.network.record import Record
from cnncli.network.steps.step import KinkedStep, Step

U32, U64 = 2.0**-24, 2.0**-53
OF_ELEMENTARY = 8  # roundings that the exponentials, the division and the mean of the output step take beside its sum
SMALLEST = 5e-324
TINY32, TINY64 = 2.0**-126, 2.0**-1022  # below it a result loses digits, or becomes 0


@dataclass(frozen=True)
class Bounds:
    """The largest difference of two programs that compute what `record` holds; `u` is the sum of their unit roundoffs.

    `tiny` is the larger of their smallest normal numbers: what a product or an exponential may lose to underflow.
    `u_input` is the relative error of X where a program rounds it first. `cancels`: one of them may know A to the
    rounding of 1 alone, be it from (1 + tanh(z/2))/2 or from a z that is cut off, and compute A − y as it stands.
    """

    chain: Chain
    record: Record
    u: float
    tiny: float
    u_input: float = 0.0
    cancels: bool = False

    @cached_property
    def values(self) -> dict[str, Array]:
        """Of each value up to the logit."""
        X = self.chain.image.name
        off = {X: self.u_input * np.abs(self.record[X])}
        for step in self.chain.steps:
            if isinstance(step, KinkedStep):  # no maximum moves by more than those do that can win
                values, offs = step.candidates(self.record[step.source.name]), step.candidates(off[step.source.name])
                off[step.output.name] = np.where(find_possible(values, offs), offs, 0).max(axis=-1)
            else:
                carried = step.forward(off[step.source.name], *self._slopes(step))
                off[step.output.name] = carried + self.of_step(step)
        return off

    def of_step(self, step: Step) -> Array:
        """Of the output of a step that is given its source: the rounding of its own sums."""
        if isinstance(step, KinkedStep):  # it takes one number as it is
            return np.zeros(self.record[step.output.name].shape)
        roundings = self._count_terms(step) + 1
        off: Array = roundings * (self.u * step.forward(*self._sizes(step)) + self.tiny)
        return off

    def relative(self, steps: Iterable[Step]) -> float:
        """Of the output of some steps, as a part of what moves through them: so many sums meet on every path."""
        return self.u * sum(float(self._count_terms(step).max(initial=0)) + 1 for step in steps)

    @cached_property
    def losses(self) -> Array:
        """Of each image's share in L: (m,)."""
        z, y = self.record[self.chain.logit.name], self.record["y"]
        m, K = z.shape
        shares = np.abs(self.chain.output.losses(z, y)) / m
        moved: Array = (np.abs(self._dL_dz) + self._carried_to_dL_dz).sum(axis=1) * self._largest_of_logits[:, 0]
        off: Array = moved + (K + m + OF_ELEMENTARY) * (self.u * shares + self.tiny)
        return off

    @cached_property
    def logit_gradient(self) -> Array:
        """Of dL/dz: (m, K)."""
        K = self._dL_dz.shape[1]
        size = np.abs(self._dL_dz)
        if self.cancels:
            size = size + 1 / len(size)
        rounding: Array = (K + OF_ELEMENTARY) * (self.u * size + self.tiny)
        return self._carried_to_dL_dz + rounding

    def gradients(self, *, handed_over: bool) -> dict[str, Array]:
        """Of every derivative that a backward pass gives, by the name of the tensor.

        `handed_over`: include the whole gradient wherever another candidate may be the winner, given the errors.
        """
        off = self.logit_gradient
        bounds = {self.chain.logit.name: off}
        for step in reversed(self.chain.steps):
            gradient = np.abs(self.record[step.output.gradient.name])
            off, *others = self._step_back(step, gradient, off, handed_over=handed_over)
            bounds |= dict(zip((tensor.name for tensor in step.reads), (off, *others), strict=True))
        return bounds

    def link(self, step: Step, gradient: Array) -> list[Array]:
        """Of what a step answers to a gradient that both are given, in the order of what it reads."""
        return self._step_back(step, np.abs(gradient), np.zeros_like(gradient), handed_over=False)

    def tangents(self) -> dict[str, Array]:
        """Of the derivative that is carried forward instead, by the name of the tensor: every path has as many sums."""
        K = self._dL_dz.shape[1]
        relative = self.relative(self.chain.steps) + (K + OF_ELEMENTARY) * self.u
        sizes = {self.chain.logit.name: np.abs(self._dL_dz)}
        for step in reversed(self.chain.steps):
            source, *parameters = self._sizes(step)
            if isinstance(step, KinkedStep):
                source = self.record[step.source.name]  # it chooses the piece
            parts = step.backward(sizes[step.output.name], source, *parameters)
            sizes |= dict(zip((tensor.name for tensor in step.reads), parts, strict=True))
        return {name: relative * size for name, size in sizes.items()}

    @property
    def _dL_dz(self) -> Array:
        return self.record[self.chain.logit.gradient.name]

    @cached_property
    def _largest_of_logits(self) -> Array:
        """(m, 1)."""
        largest: Array = self.values[self.chain.logit.name].max(axis=1, keepdims=True)
        return largest

    @cached_property
    def _carried_to_dL_dz(self) -> Array:
        """What the error δ of the logits makes of dL/dz: a factor of at most e^(2δ), and never more than 1/m."""
        m = len(self._dL_dz)
        with np.errstate(over="ignore"):
            factor = np.expm1(2 * self._largest_of_logits)  # (m, 1)
            change: Array = np.minimum(np.maximum(m * np.abs(self._dL_dz), SMALLEST) * factor, 1) / m
        return change

    def _sizes(self, step: Step) -> list[Array]:
        return [np.abs(self.record[tensor.name]) for tensor in step.reads]

    def _slopes(self, step: Step) -> list[Array]:
        """The sizes of what the source is multiplied by; what is added carries no error of the source on."""
        _, *sizes = self._sizes(step)
        pairs = zip(step.parameters, sizes, strict=True)
        return [size if tensor.role == "weight" else np.zeros_like(size) for tensor, size in pairs]

    def _count_terms(self, step: Step) -> Array:
        """How many terms meet in each entry of the output."""
        if isinstance(step, KinkedStep):
            return np.zeros(())
        counted: Array = step.with_unit_derivatives.forward(*map(np.ones_like, self._sizes(step)))
        return counted

    def _step_back(self, step: Step, gradient: Array, off_gradient: Array, *, handed_over: bool) -> list[Array]:
        """Of the gradients of what a step reads; `gradient` is the size of its output's, `off_gradient` the error."""
        if isinstance(step, KinkedStep):
            return [self._step_back_kinked(step, gradient, off_gradient, handed_over=handed_over)]
        return self._step_back_smooth(step, gradient, off_gradient)

    def _step_back_smooth(self, step: Step, gradient: Array, off_gradient: Array) -> list[Array]:
        """In each product one factor at a time carries an error, and the sum of the products adds its own rounding."""
        source, *weights = self._sizes(step)
        off = self.values[step.source.name]
        carried = step.backward(off_gradient, source, *weights)
        off_source = step.backward(gradient + off_gradient, off, *weights)
        sizes = step.backward(gradient, source, *weights)
        alive = (gradient + off_gradient > 0).astype(np.float64)  # adding a 0 rounds nothing
        terms = step.with_unit_derivatives.backward(alive, np.ones_like(source), *map(np.ones_like, weights))
        rounding = [(count + 2) * self.u * size + count * self.tiny for count, size in zip(terms, sizes, strict=True)]
        first, *others = (bound + added for bound, added in zip(carried, rounding, strict=True))
        reads_source = [tensor.role == "weight" for tensor in step.parameters]
        return [first, *(o + s * reads for o, s, reads in zip(others, off_source[1:], reads_source, strict=True))]

    def _step_back_kinked(self, step: KinkedStep, gradient: Array, off_gradient: Array, *, handed_over: bool) -> Array:
        """The error goes to whoever may be the winner, and so does the gradient itself if it is in doubt who that is.

        Equal candidates leave no doubt, for they are the same sum: the first wins in every precision. Only a 0 may be
        what two different numbers were clipped to.
        """
        source = self.record[step.source.name]
        values, offs = step.candidates(source), step.candidates(self.values[step.source.name])  # (…, c)
        winner = np.arange(values.shape[-1]) == values.argmax(axis=-1)[..., None]
        same = (values == values.max(axis=-1, keepdims=True)) & ~winner & ((values != 0) | (offs == 0))
        possible = find_possible(values, offs)
        rivals = possible & ~same
        doubtful = rivals & (rivals.sum(axis=-1, keepdims=True) > 1)
        possible = possible | winner
        bound = self._put_back(step, possible * off_gradient[..., None])
        terms, sizes = (self._put_back(step, possible * part) for part in (1.0, gradient[..., None]))
        # Where windows overlap their gradients meet in a sum.
        bound += (terms + 1) * (self.u * sizes + self.tiny)
        if handed_over:
            bound += self._put_back(step, doubtful * gradient[..., None])
        return bound

    def _put_back(self, step: KinkedStep, numbers: Array) -> Array:
        """Add the numbers of all candidates (m, …, c) up where those stand in the source."""
        source = self.record[step.source.name]
        # Place 0 is that of a constant candidate, whose gradient goes nowhere.
        places = step.candidates(np.arange(1, source[0].size + 1).reshape(1, *source.shape[1:])).reshape(-1)
        added = np.zeros((len(source), source[0].size + 1))
        np.add.at(added, (np.arange(len(source))[:, None], places), numbers.reshape(len(source), -1))
        return added[:, 1:].reshape(source.shape)


def find_possible(values: Array, offs: Array) -> NDArray[np.bool_]:
    """Which candidates may be the largest, given the error of each: (…, c)."""
    possible: NDArray[np.bool_] = values + offs >= (values - offs).max(axis=-1, keepdims=True)
    return possible


def find_tied(step: KinkedStep, record: Record, off: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Which candidates of each maximum are as large as the winner, up to their errors: (…, candidates)."""
    return find_possible(step.candidates(record[step.source.name]), step.candidates(off[step.source.name]))
