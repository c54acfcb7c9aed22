"""The derivative of φ(x) = Σ g·f(x) along a direction, and how far it can be trusted; no backward pass is known here.

In real numbers: central differences with shrinking steps, extrapolated to 0; the extrapolation whose neighbours and
whose noise leave the least doubt (after Ridders 1982, doi:10.1016/S0141-1195(82)80057-0). The noise of f is measured by
tables of differences over tiny steps, in which what is smooth vanishes (Moré and Wild 2011, doi:10.1137/100786125).

By a complex step, where f takes one: exact to rounding. That f does not break it is seen by its real part and by the
agreement with the differences.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np

from cnncli.network.arrays import Array
from cnncli.vjp.calls import Function, Misbehaved

SHRINK = 2.0  # from one step to the next
LONGEST, STEPS = 2.0**-5, 26  # of the steps, as a part of the size of the input
COMPLEX_STEP = 2.0**-100
SPACINGS = (2.0**-46, 2.0**-34, 2.0**-24)  # of the points between which the noise is measured
ORDERS = (4, 5, 6)  # of the differences that are taken for noise
SAFETY = 8  # times the measured noise: it is the mean of a few numbers


class Estimate(NamedTuple):
    """A number and the error that it may have."""

    value: float
    error: float

    def divided(self, scale: float) -> "Estimate":
        """The same per unit, of a direction that was `scale` long."""
        return Estimate(self.value / scale, self.error / scale)


@dataclass
class Line:
    """φ along x + t·d, where only one of the inputs moves; `scale` is the size of its numbers."""

    f: Function
    inputs: Sequence[Array]
    moved: int
    direction: Array
    g: Array
    noise: float = 0.0

    def at(self, t: float) -> Array:
        """f(x + t·d)."""
        return self.f.real(self._place(t))

    def at_complex(self, h: float) -> Array:
        """f(x + ih·d), with the inputs of whole numbers as they are. Raises Misbehaved."""
        return self.f.array(self._place(1j * h))

    def _place(self, t: complex) -> list[Array]:
        arguments = list(self.inputs)
        x = arguments[self.moved]
        moved = x + t * self.direction
        arguments[self.moved] = moved.astype(np.result_type(x, moved.dtype if isinstance(t, complex) else x))
        return arguments

    def weigh(self, change: Array) -> float:
        """Σ g·change."""
        return float((self.g * change).sum())

    def measure_noise(self) -> float:
        """How uncertain φ is, near x, by its own rounding."""
        largest = 0.0
        for spacing in SPACINGS:
            table = np.array([self.weigh(self.at(number * spacing) - self.at(0.0)) for number in range(ORDERS[-1] + 1)])
            for order in range(1, ORDERS[-1] + 1):
                table = np.diff(table)
                if order in ORDERS:
                    of_order = factorial(order) ** 2 / factorial(2 * order)
                    largest = max(largest, float(np.sqrt(of_order * (table**2).mean())))
        return SAFETY * largest

    def differentiate(self) -> Estimate:
        """dφ/dt at 0 by extrapolated central differences."""
        return self._extrapolate(lambda h: self.weigh(self.at(h) - self.at(-h)) / (2 * h), 2)

    def differentiate_side(self, side: int) -> Estimate:
        """The one-sided derivative above (1) or below (-1)."""
        here = self.at(0.0)
        return self._extrapolate(lambda h: side * self.weigh(self.at(side * h) - here) / h, 1)

    def differentiate_complex(self) -> float:
        """dφ/dt at 0 by a complex step. Raises Misbehaved where f does not take it."""
        value = self.at_complex(COMPLEX_STEP)
        if value.dtype.kind != "c":
            raise Misbehaved("f gives back real numbers for complex ones")
        return self.weigh(value.imag / COMPLEX_STEP)

    def remainder_order(self, slope: float) -> float:
        """p of |φ(h) − φ(0) − h·slope| ~ h^p over the steps at which it stands out from the noise; NaN if at none.

        2 for the right slope of a smooth function, 1 for a wrong one.
        """
        here, points = self.at(0.0), []
        for number in range(0, STEPS, 2):
            h = LONGEST * SHRINK**-number
            rest = max(abs(self.weigh(self.at(side * h) - here) - side * h * slope) for side in (-1, 1))
            if rest > 16 * self.noise and rest > 0:
                points.append((np.log(h), np.log(rest)))
        if len(points) < 3:
            return float("nan")
        h, rest = np.array(points[-4:]).T
        return float(np.polyfit(h, rest, 1)[0])

    def _extrapolate(self, difference: Callable[[float], float], power: int) -> Estimate:
        """The extrapolation in powers of h^power that leaves the least doubt."""
        before: list[Estimate] = []
        best = Estimate(0.0, float("inf"))
        for number in range(STEPS):
            h = LONGEST * SHRINK**-number
            try:
                row = [Estimate(difference(h), self.noise / h)]
            except Misbehaved:  # so far away f may not be defined
                before = []
                continue
            for order, previous in enumerate(before[:4], start=1):
                factor = SHRINK ** (power * order)
                value = (factor * row[-1].value - previous.value) / (factor - 1)
                noise = (factor * row[-1].error + previous.error) / (factor - 1)
                doubt = max(abs(value - row[-1].value), abs(value - previous.value)) + noise
                best = Estimate(value, doubt) if doubt < best.error else best
                row.append(Estimate(value, noise))
            before = row
        return best
