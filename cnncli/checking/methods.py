"""Three second opinions on a derivative, none of which knows a backward pass.

complex-step: φ(x + ih) has the imaginary part h·dφ/dx; nothing is subtracted, so it is exact to rounding, and since the
real part does not move it never leaves the linear piece (Squire and Trapp 1998, doi:10.1137/S003614459631241X).

central: (φ(x+h) - φ(x-h)) / 2h with h and h/2; what the two differ by bounds the error.

richardson: central differences with shrinking steps, extrapolated to the step 0; of all the extrapolations the one that
agrees best with its neighbours, whose disagreement is the error (Ridders 1982, doi:10.1016/S0141-1195(82)80057-0).

The last two work in real numbers and take their step inside the reach that the probe certifies. Where even the shortest
useful step is longer than that, the entry is on a kink, and only its two one-sided derivatives can be told.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnncli.checking.probe import COMPLEX_STEP, Probe
from cnncli.network.arrays import Array, Labels

Method = Literal["complex-step", "central", "richardson"]
METHODS: tuple[Method, ...] = ("complex-step", "central", "richardson")
Flags = NDArray[np.bool_]

EPS = float(np.finfo(np.float64).eps)
CENTRAL_STEP = 1e-4  # how far the logit may move
RICHARDSON_STEP = 0.2  # how far the logit may move at first
SHRINK = 1.4  # from one Richardson step to the next
STEPS = 10
SHORTEST_STEP = 1e-8  # below it rounding drowns the difference
SIDE_STEP = 1e-6  # of a one-sided difference across a kink


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
    return _take_differences(probe, entries, _central if method == "central" else _richardson)


def _take_differences(
    probe: Probe, entries: Labels, difference: Callable[[Probe, Labels, Array, Array], tuple[Array, Array]]
) -> Opinion:
    """Differences inside the reach where there is room for a step, one-sided ones elsewhere."""
    distance, scale = probe.reach(entries)
    room = distance / 2
    kinks = room < SHORTEST_STEP / np.maximum(scale, 1)
    value, uncertainty = difference(probe, entries, np.where(kinks, 1, room), scale)
    # The certificate is exact; that the step stayed on the piece is confirmed all the same.
    step = np.minimum(_step(RICHARDSON_STEP, scale), room)
    kinks |= ~kinks & (probe.leaves_piece(entries, step) | probe.leaves_piece(entries, -step))
    below, above = value.copy(), value.copy()
    if kinks.any():
        below[kinks], above[kinks], uncertainty[kinks] = _take_sides(probe, entries[kinks], scale[kinks])
        # Of several units on a kink at once the convention may make a derivative that is on neither side.
        convention = probe.slopes(entries[kinks])
        sides = np.array([below[kinks], above[kinks], convention])
        parted = np.ptp(sides, axis=0) > 2 * uncertainty[kinks]
        value[kinks] = np.where(parted, convention, sides[:2].mean(axis=0))
        kinks[kinks] = parted
    return Opinion(value, uncertainty, kinks, below, above)


def _central(probe: Probe, entries: Labels, room: Array, scale: Array) -> tuple[Array, Array]:
    h = np.minimum(_step(CENTRAL_STEP, scale), room)
    coarse, fine = _difference(probe, entries, h), _difference(probe, entries, h / 2)
    return fine, np.abs(fine - coarse) + _rounding(probe, h / 2)


def _richardson(probe: Probe, entries: Labels, room: Array, scale: Array) -> tuple[Array, Array]:
    h = np.minimum(_step(RICHARDSON_STEP, scale), room)
    before = [_difference(probe, entries, h)]
    value, error, rounding = before[0].copy(), np.full(len(h), np.inf), _rounding(probe, h)
    for _ in range(1, STEPS):
        h = h / SHRINK
        row = [_difference(probe, entries, h)]
        for order, previous in enumerate(before, start=1):
            factor = SHRINK ** (2 * order)
            extrapolated = (factor * row[-1] - previous) / (factor - 1)
            disagreement = np.maximum(np.abs(extrapolated - row[-1]), np.abs(extrapolated - previous))
            better = disagreement < error
            value, error = np.where(better, extrapolated, value), np.where(better, disagreement, error)
            rounding = np.where(better, _rounding(probe, h), rounding)
            row.append(extrapolated)
        before = row
    return value, error + rounding


def _step(logit: float, scale: Array) -> Array:
    """The step that moves the outputs by so much, at most 1."""
    return np.minimum(logit / np.maximum(scale, logit), 1)


def _difference(probe: Probe, entries: Labels, h: Array) -> Array:
    slope: Array = (probe.measure_changed(entries, h) - probe.measure_changed(entries, -h)) / (2 * h)
    return slope


def _take_sides(probe: Probe, entries: Labels, scale: Array) -> tuple[Array, Array, Array]:
    """The slopes below and above, and their error: how much half the step changes them, and rounding."""
    h = SIDE_STEP / np.maximum(scale, 1)
    here = probe.measure_changed(entries, np.zeros(len(h)))

    def slopes(step: Array) -> tuple[Array, Array]:
        return (here - probe.measure_changed(entries, -step)) / step, (
            probe.measure_changed(entries, step) - here
        ) / step

    coarse, (below, above) = slopes(h), slopes(h / 2)
    curvature = np.maximum(np.abs(below - coarse[0]), np.abs(above - coarse[1]))
    return below, above, 2 * curvature + _rounding(probe, h / 2)


def _rounding(probe: Probe, h: Array) -> Array:
    """What rounding of the measured number makes of a difference over h."""
    rounding: Array = 16 * EPS * probe.terms / h
    return rounding
