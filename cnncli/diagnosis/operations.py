"""What people do to an array by mistake, in words: along one axis, along two, with its axes, with its numbers.

`words` follow the name of the array: "dL/dw1 {words}".
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, permutations
from typing import Any, NamedTuple

import numpy as np

from cnncli.network.arrays import Array
from cnncli.network.products import AXES, name_several


class Operation(NamedTuple):
    """One thing that is done to an array of known axes."""

    words: str
    apply: Callable[[Array], Array]


def _at(axis: int, part: slice | int) -> tuple[slice | int, ...]:
    return (*(slice(None),) * axis, part)


def _keep(part: slice) -> Callable[[Array, int], Array]:
    def keep(array: Array, axis: int) -> Array:
        kept = np.zeros_like(array)
        kept[_at(axis, part)] = array[_at(axis, part)]
        return kept

    return keep


def _copy(place: int) -> Callable[[Array, int], Array]:
    return lambda array, axis: np.broadcast_to(np.take(array, [place], axis), array.shape)


def _shift(by: int) -> Callable[[Array, int], Array]:
    def shift(array: Array, axis: int) -> Array:
        moved = np.roll(array, by, axis)
        moved[_at(axis, slice(None, by) if by > 0 else slice(by, None))] = 0
        return moved

    return shift


def _spread(function: Callable[..., Array]) -> Callable[[Array, Any], Array]:
    return lambda array, axis: np.broadcast_to(function(array, axis=axis, keepdims=True), array.shape)


def _measure_length(array: Array, axis: int) -> Array:
    others = tuple(other for other in range(array.ndim) if other != axis)
    length: Array = np.sqrt((array**2).sum(axis=others, keepdims=True))
    return length


def _drop_small(edge: float, array: Array) -> Array:
    return np.where(np.abs(array) < edge, 0, array)


Along = Callable[[Array, int], Array]

KEPT = {
    "0 but for the last {}": _keep(slice(-1, None)),
    "0 but for the first {}": _keep(slice(None, 1)),
    "0 in the last {}": _keep(slice(None, -1)),
    "0 in the first {}": _keep(slice(1, None)),
    "0 in the first and the last {}": _keep(slice(1, -1)),
    "0 in every second {}": _keep(slice(None, None, 2)),
}
IN_SUM = (
    "is that of the last {} alone (= for +=?)",
    "is that of the first {} alone",
    "leaves out the last {}",
    "leaves out the first {}",
    "leaves out the first and the last {}",
    "leaves out every second {}",
)
KEPT_IN_SUM = dict(zip(IN_SUM, KEPT.values(), strict=True))
ALONG: dict[str, Along] = {
    "in reversed order along the {1}": lambda array, axis: np.flip(array, axis),
    "summed over the {1}, each of which has one of its own": _spread(np.sum),
    "averaged over the {1}, each of which has one of its own": _spread(np.mean),
    "that of the first {} for every one": _copy(0),
    "that of the last {} for every one": _copy(-1),
    "rolled by one along the {1}": lambda array, axis: np.roll(array, 1, axis),
    "rolled back by one along the {1}": lambda array, axis: np.roll(array, -1, axis),
    "moved by one along the {1}, with 0 where it came from": _shift(1),
    "moved back by one along the {1}, with 0 where it came from": _shift(-1),
    "summed up along the {1}": lambda array, axis: np.cumsum(array, axis),
    "less its mean over the {1}": lambda array, axis: array - array.mean(axis=axis, keepdims=True),
    "the largest over the {1} for every one": _spread(np.max),
    "the smallest over the {1} for every one": _spread(np.min),
    "summed over the {1} in the first and 0 in the others": lambda array, axis: _keep(slice(None, 1))(
        _spread(np.sum)(array, axis), axis
    ),
    "summed over the {1} in the last and 0 in the others": lambda array, axis: _keep(slice(-1, None))(
        _spread(np.sum)(array, axis), axis
    ),
    "divided by its length for each {}": lambda array, axis: array / _measure_length(array, axis),
}
OVER_PLANE: dict[str, Callable[[Array, tuple[int, int]], Array]] = {
    "summed over the {0}s and {1}s, each of which has one of its own": _spread(np.sum),
    "averaged over the {0}s and {1}s, each of which has one of its own": _spread(np.mean),
    "less its mean over the {0}s and {1}s": lambda array, plane: array - array.mean(axis=plane, keepdims=True),
}
MOST_AXES = 4  # of which every order is tried
WITHIN = 3  # of more axes, that may be laid out among themselves
PLANES = ("uv", "ij", "rs")  # rows and columns
NUMBERS: dict[str, Callable[[Array], Array]] = {
    "left out (1 in its place)": np.ones_like,
    "without its sign": np.abs,
    "replaced by 1 where it is positive, else 0": lambda array: (array > 0).astype(float),
    "replaced by its sign": np.sign,
    "squared": np.square,
    "set to 0 where it is negative": lambda array: np.maximum(array, 0),
    "replaced by 1 where it is not negative, else 0": lambda array: (array >= 0).astype(float),
    "replaced by 1 where it is negative, else 0": lambda array: (array < 0).astype(float),
    "replaced by 1 minus it": lambda array: 1 - array,
    "replaced by x·(1 − x) of it": lambda array: array * (1 - array),
    "replaced by its tanh": np.tanh,
    "replaced by 1 − x² of it": lambda array: 1 - array**2,
    "rounded to whole numbers": np.round,
    "cut off to whole numbers": np.trunc,
    "less its mean": lambda array: array - array.mean(),
    "divided by its length": lambda array: array / np.sqrt((array**2).sum()),
    "divided by its largest number": lambda array: array / np.abs(array).max(),
    "less its mean and divided by its standard deviation": lambda array: (array - array.mean()) / array.std(),
}

THRESHOLDS = (1e-8, 1e-12, 1e-6, 1e-10, 1e-7, 1e-9, 1e-11, 1e-5, 1e-15, 1e-20)
NUMBERS |= {f"set to 0 where it is smaller than about {edge:g}": partial(_drop_small, edge) for edge in THRESHOLDS}


def along_axes(axes: str, *, kept: bool = True) -> Iterator[Operation]:
    """Everything along one axis, or along rows and columns together."""
    for axis, letter in enumerate(axes):
        for words, function in (ALONG | (KEPT if kept else {})).items():
            yield Operation(words.format(AXES[letter], name_several(letter)), partial(_along, function, axis))
    for plane in PLANES:
        if plane[0] in axes and plane[1] in axes:
            yield from _along_plane(axes.index(plane[0]), axes.index(plane[1]), "kernel " if plane == "uv" else "")


def _along_plane(rows: int, columns: int, whose: str) -> Iterator[Operation]:
    plane = (rows, columns)
    yield Operation("turned by 180°", lambda array: np.flip(array, plane))
    yield Operation(
        f"transposed: {whose}rows and {whose}columns are swapped", lambda a: _reshaped(a.swapaxes(*plane), a)
    )
    yield Operation("turned by 90°", lambda a: _reshaped(np.rot90(a, 1, plane), a))
    yield Operation("turned by 90° the other way", lambda a: _reshaped(np.rot90(a, -1, plane), a))
    for words, function in KEPT.items():
        yield Operation(words.format(f"{whose}row and column"), partial(_along_both, function, plane))
    for lines, others, which in (("rows", "columns", 0), ("columns", "rows", 1)):
        words = f"0 beyond as many {whose}{lines} as there are {whose}{others}"
        yield Operation(words, partial(_keep_lines, plane, which))
    for words, over in OVER_PLANE.items():
        yield Operation(words.format(f"{whose}row", f"{whose}column"), partial(_over_plane, over, plane))


def _reshaped(array: Array, like: Array) -> Array:
    return array.reshape(like.shape)


def relay(axes: str) -> Iterator[Operation]:
    """Every order in which the axes may be laid out, and then read in the right one; and the other way round.

    Of more than four axes one is elsewhere, or two are swapped.
    """
    said = ", ".join(AXES[letter] for letter in axes)
    for order in _list_orders(len(axes)):
        if list(order) != sorted(order):
            laid = ", ".join(AXES[axes[axis]] for axis in order)
            yield Operation(f"reshaped from ({laid}) to ({said})", partial(_relay, order))
            yield Operation(f"reshaped to ({laid}), then its axes are put in order", partial(_inverse, order, None))


def _list_orders(count: int) -> Iterator[tuple[int, ...]]:
    if count <= MOST_AXES:
        yield from permutations(range(count))
        return
    orders = set()
    for one, other in permutations(range(count), 2):
        moved, swapped = list(range(count)), list(range(count))
        moved.insert(other, moved.pop(one))
        swapped[one], swapped[other] = swapped[other], swapped[one]
        orders |= {tuple(moved), tuple(swapped)}
    yield from sorted(orders)


def relay_twice(axes: str) -> Iterator[Operation]:
    """Laid out in one order and read in another: any two of up to four axes; of more those of a matrix of patches."""
    layouts = _list_matrices(axes) if len(axes) > MOST_AXES else ["".join(order) for order in permutations(axes)]
    for laid, read in permutations(layouts, 2):
        first, second = ([axes.index(letter) for letter in order] for order in (laid, read))
        words = f"laid out as ({', '.join(AXES[a] for a in laid)}) but read as ({', '.join(AXES[a] for a in read)})"
        yield Operation(words, partial(_relay_twice, tuple(first), tuple(second)))


def relay_within(axes: str) -> Iterator[Operation]:
    """Two or three of more axes laid out in one order and read in another; the others stay where they are."""
    for count in range(2, min(len(axes), WITHIN + 1)):
        for some in combinations(range(len(axes)), count):
            for laid, read in permutations(list(permutations(some)), 2):
                words = " but read as ".join(f"({', '.join(AXES[axes[a]] for a in order)})" for order in (laid, read))
                yield Operation(f"laid out as {words}", partial(_relay_within, laid, read))


def _relay_within(laid: tuple[int, ...], read: tuple[int, ...], array: Array) -> Array:
    """The chosen axes last, in the order in which they are laid out; then the same numbers in the order to be read."""
    last = tuple(range(-len(laid), 0))
    there = np.moveaxis(array, laid, last)
    others = there.shape[: -len(laid)]
    return np.moveaxis(there.reshape(*others, *(array.shape[axis] for axis in read)), last, read)


def _list_matrices(axes: str) -> list[str]:
    """Rows for each image and position, or columns for them, or a matrix for each image."""
    positions, others = "".join(a for a in axes if a in "mij"), "".join(a for a in axes if a not in "mij")
    columns = ["".join(order) for order in permutations(positions)]
    layouts = [others + column for column in columns] + [column + others for column in columns]
    return [*layouts, f"m{others}ij"] if "m" in positions else layouts


def _relay(order: tuple[int, ...], array: Array) -> Array:
    return array.transpose(order).reshape(array.shape)


def _relay_twice(first: tuple[int, ...], second: tuple[int, ...], array: Array) -> Array:
    return _inverse(second, array.shape, array.transpose(first))


def _along(function: Along, axis: int, array: Array) -> Array:
    return function(array, axis)


def _along_both(function: Along, plane: tuple[int, int], array: Array) -> Array:
    return function(function(array, plane[0]), plane[1])


def _keep_lines(plane: tuple[int, int], which: int, array: Array) -> Array:
    """A loop over rows that ends where the columns do, or the other way round."""
    return _keep(slice(array.shape[plane[1 - which]]))(array, plane[which])


def _over_plane(function: Callable[[Array, tuple[int, int]], Array], plane: tuple[int, int], array: Array) -> Array:
    return function(array, plane)


def _inverse(order: tuple[int, ...], shape: tuple[int, ...] | None, array: Array) -> Array:
    shape = shape or array.shape
    return array.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))


def change_numbers() -> Iterator[Operation]:
    """Everything that is done to each number alone."""
    for words, function in NUMBERS.items():
        yield Operation(words, function)
