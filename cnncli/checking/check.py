"""One derivative, held entry by entry against a second opinion: PASS, FAIL or KINK."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cnncli.checking.methods import Flags, Method, Opinion, opinion
from cnncli.checking.probe import Probe
from cnncli.network.arrays import Array, Labels
from cnncli.network.tensors import Shape, Tensor

Advance = Callable[[int], None]  # told how many entries have been done


@dataclass(frozen=True)
class Check:
    """One derivative and the entries of it that were checked, E of them."""

    tensor: Tensor  # whose derivative it is: w1
    given: str | None  # "dL/dZ1" where one link was checked alone; None for the whole chain from here to L
    shape: Shape  # with the batch axis, if it has one
    entries: Labels  # (E,) flat indices
    analytic: Array  # (E,) what is checked
    numeric: Array  # (E,) the second opinion
    tolerance: Array  # (E,) the error that each entry may have
    below: Array  # (E,) the one-sided derivatives; equal to numeric where there is no kink
    above: Array
    kinks: Flags  # (E,) the gradient lies between the one-sided derivatives of a unit on a kink
    failed: Flags  # (E,)
    units: tuple[str, ...] = ()  # some of the units on a kink: "A1[0,2,3]"
    problem: str = ""  # what is wrong with the array as a whole, instead of with its entries

    @property
    def name(self) -> str:
        """The derivative: "dL/dw1"."""
        return self.tensor.gradient.name

    @property
    def passed(self) -> bool:
        """Whether no entry failed."""
        return not self.problem and not self.failed.any()

    @property
    def verdict(self) -> str:
        """PASS, KINK or FAIL."""
        if not self.passed:
            return "FAIL"
        return "KINK" if self.kinks.any() else "PASS"

    @property
    def label(self) -> str:
        """The derivative, or the link: "dL/dP1 → dL/dA1"."""
        return f"{self.given} → {self.name}" if self.given else self.name

    @cached_property
    def absolute_errors(self) -> Array:
        """|a - n| of every entry; 0 at a kink, where there is no one n."""
        return np.where(self.kinks, 0, np.abs(self.analytic - self.numeric))

    @cached_property
    def relative_errors(self) -> Array:
        """|a - n| / max(|a|, |n|) of every entry; 0 where both are 0, or no more than rounding noise."""
        size = np.maximum(np.abs(self.analytic), np.abs(self.numeric))
        noise = size <= self.tolerance
        return np.where(noise, 0, self.absolute_errors / np.where(noise, 1, size))

    def most_wrong(self, most: int) -> list[int]:
        """The failed entries with the largest errors, the worst first; a NaN is worst of all."""
        errors = np.nan_to_num(self.absolute_errors, nan=np.inf, posinf=np.inf)
        order = np.argsort(np.where(self.failed, -errors, np.inf), kind="stable")
        return [int(which) for which in order[: min(most, int(self.failed.sum()))]]

    @property
    def worst(self) -> int:
        """The failed entry with the largest error."""
        return self.most_wrong(1)[0]

    def index(self, which: int) -> tuple[int, ...]:
        """The index of one of the entries, without the batch axis of a single image."""
        index = tuple(int(i) for i in np.unravel_index(self.entries[which], self.shape))
        return index[1:] if self.has_batch_axis and self.shape[0] == 1 else index

    @property
    def has_batch_axis(self) -> bool:
        """Whether the first axis counts images: of all but the parameters."""
        return not self.tensor.is_parameter


def judge(
    probe: Probe,
    method: Method,
    tensor: Tensor,
    gradient: Array,
    bound: Array,
    entries: Labels,
    *,
    given: str | None = None,
    advance: Advance | None = None,
) -> Check:
    """Hold the entries of `gradient`, dL/d of the tensor that the probe changes, against what the method says of them.

    `bound` (shape of the gradient) is how far two right programs may be apart. The tolerance is that plus the method's
    own uncertainty: no constant. An entry that is further off is on a kink if the units there leave it a choice of
    slopes, and right if it lies between the least and the largest that they can make together.
    """
    expected = probe.values[probe.name].shape
    if gradient.shape != expected:
        return _report_shape(tensor, given, gradient.shape, expected, entries)
    said = _ask(method, probe, entries, advance)
    analytic = gradient.ravel()[entries].astype(np.float64)
    tolerance = said.uncertainty + bound.ravel()[entries]
    number = np.isfinite(analytic)  # an infinite gradient would have an infinite tolerance
    right = number & (np.abs(analytic - said.value) <= tolerance)
    below, above, kinks = said.below.copy(), said.above.copy(), said.kinks & right
    if len(doubtful := np.flatnonzero(~right)):
        least, largest, *sides = _ask_kinks(probe, entries[doubtful])
        off, value = tolerance[doubtful], analytic[doubtful]
        between = number[doubtful] & (value >= least - off) & (value <= largest + off)
        kinks[doubtful] = between & (largest - least > off)
        below[doubtful], above[doubtful] = _widen(sides, (least, largest), value, off)
    failed = ~(right | kinks)
    units = [unit for which in np.flatnonzero(kinks)[:3] for unit in probe.units_on_kink(int(entries[which]))]
    return Check(
        tensor,
        given,
        expected,
        entries,
        analytic,
        said.value,
        tolerance,
        below,
        above,
        kinks,
        failed,
        tuple(dict.fromkeys(units)),
    )


def _ask(method: Method, probe: Probe, entries: Labels, advance: Advance | None) -> Opinion:
    """The opinion on all entries, a portion at a time."""
    parts = []
    for chunk in probe.chunks(entries):
        parts.append(opinion(method, probe, chunk))
        if advance:
            advance(len(chunk))
    return Opinion(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _ask_kinks(probe: Probe, entries: Labels) -> tuple[Array, ...]:
    """The least and the largest slope that kinks allow, and the one-sided derivatives below and above."""
    parts = [
        (*probe.slope_ranges(chunk), probe.sided_slopes(chunk, -1), probe.sided_slopes(chunk, 1))
        for chunk in probe.chunks(entries)
    ]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def _widen(sides: Sequence[Array], hull: Sequence[Array], value: Array, off: Array) -> tuple[Array, Array]:
    """The one-sided derivatives, or the ends of the hull where units on kinks together take a value outside of them."""
    low, high = np.minimum(*sides), np.maximum(*sides)
    inside = (value >= low - off) & (value <= high + off) | ~((value >= hull[0] - off) & (value <= hull[1] + off))
    below, above = (np.where(inside, side, end) for side, end in zip(sides, hull, strict=True))
    return below, above


def _report_shape(tensor: Tensor, given: str | None, shape: Shape, expected: Shape, entries: Labels) -> Check:
    nothing = np.full(len(entries), np.nan)
    zeros = np.zeros(len(entries))
    return Check(
        tensor,
        given,
        expected,
        entries,
        nothing,
        nothing,
        zeros,
        nothing,
        nothing,
        zeros.astype(bool),
        ~zeros.astype(bool),
        problem=f"has the shape {shape} instead of {expected}",
    )
