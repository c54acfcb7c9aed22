"""What a diagnosis has to go by: one link in one case, with what it was given, what it answered and what is right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cnncli.diagnosis.mistakes import Mistake
from cnncli.network.arrays import Array
from cnncli.network.products import Products
from cnncli.network.steps.step import Step

Arrays = tuple[Array, ...]
Features = Mapping[str, bool]

CLOSE = 1e4  # units of rounding of the largest entry: what two ways to make the same mistake may differ by
CLOSE_IF_COARSE = 64  # the same where so many of CLOSE would hide what is wrong, as in float32
FINE = 1e-6  # the share of the largest entry from which on they would
FLOOR = 100  # how much less than that what is left of numbers that cancel may be
COARSEST = 1e-3  # the share of the largest entry from which on rounding leaves nothing to go by
LAST_DIGIT = 0.1  # the rounding from which on no digit is left


@dataclass(frozen=True)
class Evidence:
    """One case of one link. `found` is what was seen of its answer: the answer itself, or what the chain made of it."""

    case: str
    name: str  # of what the link answers: "dL/dw1"
    products: Products
    step: Step | None  # None where it is the output step
    which: int  # of the gradients that the step gives
    given: Array  # the gradient that it is given
    read: Arrays  # source and parameters; z and y of the output step
    tensors: Mapping[str, Array]  # everything that was at hand, by name
    numbers: Mapping[str, float]  # "the number of images": 3
    right: Arrays
    found: Arrays
    observe: Callable[[Array], Arrays]
    plant: Callable[[Mistake], Arrays | None]
    eps: float
    scale: float = 0.0  # the size of the numbers that it is the difference of
    instead: Mapping[str, Array] = field(default_factory=dict)  # what the gradient may be as a whole, in words
    features: Features = field(default_factory=dict)  # of the case, in the words that follow "only where"
    together: Callable[[], Arrays] = tuple  # the right gradients that the same call gives
    earlier: Sequence["Evidence"] = ()  # of the same link, in the calls before, the first one first

    @property
    def is_lost(self) -> bool:
        """Whether rounding leaves too few digits to explain anything by: A − y where A is near y."""
        return is_lost(self.eps)

    @property
    def has_no_digits(self) -> bool:
        """Whether rounding alone may make anything of it: A − y where A is y to the last digit."""
        return self.eps > LAST_DIGIT

    @property
    def slack(self) -> float:
        """What rounding may make of two equal numbers, as a share of the largest entry."""
        return measure_slack(self.eps)

    @cached_property
    def is_right(self) -> bool:
        """Whether nothing is wrong in this case."""
        return self.is_as_right(self.found)

    def is_as_right(self, arrays: Arrays) -> bool:
        """Whether arrays differ from the right ones by rounding alone."""
        return all(close(one, other, self.eps) for one, other in zip(arrays, self.right, strict=True))

    @property
    def has_right_shape(self) -> bool:
        """Whether all that was found has the shape that it should have."""
        return all(one.shape == other.shape for one, other in zip(self.found, self.right, strict=True))

    @property
    def is_as_it_should_be(self) -> bool:
        """Whether nothing can be said against it."""
        return self.has_right_shape and (self.is_lost or self.is_right)

    @property
    def is_direct(self) -> bool:
        """Whether the answer itself was found, and nothing that the chain made of it."""
        return len(self.found) == 1 and self.found[0].shape == self.products.shape

    def measure_factor(self, predicted: Arrays) -> float | None:
        """The factor that makes a prediction what was found; what is rounding of the right gradient counts as 0."""
        right = max(np.abs(part).max(initial=0) for part in self.right) if self.is_direct else 0.0
        return measure_factor(predicted, self.found, self.eps, max(self.scale, right / FLOOR))

    def answer(self, given: Array, read: Sequence[Array]) -> Array:
        """What the right step gives for other numbers."""
        if self.step is None:
            raise LookupError
        return self.step.backward(given, *read)[self.which]


def is_lost(eps: float) -> bool:
    """Whether numbers of such a rounding tell nothing."""
    return measure_slack(eps) > COARSEST


def measure_slack(eps: float) -> float:
    """What two ways to make the same mistake may differ by in numbers of such a rounding, of the largest entry."""
    return min(CLOSE * eps, max(FINE, CLOSE_IF_COARSE * eps))


def close(one: Array, other: Array, eps: float) -> bool:
    """Whether two arrays differ by rounding alone."""
    if one.shape != other.shape:
        return False
    largest = max(np.abs(one).max(initial=0), np.abs(other).max(initial=0))
    return bool((np.abs(one - other) <= measure_slack(eps) * largest).all())


def measure_factor(predicted: Arrays, found: Arrays, eps: float, scale: float = 0.0) -> float | None:
    """The factor that makes the prediction what was found; NaN where both are 0, None where there is none.

    `scale` is the size of the numbers that a single found array is the difference of: what is rounding of it is 0.
    """
    if scale:
        small, nothing = (
            all(np.abs(part).max(initial=0) <= measure_slack(eps) * scale for part in parts)
            for parts in (predicted, found)
        )
        if nothing:
            return float("nan") if small else 0.0
    sizes = [max(np.abs(part).max(initial=0), 0.0) for part in found]
    pairs = [
        (p.ravel() / (size or 1), f.ravel() / (size or 1)) for p, f, size in zip(predicted, found, sizes, strict=True)
    ]
    P, W = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    if not np.isfinite(P).all():
        return None
    square = float(P @ P)
    if square == 0:
        return None if W.any() else float("nan")
    factor = float(P @ W) / square
    largest = max(np.abs(factor * P).max(initial=0), np.abs(W).max(initial=0), scale / (sizes[0] or 1))
    return factor if (np.abs(W - factor * P) <= measure_slack(eps) * largest).all() else None
