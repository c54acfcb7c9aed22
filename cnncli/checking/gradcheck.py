"""Every derivative against a second opinion, through the whole chain and link by link.

Through the whole chain: dL/d of a tensor is what L does when one entry of it changes. Link by link: given the gradient
of its output, a link alone must answer with the right gradient of its source and of its parameters, so that of a wrong
backward pass the first wrong link can be told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cnncli.checking.bounds import U64, Bounds, find_tied
from cnncli.checking.check import Advance, Check, judge
from cnncli.checking.convention import follow, hold
from cnncli.checking.kinks import Ties, count_ties
from cnncli.checking.measures import Loss, WeightedSum
from cnncli.checking.methods import EPS, Method
from cnncli.checking.probe import Measure, Probe
from cnncli.errors import DataError
from cnncli.network.arrays import Array, Labels
from cnncli.network.chain import Chain, build_chain
from cnncli.network.engine import Engine
from cnncli.network.record import Record
from cnncli.network.steps.step import KinkedStep, Step
from cnncli.network.tensors import Tensor
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject
from cnncli.text import tell_apart


def engine_gradients(engine: Engine, subject: Subject) -> dict[str, Array]:
    """What an engine answers, under the names of the derivatives; a textbook engine answers every one of the chain."""
    if isinstance(engine, Textbook):
        record = engine.record(subject.parameters, subject.X, subject.y)
        return {tensor.gradient.name: record[tensor.gradient.name] for tensor in engine.chain.gradients.values()}
    gradients = engine.loss_and_gradients(subject.parameters, subject.X, subject.y).gradients
    return {f"dL/d{name}": value for name, value in gradients.items()}


@dataclass(frozen=True)
class Gradcheck:
    """Some gradients of a subject, and what to hold them against."""

    subject: Subject
    gradients: Mapping[str, Array]  # "dL/dw1": …; dL/dA of the output layer is passed over, L comes from the logit
    method: Method = "complex-step"
    sample: int | None = None  # entries of each tensor, all where None
    seed: int = 0  # of the sample
    eps: float = EPS  # the rounding of the numbers that the gradients were computed in
    foreign: bool = False  # computed by other code, whose dL/dz = (A - y)/m may have lost digits where A is near y
    advance: Advance | None = None
    conventions: tuple[str, ...] = ()  # declared for kinks: "first-max", …
    given: Record | None = None  # the recorded pass, where there is one already

    def checks(self) -> Iterator[Check]:
        """Every derivative through the whole chain, in the order in which the chain takes them."""
        chain, bounds, tangents = self._chain, self._bounds.gradients(handed_over=False), self._bounds.tangents()
        for tensor in self.checked:
            start = next((i for i, step in enumerate(chain.steps) if tensor in step.reads), len(chain.steps))
            probe = self._probe(chain.steps[start:], tensor, self._loss)
            check = self._judge(probe, tensor, bounds[tensor.name] + tangents[tensor.name], None)
            yield hold(check, self._declared[check.name]) if self.conventions and check.kinks.any() else check

    def links(self) -> Iterator[Check]:
        """Every step alone whose given gradient and whose answer are both known, from L backwards."""
        chain, record = self._chain, self._record
        if chain.logit.gradient.name in self.gradients:
            probe = self._probe([], chain.logit, self._loss)
            yield self._judge(probe, chain.logit, self._bounds.logit_gradient, chain.output.loss.name)
        for step in reversed(chain.steps):
            given = step.output.gradient.name
            if given in self.gradients and self.gradients[given].shape == record[step.output.name].shape:
                yield from self._link(step, given)

    def ties(self) -> Ties:
        """The units of the record that sit on a kink."""
        return count_ties(self._chain, self._record, self._bounds.values)

    @property
    def total(self) -> int:
        """How many entries there are to do, for a progress bar."""
        size = sum(min(self.sample or np.inf, self._record[tensor.name].size) for tensor in self.checked)
        return int(2 * size)

    def _link(self, step: Step, given: str) -> Iterator[Check]:
        gradient = self.gradients[given].astype(np.float64)
        measure = WeightedSum(gradient, self._own_bounds.of_step(step), self._own_bounds.relative([step]))
        for tensor, bound in zip(step.reads, self._bounds.link(step, gradient), strict=True):
            if tensor.gradient.name in self.gradients:
                check = self._judge(self._probe([step], tensor, measure), tensor, bound, given)
                if isinstance(step, KinkedStep) and step.selects and not step.overlaps and check.passed:
                    check = self._together(step, check, gradient)
                if self.conventions and check.kinks.any():
                    read = (self._record[each.name] for each in step.reads)
                    answers = follow(self._chain, self.conventions).backward(step, gradient, *read)
                    check = hold(check, answers[step.reads.index(tensor)])
                yield check

    def _together(self, step: KinkedStep, check: Check, gradient: Array) -> Check:
        """Of a pooling step that passed entry by entry: what tied maxima get together must be what the window got.

        Each of them alone may have any share; but moved together they move the maximum just as one of them would.
        """
        dA = self.gradients[check.name].astype(np.float64)
        tied = find_tied(step, self._record, self._bounds.values)  # (…, s²)
        given = np.where(tied, step.candidates(dA), 0)
        shares, sizes = given.sum(axis=-1), np.abs(given).sum(axis=-1) + np.abs(gradient)
        wrong = ~(np.abs(shares - gradient) <= (tied.sum(axis=-1) + 1) * self._bounds.u * sizes)
        if not wrong.any():
            return check
        places = step.candidates(np.arange(dA.size).reshape(dA.shape))  # (…, s²)
        failed = np.isin(check.entries, places[tied & wrong[..., None]])
        window = tuple(int(i) for i in np.argwhere(wrong)[0])
        got, want = tell_apart(shares[window], gradient[window])
        problem = f"gives the tied maxima of window {list(window[1:])} together {got} instead of {want}"
        return Check(**{**check.__dict__, "failed": failed, "kinks": check.kinks & ~failed, "problem": problem})

    def _probe(self, steps: Sequence[Step], tensor: Tensor, measure: Measure) -> Probe:
        return Probe(steps, self._record, tensor.name, measure, self._bounds.values)

    def _judge(self, probe: Probe, tensor: Tensor, bound: Array, given: str | None) -> Check:
        gradient, entries = self.gradients[tensor.gradient.name], self._sample(probe.size)
        return judge(probe, self.method, tensor, gradient, bound, entries, given=given, advance=self.advance)

    def _sample(self, size: int) -> Labels:
        """All entries, or one at random from each of N equal parts of the tensor."""
        if self.sample is None or self.sample >= size:
            return np.arange(size)
        random = np.random.default_rng([self.seed, size])
        return ((np.arange(self.sample) + random.random(self.sample)) * size / self.sample).astype(np.intp)

    @property
    def _chain(self) -> Chain:
        return build_chain(self.subject.architecture)

    @cached_property
    def _record(self) -> Record:
        """The recorded pass. Raises DataError where its numbers overflow: then nothing can be told of them."""
        subject = self.subject
        record = self.given or Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
        told = [*self._chain.forward, *(tensor.gradient.name for tensor in self._chain.gradients.values())]
        for name in told:
            if not np.isfinite(record[name]).all():
                raise DataError(f"{name} is not finite with numbers as large as these: nothing can be checked")
        return record

    @cached_property
    def _declared(self) -> Record:
        """The pass with the declared conventions."""
        chain, subject = follow(self._chain, self.conventions), self.subject
        return Textbook(subject.architecture, chain).record(subject.parameters, subject.X, subject.y)

    @cached_property
    def _bounds(self) -> Bounds:
        """How far the gradients and the second opinion, which is computed in float64, may be apart."""
        u, precision = self.eps / 2, np.float64 if self.eps <= EPS else np.float32
        u_input = u if u > U64 else 0.0
        tiny = float(np.finfo(precision).tiny)
        return Bounds(self._chain, self._record, u + U64, tiny, u_input=u_input, cancels=self.foreign)

    @cached_property
    def _own_bounds(self) -> Bounds:
        """The errors of the second opinion's own forward passes."""
        return Bounds(self._chain, self._record, U64, float(np.finfo(np.float64).tiny))

    @cached_property
    def _loss(self) -> Loss:
        chain, own, y = self._chain, self._own_bounds, self.subject.y
        return Loss(chain.output, y, self._record[chain.logit.gradient.name], own.losses, own.relative(chain.steps))

    @property
    def checked(self) -> list[Tensor]:
        """The tensors whose derivatives are to be checked, in the order of the chain."""
        return [tensor for tensor in self._chain.gradients.values() if tensor.gradient.name in self.gradients]
