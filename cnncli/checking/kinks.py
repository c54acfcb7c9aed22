"""How large the terms of every value are, and which units sit on a kink.

Rounding grows with the sum of the sizes of the terms, not with the value, whose terms may cancel. So the same pass on
absolute values says how much of each value, and of each derivative, rounding may have changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array
from cnncli.network.chain import Chain
from cnncli.network.record import Record
from cnncli.network.steps.step import KinkedStep, Step


@dataclass(frozen=True)
class Ties:
    """Units that sit on a kink, up to rounding; the convention decides what their gradient is."""

    counts: Mapping[str, int]  # by sort: "relus"
    words: Mapping[str, str]  # how each sort is called: "units with Z = 0"
    convention: str


def forward_sizes(chain: Chain, record: Record) -> dict[str, Array]:
    """For each value up to the logit the sum of the sizes of its terms."""
    sizes = {name: np.abs(record[name]) for name in (chain.image.name, *chain.parameters)}
    for step in chain.steps:
        sizes[step.output.name] = step.forward(*(sizes[tensor.name] for tensor in step.reads))
    return sizes


def gradient_sizes(chain: Chain, record: Record, sizes: Mapping[str, Array], dL_dz: Array) -> dict[str, Array]:
    """For each derivative behind dL/dz the sum of the sizes of its terms; `dL_dz` is the size that it starts with."""
    gradients = {chain.logit.gradient.name: dL_dz}
    for step in reversed(chain.steps):
        parts = _backward_sizes(step, gradients[step.output.gradient.name], record, sizes)
        gradients |= {tensor.gradient.name: part for tensor, part in zip(step.reads, parts, strict=True)}
    return gradients


def step_sizes(step: Step, record: Record, gradient: Array) -> tuple[Array, ...]:
    """For each derivative that a step alone gives the sum of the sizes of its terms."""
    absolute = {tensor.name: np.abs(record[tensor.name]) for tensor in step.reads}
    return _backward_sizes(step, np.abs(gradient), record, absolute)


def count_ties(chain: Chain, record: Record, rounding: Mapping[str, Array]) -> Ties:
    """The units on a kink, each counted once; `rounding` as of a probe."""
    counts: dict[str, int] = {}
    words: dict[str, str] = {}
    conventions: dict[str, None] = {}
    for step in chain.steps:
        if isinstance(step, KinkedStep):
            tied = tied_candidates(step, record, rounding).sum(axis=-1) > 1
            empty = record[step.output.name] <= step.candidates(rounding[step.source.name]).max(axis=-1)
            for sort, count in step.count_ties(tied, empty).items():
                counts[sort] = counts.get(sort, 0) + count
            words |= step.ties
            conventions[step.convention] = None
    return Ties(counts, words, "; ".join(conventions))


def tied_candidates(step: KinkedStep, record: Record, rounding: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Which candidates of each maximum are as large as the winner, up to rounding: (…, candidates)."""
    values = step.candidates(record[step.source.name])
    tie = step.candidates(rounding[step.source.name]).max(axis=-1, keepdims=True)
    tied: NDArray[np.bool_] = values >= values.max(axis=-1, keepdims=True) - tie
    return tied


def _backward_sizes(step: Step, gradient: Array, record: Record, sizes: Mapping[str, Array]) -> tuple[Array, ...]:
    source, *parameters = (sizes[tensor.name] for tensor in step.reads)
    if isinstance(step, KinkedStep):
        source = record[step.source.name]  # it chooses the piece
    return step.backward(gradient, source, *parameters)
