"""What somebody's code does on a kink, where they declare it: then a kink is no excuse for anything else."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cnncli.checking.check import Check
from cnncli.diagnosis.mistakes import CONVENTIONS
from cnncli.errors import UsageError
from cnncli.network.arrays import Array
from cnncli.network.chain import Chain


def read_conventions(text: str) -> tuple[str, ...]:
    """The names in a list with commas. Raises UsageError for one that there is not, and for two of one kind."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in CONVENTIONS:
            raise UsageError(f"{name!r} is no convention, there are {', '.join(CONVENTIONS)}", argument="convention")
    if len({CONVENTIONS[name][0] for name in names}) < len(names):
        raise UsageError(f"{text} are two conventions for the same: choose one", argument="convention")
    return names


def follow(chain: Chain, conventions: Sequence[str]) -> Chain:
    """The chain whose backward pass follows some conventions."""
    declared = [mistake for name in conventions if (mistake := CONVENTIONS[name][1])]
    return replace(chain, exchanged={mistake.kind: mistake.function for mistake in declared})


def hold(check: Check, expected: Array) -> Check:
    """A check whose entries on kinks must be what a convention gives: (shape of the gradient)."""
    wanted = np.where(check.kinks, expected.ravel()[check.entries], check.numeric)
    off = np.abs(check.analytic - wanted) > check.tolerance
    nothing = np.zeros_like(check.kinks)
    return replace(check, numeric=wanted, failed=check.failed | (check.kinks & off), kinks=nothing)
