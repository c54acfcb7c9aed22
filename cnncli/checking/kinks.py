"""How large the terms of every value are, and which units sit on a kink.

Rounding grows with the sum of the sizes of the terms, not with the value, whose terms may cancel. So the same pass on
absolute values says how much of each value, and of each derivative, rounding may have changed.
"""

from dataclasses import dataclass

import numpy as np

from cnncli.checking.probe import candidates
from cnncli.network.arrays import Array
from cnncli.network.record import Record
from cnncli.network.textbook import Link, Textbook

CONVENTION = "relu′(0) = 0; of equal maxima the first takes the gradient"


@dataclass(frozen=True)
class Ties:
    """Units that sit on a kink, up to rounding; the convention decides what their gradient is."""

    relus: int  # Z = 0
    windows: int  # equal positive maxima
    dead_windows: int  # every number 0: the relu's mask removes the gradient


def forward_sizes(textbook: Textbook, record: Record) -> dict[str, Array]:
    """For each value up to the logit the sum of the sizes of its terms."""
    sizes = {name: np.abs(record[name]) for name in ("X", *textbook.architecture.parameter_shapes)}
    for link in textbook.links:
        sizes[link.output] = link.function(sizes[link.source], *(sizes[name] for name in link.parameters))
    return sizes


def gradient_sizes(textbook: Textbook, record: Record, sizes: dict[str, Array], dL_dz: Array) -> dict[str, Array]:
    """For each derivative behind dL/dz the sum of the sizes of its terms; `dL_dz` is the size that it starts with."""
    terms = Record()
    for step in record:
        kept = step.kind == "forward" and step.name[0] in "ZA"  # they choose the piece
        terms.add(step.name, step.kind, step.value if kept else sizes.get(step.name, step.value))
        if step.name == "L":
            break
    terms.add(f"dL/d{textbook.architecture.logit}", "gradient", dL_dz)
    textbook.backward_from_logit(terms)
    return {step.name: step.value for step in terms if step.name.startswith("dL/d")}


def link_sizes(link: Link, record: Record, gradient: Array) -> tuple[Array, ...]:
    """For each derivative that a link alone gives the sum of the sizes of its terms."""
    source = record[link.source]
    return link.backward(
        source if link.candidates else np.abs(source),
        *(np.abs(record[name]) for name in link.parameters),
        np.abs(gradient),
    )


def count_ties(textbook: Textbook, record: Record, rounding: dict[str, Array]) -> Ties:
    """The units on a kink, each counted once; `rounding` as of a probe."""
    relus = windows = dead = 0
    for link in textbook.links:
        if not link.candidates:
            continue
        tied = tied_candidates(link, record, rounding).sum(axis=-1) > 1
        if link.output.startswith("A"):
            relus += int(tied.sum())
        else:
            empty = record[link.output] <= candidates(link, rounding[link.source]).max(axis=-1)
            dead += int((tied & empty).sum())
            windows += int((tied & ~empty).sum())
    return Ties(relus, windows, dead)


def tied_candidates(link: Link, record: Record, rounding: dict[str, Array]) -> Array:
    """Which candidates of each maximum are as large as the winner, up to rounding: (…, candidates)."""
    values = candidates(link, record[link.source])
    tie = candidates(link, rounding[link.source]).max(axis=-1, keepdims=True)
    tied: Array = values >= values.max(axis=-1, keepdims=True) - tie
    return tied
