"""What an extrapolation is trusted for covers what it is off by, even where differences agree by chance."""

from typing import cast

import numpy as np
import pytest

from cnncli.checking.methods import EPS, RICHARDSON_STEP, SHRINK, STEPS, _richardson
from cnncli.checking.probe import Probe
from cnncli.network.arrays import Array, Labels

Differences = tuple[Array, Array]


class Curves:
    """Stands for a probe of entries whose derivatives are 1; a difference with the step h is 1 + h² − bend·h⁴."""

    def __init__(self, bends: Array) -> None:
        self._bends = bends

    def sizes(self, entries: Labels) -> Array:
        return np.ones(len(entries))

    def differences(self, entries: Labels, h: Array, _reached: Array) -> Differences:
        return 1 + h**2 - self._bends[entries] * h**4, EPS / h


@pytest.mark.parametrize("number", range(STEPS - 3))
def test_two_differences_that_agree_by_chance_are_not_trusted(number: int) -> None:
    """With these bends the differences of two steps that follow each other are equal, or nearly."""
    longer = RICHARDSON_STEP / SHRINK**number
    equal = 1 / (longer**2 * (1 + SHRINK**-2))
    bends = equal * (1 + np.array([0, 1e-12, 1e-9, 1e-6]))
    entries = np.arange(len(bends))
    first = np.full(len(bends), RICHARDSON_STEP)
    value, error = _richardson(cast("Probe", Curves(bends)), entries, np.ones(0), first)
    assert (np.abs(value - 1) <= error).all()
    assert (error < 1e-12).all()
