"""The gradient of one input: random directions, then, by halves, the entries that they lead to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cnncli.network.arrays import Array
from cnncli.vjp.calls import Function, Misbehaved
from cnncli.vjp.diagnosis import describe_error
from cnncli.vjp.numeric import COMPLEX_STEP, Estimate, Line
from cnncli.vjp.result import EntryResult

DIRECTIONS = 4  # random ones
ONE_BY_ONE = 32  # entries: an input that has no more of them is checked entry by entry
MOST_ENTRIES = 60  # that are looked at alone after a direction has failed
MOST_WRONG = 5
DIAGNOSED = 400  # entries: a larger gradient is not differentiated whole for a diagnosis
CLEAR = 1e-3  # an error bar that is larger, as a part of what is measured, tells nothing
SAME = 1e-10  # how far a complex step and a right gradient may be apart before differences are asked


@dataclass
class InputCheck:
    """⟨vjp(g), d⟩ against the derivative of ⟨g, f(x + t·d)⟩, for directions d of one input."""

    f: Function
    inputs: Sequence[Array]
    number: int
    gradient: Array  # of this input
    g: Array
    wrong: list[EntryResult] = field(default_factory=list)
    kinks: list[EntryResult] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    together: list[str] = field(default_factory=list)  # what equal entries get wrong together

    def check(self, random: np.random.Generator) -> None:
        """Fill the lists. Raises Misbehaved where f gives no numbers near x."""
        for entry in self._choose_entries(random):
            self._check_entry(entry)
        for value in dict.fromkeys(float(self._x[kink.index]) for kink in self.kinks):
            self._check_equal(value)

    def diagnose(self) -> str | None:
        """What the wrong gradient is, if it is something simple and small enough to find out."""
        if self.gradient.size > DIAGNOSED:
            return None
        ask = self._ask_exactly if self.takes_complex else self._differentiate
        estimates = [ask(self._axis(entry)) for entry in range(self.gradient.size)]
        want = np.array([estimate.value for estimate in estimates]).reshape(self.gradient.shape)
        sentence = describe_error(self.gradient, want, max(estimate.error for estimate in estimates))
        return sentence and f"input {self.number}: {sentence}"

    @property
    def _x(self) -> Array:
        return self.inputs[self.number]

    @cached_property
    def _scale(self) -> float:
        return float(np.abs(self._x).max()) or 1.0

    @cached_property
    def _noise(self) -> float:
        direction = np.random.default_rng(self._x.size).normal(size=self._x.shape)
        return self._line(self._scale * direction, 0.0).measure_noise()

    @cached_property
    def takes_complex(self) -> bool:
        """Whether a complex step gives the same value, and a derivative within the error bar of the differences."""
        direction = np.random.default_rng(self._x.size).normal(size=self._x.shape)
        line = self._line(self._scale * direction, self._noise)
        try:
            derivative, unmoved = line.differentiate_complex(), line.at_complex(COMPLEX_STEP).real
        except Misbehaved:
            return False
        here = line.at(0.0)
        if unmoved.shape != here.shape or not np.allclose(unmoved, here, rtol=1e-12, atol=1e-12 * np.abs(here).max()):
            return False
        by_differences = line.differentiate()
        return abs(derivative - by_differences.value) <= by_differences.error

    def _line(self, direction: Array, noise: float) -> Line:
        return Line(self.f, self.inputs, self.number, direction.reshape(self._x.shape), self.g, noise)

    def _axis(self, entry: int) -> Array:
        axis = np.zeros(self._x.size)
        axis[entry] = 1
        return axis

    def _choose_entries(self, random: np.random.Generator) -> Iterator[int]:
        """All of a small input; else those along which random directions differ, until enough of them are wrong."""
        if self._x.size <= ONE_BY_ONE:
            yield from range(self._x.size)
            return
        looked: set[int] = set()
        for _ in range(DIRECTIONS):
            direction = self._scale * random.normal(size=self._x.size)
            for entry in self._find(np.arange(self._x.size), direction):
                if entry not in looked:
                    looked.add(entry)
                    yield entry
                if len(looked) >= MOST_ENTRIES or len(self.wrong) >= MOST_WRONG:
                    return

    def _find(self, entries: Array, direction: Array) -> Iterator[int]:
        """The entries along which a direction differs from the gradient, by halves."""
        part = np.zeros(direction.size)
        part[entries] = direction[entries]
        if self._agrees(part):
            return
        if len(entries) == 1:
            yield int(entries[0])
            return
        middle = len(entries) // 2
        for half in (entries[:middle], entries[middle:]):
            yield from self._find(half, direction)

    def _agrees(self, direction: Array) -> bool:
        """Whether ⟨gradient, d⟩ is the derivative along d; False sends the search on to the entries."""
        terms = self.gradient.ravel() * direction
        line, got, size = self._line(direction, self._noise), float(terms.sum()), float(np.sqrt((terms**2).sum()))
        if self.takes_complex:
            want = line.differentiate_complex()
            return abs(got - want) <= SAME * max(size, abs(want))
        estimate = line.differentiate()
        return abs(got - estimate.value) <= estimate.error <= CLEAR * max(size, abs(estimate.value))

    def _differentiate(self, axis: Array) -> Estimate:
        """The derivative along an axis, with steps of the size of all numbers, or of its own where that tells more."""
        own = float(np.abs(self._x.ravel()[axis != 0]).max())
        estimates = [self._scaled(axis, self._scale)]
        if estimates[0].error > 1e-6 * abs(estimates[0].value) and 0 < own < self._scale:
            estimates.append(self._scaled(axis, own))
        return min(estimates, key=lambda estimate: estimate.error)

    def _ask_exactly(self, axis: Array) -> Estimate:
        value = self._line(axis, 0.0).differentiate_complex()
        return Estimate(value, SAME * abs(value))

    def _scaled(self, axis: Array, scale: float) -> Estimate:
        return self._line(scale * axis, self._noise).differentiate().divided(scale)

    def _check_entry(self, entry: int) -> None:
        """One entry alone; what FAILs has failed in real numbers."""
        axis, got = self._axis(entry), float(self.gradient.ravel()[entry])
        typical = float(np.sqrt((self.gradient**2).mean()))
        if self.takes_complex:
            exact = self._line(axis, self._noise).differentiate_complex()
            if abs(got - exact) <= SAME * max(abs(exact), typical):
                return
        central = self._differentiate(axis)
        off = abs(got - central.value)
        if off <= central.error <= CLEAR * max(abs(got), abs(central.value), typical):
            return
        line = self._line(self._scale * axis, self._noise)
        below, above = (line.differentiate_side(side).divided(self._scale) for side in (-1, 1))
        bar = below.error + above.error
        kinked = abs(above.value - below.value) > bar
        outside = not min(below.value, above.value) - bar <= got <= max(below.value, above.value) + bar
        index = tuple(int(i) for i in np.unravel_index(entry, self._x.shape))
        error = max(central.error, bar) if kinked else central.error
        sides = (below.value, above.value) if kinked else (central.value, central.value)
        result = EntryResult(self.number, index, got, central.value, error, *sides)
        if kinked and not outside:
            self.kinks.append(result)
        elif outside and (kinked or off > central.error):
            self.wrong.append(replace(result, order=line.remainder_order(got * self._scale)))
        else:
            told = f"{central.value:.3g} ± {central.error:.1g}" if np.isfinite(central.error) else "unknown"
            self.unclear.append(
                f"input {self.number} at {list(index)}: noise leaves the derivative {told}, and {got:.6g} was given"
            )

    def _check_equal(self, value: float) -> None:
        """Entries of one value tie at kinks; moved together they stay tied, and what they get together is certain."""
        together = (self._x.ravel() == value).astype(np.float64)
        got, want = float(self.gradient.ravel() @ together), self._differentiate(together)
        if together.sum() > 1 and abs(got - want.value) > want.error:
            line = self._line(self._scale * together, self._noise)
            sides = [line.differentiate_side(side).divided(self._scale) for side in (-1, 1)]
            bar = sum(side.error for side in sides)
            low, high = sorted(side.value for side in sides)
            if not low - bar <= got <= high + bar:
                self.together.append(
                    f"the {int(together.sum())} entries of input {self.number} that equal {value:.6g} get {got:.9g} "
                    f"together instead of {want.value:.9g}"
                )
