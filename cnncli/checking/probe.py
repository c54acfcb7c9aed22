"""The forward pass with one entry of one tensor changed: many changed copies in one pass.

relu and max pooling are maxima over candidates, of which the first of equal ones wins. A pass goes through them in one
of three ways: `recorded`, every maximum taken where the recorded pass took it (the linear piece that the record lies
on); `measure_changed`, as the function is written; `sided`, of tied candidates the one that grows fastest, which is the
piece that even the smallest step leads to.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array, Labels
from cnncli.network.record import Record
from cnncli.network.steps.step import KinkedStep, Step

NUMBERS_AT_ONCE = 16_000  # that an array of copies may hold: a few of them fit the cache of a core
COMPLEX_STEP = 2.0**-100  # its square vanishes beside 1, and to multiply or divide by it rounds nothing

Kinked = Callable[[KinkedStep, Array, Labels], Array]  # a kinked step, its source rows and their images → its output


class Reach(NamedTuple):
    """How far an entry can be moved before the first maximum changes hands."""

    distance: Array  # (E,)
    scale: Array  # (E,) the largest slope of any output of the steps
    reached: Array  # (rows, …) 1 for each output that the entry reaches, else 0
    on_kink: NDArray[np.bool_]  # (E,) a maximum would change hands at a distance that is no more than rounding


class Measure(Protocol):
    """One number of each output row; `image` (rows,) says which image each row belongs to."""

    def __call__(self, output: Array, image: Labels, /) -> Array:
        """The numbers: (rows, …) → (rows,)."""

    def change(self, after: Array, before: Array, reached: Array, image: Labels, /) -> tuple[Array, Array]:
        """How much larger each is after than before, and the rounding that this may carry: (rows,) each."""

    def spread(self, slope: Array, width: Array, image: Labels, /) -> tuple[Array, Array]:
        """The slope of each, given those of the outputs, and by how much it varies if they do by ± width."""

    def suggest_step(self, scale: Array, movement: float, size: float, /) -> Array:
        """A step for a slope (E,) of the outputs, given how far they may move where they do not enter linearly."""


@dataclass
class Probe:
    """Reruns some steps from one tensor on; everything before it stays as recorded.

    `steps` start with the one that reads `name`, as its source or as a parameter; `values` holds every tensor by name;
    `measure` makes one number of each output row. `rounding` bounds what rounding may have changed in a tensor, by
    name: candidates that are closer than that are tied.
    """

    steps: Sequence[Step]
    values: Mapping[str, Array] | Record
    name: str
    measure: Measure
    rounding: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._is_parameter = bool(self.steps) and self.name != self.steps[0].source.name
        self._taken = {step.output.name: self._indices(step) for step in self.steps if isinstance(step, KinkedStep)}

    @property
    def size(self) -> int:
        """The number of entries of the tensor."""
        return self.values[self.name].size

    def chunks(self, entries: Labels) -> Iterator[Labels]:
        """The flat indices of entries in portions of a bounded size."""
        tensors = [self.values[step.output.name] for step in self.steps]
        rows = len(self.values[self.steps[0].source.name]) if self._is_parameter else 1
        numbers = rows * max([self.values[self.name][0].size, *(tensor[0].size for tensor in tensors)])
        size = max(NUMBERS_AT_ONCE // numbers, 1)
        return (entries[first : first + size] for first in range(0, len(entries), size))

    def slopes(self, entries: Labels) -> Array:
        """The derivative for each entry on the recorded piece, by a complex step: exact to rounding."""
        return self._measure(entries, 1j * COMPLEX_STEP, self._take_recorded).imag / COMPLEX_STEP

    def sided_slopes(self, entries: Labels, side: int) -> Array:
        """The one-sided derivative for each entry, above (side 1) or below (side -1), exact too."""
        return self._measure(entries, 1j * COMPLEX_STEP * side, self._take_sided).imag / COMPLEX_STEP * side

    def slope_ranges(self, entries: Labels) -> tuple[Array, Array]:
        """The least and the largest derivative for each entry, if each unit on a kink takes any slope of its: (E,)."""
        value, image = self._change(entries, 1j * COMPLEX_STEP)
        real, slope, width = value.real, value.imag / COMPLEX_STEP, np.zeros(value.shape)
        for step in self.steps[1:] if self._is_parameter else self.steps:
            if isinstance(step, KinkedStep):
                slope, width = self._hull(step, real, slope, width)
                real = step.forward(real)
            else:
                parameters = [self.values[tensor.name] for tensor in step.parameters]
                factors = [
                    value if tensor.role == "weight" else np.zeros_like(value)
                    for tensor, value in zip(step.parameters, parameters, strict=True)
                ]
                slope, width = step.forward(slope, *factors), step.forward(width, *map(np.abs, factors))
                real = step.forward(real, *parameters)
        middle, off = (part.reshape(len(entries), -1).sum(axis=1) for part in self.measure.spread(slope, width, image))
        return middle - off, middle + off

    def differences(self, entries: Labels, h: Array, reached: Array) -> tuple[Array, Array]:
        """(φ(x+h) − φ(x−h))/2h for each entry, and the error that rounding may have made in it: (E,) each."""

        def take(step: KinkedStep, source: Array, _: Labels) -> Array:
            return step.forward(source)

        after, image = self._pass_through(entries, h, take)
        before, _ = self._pass_through(entries, -h, take)
        change, rounding = (
            part.reshape(len(entries), -1).sum(axis=1) for part in self.measure.change(after, before, reached, image)
        )
        return change / (2 * h), rounding / (2 * h)

    def sizes(self, entries: Labels) -> Array:
        """|x| of each entry."""
        size: Array = np.abs(self.values[self.name].reshape(-1)[entries])
        return size

    def reach(self, entries: Labels) -> Reach:
        """The distance to the nearest kink along each entry: |Z|/|dZ| for a relu, gap/|difference of slopes| in a pool.

        One entry alone never multiplies itself, so every value up to the logit is affine in it as long as no maximum
        changes hands: the distances are no estimates but exact, in the first block and behind it.
        """
        distance, on_kink = np.full(len(entries), np.inf), np.zeros(len(entries), bool)

        def look(step: KinkedStep, source: Array, image: Labels) -> Array:
            nearest, tied = self._nearest(step, source, len(entries))
            np.minimum(distance, nearest, out=distance)
            np.logical_or(on_kink, tied, out=on_kink)
            return self._take_recorded(step, source, image)

        output, _ = self._pass_through(entries, 1j * COMPLEX_STEP, look)
        slopes = np.abs(output.imag) / COMPLEX_STEP
        reached = (slopes > 0).astype(np.float64)
        return Reach(distance, slopes.reshape(len(entries), -1).max(axis=1), reached, on_kink)

    def leaves_piece(self, entries: Labels, change: Array) -> NDArray[np.bool_]:
        """Whether, after the change, any maximum differs by more than rounding from its recorded candidate."""
        left = np.zeros(len(entries), bool)

        def compare(step: KinkedStep, source: Array, image: Labels) -> Array:
            actual, recorded = step.forward(source), self._take_recorded(step, source, image)
            rounding = 64 * np.finfo(np.float64).eps * np.abs(source).max()
            np.logical_or(left, (np.abs(actual - recorded) > rounding).reshape(len(left), -1).any(axis=1), out=left)
            return actual

        self._pass_through(entries, change, compare)
        return left

    def units_on_kink(self, entry: int) -> list[str]:
        """The units that sit on a kink along one entry: those whose winner differs on its two sides."""
        units = []

        def compare(step: KinkedStep, source: Array, _image: Labels) -> Array:
            above, below = (self._find_sided_place(step, values) for values in (source, source.conj()))
            for index in np.argwhere(above != below)[:3]:
                where = ",".join(str(int(i)) for i in index[1:])
                units.append(f"{step.output.name}[{where}]")
            return self._take_sided(step, source, _image)

        self._pass_through(np.array([entry]), 1j * COMPLEX_STEP, compare)
        return units

    def _measure(self, entries: Labels, change: complex | Array, kinked: Kinked) -> Array:
        value, image = self._pass_through(entries, change, kinked)
        measured: Array = self.measure(value, image).reshape(len(entries), -1).sum(axis=1)
        return measured

    def _pass_through(self, entries: Labels, change: complex | Array, kinked: Kinked) -> tuple[Array, Labels]:
        """The output of the last step for every copy, and the image that each row belongs to."""
        value, image = self._change(entries, change)
        for step in self.steps[1:] if self._is_parameter else self.steps:
            if isinstance(step, KinkedStep):
                value = kinked(step, value, image)
            else:
                value = step.forward(value, *(self.values[tensor.name] for tensor in step.parameters))
        return value, image

    def _change(self, entries: Labels, change: complex | Array) -> tuple[Array, Labels]:
        """What the steps go on with, for every copy, and the image that each row belongs to."""
        if self._is_parameter:
            images = len(self.values[self.steps[0].source.name])
            return self._through_layer(self.steps[0], entries, change), np.tile(np.arange(images), len(entries))
        value = self.values[self.name]  # (m, …)
        image, place = np.divmod(entries, value[0].size)
        return _change_one(value[image], place, change), image

    def _through_layer(self, layer: Step, entries: Labels, change: complex | Array) -> Array:
        """Run a layer with E changed copies of a parameter, as one layer with E times as many outputs: (E·m, N, …)."""
        stacked = []
        for tensor in layer.parameters:
            value = self.values[tensor.name]  # (N, …)
            copies = np.broadcast_to(value, (len(entries), *value.shape))
            if tensor.name == self.name:
                copies = _change_one(copies, entries, change)
            stacked.append(copies.reshape(-1, *value.shape[1:]))  # (E·N, …)
        output = layer.forward(self.values[layer.source.name], *stacked)  # (m, E·N, …)
        outputs = output.reshape(len(output), len(entries), -1, *output.shape[2:]).swapaxes(0, 1)  # (E, m, N, …)
        return outputs.reshape(-1, *outputs.shape[2:])

    def _indices(self, step: KinkedStep) -> Labels:
        """Where the recorded maxima were taken: (m, …) flat places in the source, -1 for a constant 0."""
        source = self.values[step.source.name]
        places = step.candidates(np.arange(1, source[0].size + 1).reshape(1, *source.shape[1:]))  # (1, …, c)
        winner = step.candidates(source.real).argmax(axis=-1)[..., None]
        indices: Labels = np.take_along_axis(places, winner, axis=-1)[..., 0] - 1
        return indices

    def _take_recorded(self, step: KinkedStep, source: Array, image: Labels) -> Array:
        indices = self._taken[step.output.name]  # (m, …)
        taken: Array
        if not step.selects:  # it takes each number where it is, or 0
            taken = np.where((indices >= 0)[image] if len(indices) > 1 else indices >= 0, source, 0)
            return taken
        flat = source.reshape(len(source), -1)
        if len(indices) == 1:
            taken = flat.take(indices.ravel(), axis=1)
        else:
            taken = np.take_along_axis(flat, indices.reshape(len(indices), -1)[image], axis=1)
        return taken.reshape(len(source), *indices.shape[1:])

    def _take_sided(self, step: KinkedStep, source: Array, _image: Labels) -> Array:
        place = self._find_sided_place(step, source)[..., None]
        taken: Array = np.take_along_axis(step.candidates(source), place, axis=-1)[..., 0]
        return taken

    def _find_sided_place(self, step: KinkedStep, source: Array) -> Labels:
        """Of the candidates that are tied for the maximum the one with the largest slope."""
        values = step.candidates(source)
        near = values.real >= values.real.max(axis=-1, keepdims=True) - self._tie(step)
        place: Labels = np.where(near, values.imag, -np.inf).argmax(axis=-1)
        return place

    def _hull(self, step: KinkedStep, source: Array, slope: Array, width: Array) -> tuple[Array, Array]:
        """The slopes of maxima whose tied candidates may each win: middle ± half the width."""
        values, slopes, widths = step.candidates(source), step.candidates(slope), step.candidates(width)
        near = values >= values.max(axis=-1, keepdims=True) - self._tie(step)
        least = np.where(near, slopes - widths, np.inf).min(axis=-1)
        largest = np.where(near, slopes + widths, -np.inf).max(axis=-1)
        return (least + largest) / 2, (largest - least) / 2

    def _nearest(self, step: KinkedStep, source: Array, entries: int) -> tuple[Array, NDArray[np.bool_]]:
        """Where a candidate of a maximum first catches up with the winner, and whether one is there: (rows, …) → (E,).

        Twice the tie leaves, of a gap that is larger, at least half after rounding.
        """
        values = step.candidates(source)
        winner = values.real.argmax(axis=-1)[..., None]
        best = np.take_along_axis(values, winner, axis=-1)
        gap, difference = best.real - values.real, np.abs(values.imag - best.imag)
        # Slopes that differ by rounding alone are equal.
        moves = difference > 64 * np.finfo(np.float64).eps * (np.abs(values.imag) + np.abs(best.imag))
        distance = np.full(gap.shape, np.inf)
        np.divide(gap, difference / COMPLEX_STEP, out=distance, where=moves)
        tied = moves & (gap <= 2 * self._tie(step))
        return distance.reshape(entries, -1).min(axis=1), tied.reshape(entries, -1).any(axis=1)

    def _tie(self, step: KinkedStep) -> Any:
        """How close candidates are tied: (1, …, 1), or 0 where nothing is said of rounding; each of two may be off."""
        if step.source.name not in self.rounding:
            return 0
        return 2 * step.candidates(self.rounding[step.source.name]).max(axis=(0, -1), keepdims=True)


def _change_one(copies: Array, places: Labels, change: complex | Array) -> Array:
    """Copies (E, …) with `change` added to one flat place in each."""
    changed = copies.astype(np.result_type(copies, change), order="C")  # so that the next line writes into a view
    changed.reshape(len(places), -1)[np.arange(len(places)), places] += change
    return changed
