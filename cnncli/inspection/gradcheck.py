"""Every derivative against a second opinion that knows no backward pass: the forward pass with one entry changed.

complex-step: L(x + ih) has the imaginary part h·dL/dx; nothing is subtracted, so it is exact to rounding, and since the
real part does not move it never leaves the linear piece of a relu or a pooling window
(Squire and Trapp 1998, doi:10.1137/S003614459631241X).

central: (L(x+ε) - L(x-ε)) / 2ε in real numbers. Its step can cross a kink of a relu or a pooling window; where it does
even after it has been shortened, the entry is a kink, and the gradient must lie between the two one-sided slopes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.probe import Probe
from cnncli.inspection.subject import Subject
from cnncli.network.arrays import Array, Labels
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook

Method = Literal["complex-step", "central"]
Flags = NDArray[np.bool_]

EPS = float(np.finfo(np.float64).eps)
COMPLEX_STEP = 1e-30  # its square vanishes beside 1, and its product with any gradient above 1e-270 is no denormal
COMPLEX_TOLERANCE = 1e-12  # relative
CENTRAL_STEPS = (1e-5, 1e-6, 1e-7)  # the longest that stays on one linear piece is taken
CENTRAL_TOLERANCE = 1e-6  # relative


@dataclass(frozen=True)
class Check:
    """One derivative, all of its entries."""

    name: str  # "dL/dw1"
    analytic: Array
    numeric: Array
    tolerance: Array  # the error that each entry may have
    negligible: Array  # the size below which an entry is rounding noise to this method
    kinks: Flags
    failed: Flags

    @property
    def passed(self) -> bool:
        """Whether no entry failed."""
        return not self.failed.any()

    @property
    def absolute_errors(self) -> Array:
        """|a - n| of every entry; 0 at a kink, where there is no one n."""
        return np.where(self.kinks, 0, np.abs(self.analytic - self.numeric))

    @property
    def relative_errors(self) -> Array:
        """|a - n| / max(|a|, |n|) of every entry; 0 where both are 0, or no more than rounding noise."""
        size = np.maximum(np.abs(self.analytic), np.abs(self.numeric))
        noise = size <= self.negligible
        return np.where(noise, 0, self.absolute_errors / np.where(noise, 1, size))

    @property
    def worst(self) -> tuple[int, ...]:
        """The index of the entry that is furthest over what it may be off."""
        excess = np.where(self.failed, np.abs(self.analytic - self.numeric) / self.tolerance, -1)
        return tuple(int(i) for i in np.unravel_index(excess.argmax(), self.analytic.shape))


def check_gradients(subject: Subject, method: Method, engine: Textbook | None = None) -> Iterator[Check]:
    """Check every derivative dL/d… of the chain, entry by entry, in the order in which the chain takes them.

    The derivatives are those that `engine` records (the textbook engine where none is given); the second opinion is the
    textbook's forward pass. dL/dA of the output layer is not among them: L is computed from the logit, not from A.
    """
    textbook = Textbook(subject.architecture)
    record = (engine or textbook).record(subject.parameters, subject.X, subject.y)
    sizes = _term_sizes(textbook, subject)
    for name in _checked(subject):
        probe, analytic = Probe(textbook, record, name), record[f"dL/d{name}"]
        if method == "complex-step":
            yield _complex_step(f"dL/d{name}", analytic, probe, sizes[f"dL/d{name}"])
        else:
            yield _central(f"dL/d{name}", analytic, probe, record)


def _checked(subject: Subject) -> list[str]:
    architecture = subject.architecture
    names = [name.removeprefix("dL/d") for name in architecture.gradient_shapes if name.startswith("dL/")]
    return [name for name in names if name != architecture.probability]


def _term_sizes(textbook: Textbook, subject: Subject) -> Record:
    """The backward pass on absolute values: for each derivative the sum of the sizes of its terms.

    Rounding errors grow with it, and not with the derivative itself, whose terms may cancel.
    """
    record = textbook.record(subject.parameters, subject.X, subject.y)
    dL_dz = f"dL/d{subject.architecture.logit}"
    sizes = Record()
    for step in record:
        absolute = step.kind == "parameter" or step.name in ("X", dL_dz)  # P and F are never negative; Z chooses
        sizes.add(step.name, step.kind, np.abs(step.value) if absolute else step.value)
        if step.name == dL_dz:
            break
    textbook.backward_from_logit(sizes)
    return sizes


def _complex_step(name: str, analytic: Array, probe: Probe, sizes: Array) -> Check:
    losses = [probe.losses(entries, 1j * COMPLEX_STEP) for entries in probe.chunks()]
    numeric = (np.concatenate(losses).imag / COMPLEX_STEP).reshape(analytic.shape)
    # What a sum rounds away follows from the sizes of its terms; what underflows follows from the step.
    negligible = 16 * EPS * sizes + np.finfo(np.float64).tiny / COMPLEX_STEP
    tolerance = COMPLEX_TOLERANCE * np.maximum(np.abs(analytic), np.abs(numeric)) + negligible
    failed = ~(np.abs(analytic - numeric) <= tolerance)  # written so that a NaN fails
    return Check(name, analytic, numeric, tolerance, negligible, np.zeros(analytic.shape, bool), failed)


def _central(name: str, analytic: Array, probe: Probe, record: Record) -> Check:
    slopes = [_slopes(probe, entries) for entries in probe.chunks()]
    below, above, step, kinks = (np.concatenate(parts).reshape(analytic.shape) for parts in zip(*slopes, strict=True))
    numeric = (below + above) / 2
    # What L loses to rounding follows from the terms of the logit; the difference divides it by the step.
    terms = np.abs(record["L"]) + np.abs(record["F"] * record["dL/dF"]).sum()
    negligible = 16 * EPS * terms / step
    tolerance = CENTRAL_TOLERANCE * np.maximum(np.abs(analytic), np.abs(numeric)) + negligible
    between = (analytic >= np.minimum(below, above) - tolerance) & (analytic <= np.maximum(below, above) + tolerance)
    failed = ~np.where(kinks, between, np.abs(analytic - numeric) <= tolerance)
    return Check(name, analytic, numeric, tolerance, negligible, kinks, failed)


def _slopes(probe: Probe, entries: Labels) -> tuple[Array, Array, Array, Flags]:
    """The slopes of L below and above each entry, the step that was taken, and whether even the shortest met a kink."""
    step = np.full(len(entries), CENTRAL_STEPS[0])
    kinks = probe.crosses(entries, step) | probe.crosses(entries, -step)
    for shorter in CENTRAL_STEPS[1:]:
        again = np.flatnonzero(kinks)
        if not len(again):
            break
        step[again] = shorter
        kinks[again] = probe.crosses(entries[again], step[again]) | probe.crosses(entries[again], -step[again])
    here = probe.losses(entries, np.zeros(len(entries)))
    below = (here - probe.losses(entries, -step)) / step
    above = (probe.losses(entries, step) - here) / step
    return below, above, step, kinks
