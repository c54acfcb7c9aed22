"""Every derivative against a second opinion, through the whole chain and link by link.

Through the whole chain: dL/d of a tensor is what L does when one entry of it changes. Link by link: given the gradient
of its output, a link alone must answer with the right gradient of its source and of its parameters, so that of a wrong
backward pass the first wrong link can be told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from cnncli.checking.check import OF_TERMS, Advance, Check, judged
from cnncli.checking.kinks import Ties, count_ties, forward_sizes, gradient_sizes, link_sizes, tied_candidates
from cnncli.checking.methods import EPS, Method
from cnncli.checking.probe import Probe, candidates, the_loss, weighted_sum
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.record import Record
from cnncli.network.textbook import Gradients, Link, Textbook
from cnncli.subject.subject import Subject


class Engine(Protocol):
    """Anything that trains: its gradients can be checked."""

    def loss_and_gradients(self, parameters: Parameters, images: Array, labels: Labels) -> Gradients:
        """L, dL/d of every parameter under its name, and the logits."""


def engine_gradients(engine: Engine, subject: Subject) -> dict[str, Array]:
    """What an engine answers, under the names of the derivatives; a textbook engine answers every one of the chain."""
    if isinstance(engine, Textbook):
        record = engine.record(subject.parameters, subject.X, subject.y)
        return {step.name: step.value for step in record if step.name.startswith("dL/d")}
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

    def checks(self) -> Iterator[Check]:
        """Every derivative through the whole chain, in the order in which the chain takes them."""
        textbook, record = self._textbook, self._record
        sizes = gradient_sizes(textbook, record, self._sizes, self._size_of_dL_dz)
        for name in self._names:
            start = next((i for i, link in enumerate(self._links) if name in (link.source, *link.parameters)), None)
            links = [] if start is None else self._links[start:]
            terms = float(np.abs(record["L"]) + (np.abs(record[self._dL_dz]) * self._sizes[self._z]).sum())
            probe = Probe(links, record, name, the_loss(textbook, self.subject.y), self._rounding, terms)
            yield self._judged(probe, self.gradients[f"dL/d{name}"], sizes[f"dL/d{name}"], None)

    def links(self) -> Iterator[Check]:
        """Every link alone whose given gradient and whose answer are both known, from L backwards."""
        if self._dL_dz in self.gradients:
            probe = Probe([], self._record, self._z, the_loss(self._textbook, self.subject.y), self._rounding)
            probe.terms = float(np.abs(self._record["L"]))
            yield self._judged(probe, self.gradients[self._dL_dz], self._size_of_dL_dz, "L")
        for link in reversed(self._links):
            given = f"dL/d{link.output}"
            if given in self.gradients and self.gradients[given].shape == self._record[link.output].shape:
                yield from self._link(link, given)

    def ties(self) -> Ties:
        """The units of the record that sit on a kink."""
        return count_ties(self._textbook, self._record, self._rounding)

    @property
    def total(self) -> int:
        """How many entries there are to do, for a progress bar."""
        size = sum(min(self.sample or np.inf, self._record[name].size) for name in self._names)
        return int(2 * size)

    def _link(self, link: Link, given: str) -> Iterator[Check]:
        gradient = self.gradients[given].astype(np.float64)
        terms = float((np.abs(gradient) * self._sizes[link.output]).sum())
        sizes = link_sizes(link, self._record, gradient)
        for name, size in zip((link.source, *link.parameters), sizes, strict=True):
            if f"dL/d{name}" in self.gradients:
                probe = Probe([link], self._record, name, weighted_sum(gradient), self._rounding, terms)
                check = self._judged(probe, self.gradients[f"dL/d{name}"], size, given)
                if link.output.startswith("P") and check.passed:
                    check = self._together(link, check, gradient)
                yield check

    def _together(self, link: Link, check: Check, gradient: Array) -> Check:
        """Of a pooling link that passed entry by entry: what tied maxima get together must be what the window got.

        Each of them alone may have any share; but moved together they move the maximum just as one of them would.
        """
        dA = self.gradients[check.name].astype(np.float64)
        tied = tied_candidates(link, self._record, self._rounding)  # (…, s²)
        shares = np.where(tied, candidates(link, dA), 0).sum(axis=-1)
        wrong = np.abs(shares - gradient) > 2 * OF_TERMS * 4 * self.eps * np.abs(gradient)
        if not wrong.any():
            return check
        places = candidates(link, np.arange(dA.size).reshape(dA.shape))  # (…, s²)
        failed = np.isin(check.entries, places[tied & wrong[..., None]])
        window = tuple(int(i) for i in np.argwhere(wrong)[0])
        problem = (
            f"gives the tied maxima of window {list(window[1:])} together {shares[window]:.6g} "
            f"instead of {gradient[window]:.6g}"
        )
        return Check(**{**check.__dict__, "failed": failed, "kinks": check.kinks & ~failed, "problem": problem})

    def _judged(self, probe: Probe, gradient: Array, sizes: Array, given: str | None) -> Check:
        entries = self._sampled(probe.size)
        return judged(probe, self.method, gradient, sizes, entries, given=given, eps=self.eps, advance=self.advance)

    def _sampled(self, size: int) -> Labels:
        """All entries, or one at random from each of N equal parts of the tensor."""
        if self.sample is None or self.sample >= size:
            return np.arange(size)
        random = np.random.default_rng([self.seed, size])
        return ((np.arange(self.sample) + random.random(self.sample)) * size / self.sample).astype(np.intp)

    @cached_property
    def _textbook(self) -> Textbook:
        return Textbook(self.subject.architecture)

    @cached_property
    def _record(self) -> Record:
        return self._textbook.record(self.subject.parameters, self.subject.X, self.subject.y)

    @cached_property
    def _links(self) -> list[Link]:
        return self._textbook.links

    @cached_property
    def _sizes(self) -> dict[str, Array]:
        return forward_sizes(self._textbook, self._record)

    @cached_property
    def _rounding(self) -> dict[str, Array]:
        return {name: OF_TERMS * self.eps * size for name, size in self._sizes.items()}

    @cached_property
    def _size_of_dL_dz(self) -> Array:
        """The size of the terms of dL/dz, and what it may be off because z is."""
        start = np.abs(self._record[self._dL_dz])
        if self.foreign:
            start = start + self._record[self.subject.architecture.probability] / len(self.subject.y)
        size: Array = start + np.abs(self._record[self._dL_dz]) * self._sizes[self._z]
        return size

    @property
    def _z(self) -> str:
        return self.subject.architecture.logit

    @property
    def _dL_dz(self) -> str:
        return f"dL/d{self._z}"

    @property
    def _names(self) -> list[str]:
        """The tensors whose derivatives are to be checked, in the order of the chain."""
        architecture = self.subject.architecture
        order = [name.removeprefix("dL/d") for name in architecture.gradient_shapes if name.startswith("dL/d")]
        return [name for name in order if name != architecture.probability and f"dL/d{name}" in self.gradients]
