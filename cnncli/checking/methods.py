"""Three second opinions on a derivative, none of which knows a backward pass.

complex-step: φ(x + ih) has the imaginary part h·dφ/dx; nothing is subtracted, so it is exact to rounding, and since the
real part does not move it never leaves the linear piece (Squire and Trapp 1998, doi:10.1137/S003614459631241X).

central: (φ(x+h) - φ(x-h)) / 2h with h and h/2; what the two differ by bounds the error.

richardson: central differences with shrinking steps, extrapolated to the step 0; of all the extrapolations the one that
agrees best with its neighbours, whose disagreement is the error (Ridders 1982, doi:10.1016/S0141-1195(82)80057-0).

The last two work in real numbers and take their step inside the reach that the probe certifies, however short: the
rounding of a short step is part of its error. Where the reach itself is no more than rounding, the entry is on a kink;
there only the slopes of the pieces that meet can be told, and they come from complex steps along each.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnncli.checking.probe import COMPLEX_STEP, Probe, Reach
from cnncli.network.arrays import Array, Labels

Method = Literal["complex-step", "central", "richardson"]
METHODS: tuple[Method, ...] = ("complex-step", "central", "richardson")
Flags = NDArray[np.bool_]
Difference = Callable[[Probe, Labels, Array, Array], tuple[Array, Array]]

EPS = float(np.finfo(np.float64).eps)
CENTRAL_STEP = 1e-4  # how far the logit may move
RICHARDSON_STEP = 0.2  # how far the logit may move at first
SHRINK = 1.4  # from one Richardson step to the next
STEPS = 10


class Opinion(NamedTuple):
    """What a method says of E entries. `below` and `above` are the one-sided derivatives, of kinks alone."""

    value: Array
    uncertainty: Array  # the error of the method itself, without the rounding of the single terms
    kinks: Flags
    below: Array
    above: Array


def opinion(method: Method, probe: Probe, entries: Labels) -> Opinion:
    """The derivative of the probe's number for each of the entries."""
    if method == "complex-step":
        value = probe.slopes(entries)
        underflow = np.full(len(value), np.finfo(np.float64).tiny / COMPLEX_STEP)
        return Opinion(value, underflow, np.zeros(len(value), bool), value, value)
    if method == "central":
        return _take_differences(probe, entries, _central, CENTRAL_STEP)
    return _take_differences(probe, entries, _richardson, RICHARDSON_STEP)


def _take_differences(probe: Probe, entries: Labels, difference: Difference, movement: float) -> Opinion:
    """Differences inside the reach, and on a kink the slopes of the pieces that meet there.

    Those are asked too where the numbers are so large that their last place alone is a longer step than there is room.
    """
    reach = probe.reach(entries)
    step = _choose_step(probe, reach, movement)
    h = _make_exact(step, probe.sizes(entries))
    value, uncertainty = difference(probe, entries, reach.reached, h)
    kinks = reach.on_kink | (step < 2 * np.spacing(probe.sizes(entries)))
    # The certificate is exact; that the step stayed on the piece is confirmed all the same.
    kinks |= probe.leaves_piece(entries, h) | probe.leaves_piece(entries, -h)
    below, above = value.copy(), value.copy()
    if kinks.any():
        on_kink = entries[kinks]
        value[kinks], uncertainty[kinks] = probe.slopes(on_kink), 0
        below[kinks], above[kinks] = (probe.sided_slopes(on_kink, side) for side in (-1, 1))
        least, largest = probe.slope_ranges(on_kink)
        kinks[kinks] = largest > least
    return Opinion(value, uncertainty, kinks, below, above)


def _central(probe: Probe, entries: Labels, reached: Array, h: Array) -> tuple[Array, Array]:
    (coarse, _), (fine, rounding) = probe.differences(entries, h, reached), probe.differences(entries, h / 2, reached)
    return fine, np.abs(fine - coarse) + rounding


def _richardson(probe: Probe, entries: Labels, reached: Array, first: Array) -> tuple[Array, Array]:
    before: list[tuple[Array, Array]] = []
    value, error = np.zeros(len(first)), np.full(len(first), np.inf)
    for number in range(STEPS):
        h = _make_exact(first / SHRINK**number, probe.sizes(entries))
        row = [probe.differences(entries, h, reached)]
        for order, (previous, previous_rounding) in enumerate(before, start=1):
            (latest, latest_rounding), factor = row[-1], SHRINK ** (2 * order)
            extrapolated = (factor * latest - previous) / (factor - 1)
            rounding = (factor * latest_rounding + previous_rounding) / (factor - 1)
            if order < len(before):
                neighbours = latest, previous, before[order][0]  # that all three agree by chance is rare
                disagreement = np.max([np.abs(extrapolated - neighbour) for neighbour in neighbours], axis=0)
                better = disagreement + rounding < error
                value, error = np.where(better, extrapolated, value), np.where(better, disagreement + rounding, error)
            row.append((extrapolated, rounding))
        before = row
    return value, error


def _choose_step(probe: Probe, reach: Reach, movement: float) -> Array:
    """The step that the measured number bears, or a quarter of the reach if that is shorter."""
    room = np.where(reach.on_kink, np.inf, reach.distance / 4)
    largest = float(np.abs(probe.values[probe.name]).max(initial=0)) or 1.0
    wanted = probe.measure.suggest_step(reach.scale, movement, largest)
    step: Array = np.minimum(wanted, room)
    return step


def _make_exact(h: Array, size: Array) -> Array:
    """The nearest step that x ± h and x ± h/2 take without rounding, and at least some last places of x."""
    exact: Array = 2 * np.maximum((size + h / 2) - size, np.spacing(size))
    return exact
