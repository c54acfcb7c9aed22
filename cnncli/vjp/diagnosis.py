"""What a wrong gradient is, if it is something simple: the right one times a factor, transposed, only a part of it."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from cnncli.network.arrays import Array


def describe_error(got: Array, want: Array, error: float) -> str | None:
    """The simplest sentence that explains all entries, `want` being off by up to `error` each, if there is one."""
    if not np.abs(want).max(initial=0) > error:
        return None
    return next((sentence for sentence, guess, off in _guesses(got, want) if _equal(got, guess, error * off)), None)


def _guesses(got: Array, want: Array) -> Iterator[tuple[str, Array, float]]:
    """What it may be, and how much larger than the error of `want` that guess's error is."""
    yield "it is all zero", np.zeros_like(want), 1
    yield "its sign is turned", -want, 1
    factor = float((got * want).sum() / (want * want).sum())
    if abs(factor) > 1e-12:
        yield f"it is {factor:.6g} times the right one", factor * want, 1 + abs(factor)
    for axes in permutations(range(want.ndim)):
        turned = want.transpose(axes)
        if axes != tuple(range(want.ndim)) and turned.shape == got.shape:
            yield f"it is transposed: the axes are taken as {list(axes)}", turned, 1
    for axis, size in enumerate(want.shape):
        yield f"it is flipped along axis {axis}", np.flip(want, axis), 1
        for shift in (1, -1) if size > 1 else ():
            yield f"it is rolled by {shift} along axis {axis}", np.roll(want, shift, axis), 1
        if size > 1:
            summed = np.broadcast_to(want.sum(axis=axis, keepdims=True), want.shape)
            yield f"it is summed along axis {axis} where it should not be", summed, size
            yield f"it is averaged along axis {axis} where it should not be", summed / size, 1
            for place, word in ((0, "first"), (size - 1, "last")):
                part = np.zeros_like(want)
                where = (slice(None),) * axis + (place,)
                part[where] = want[where]
                yield f"only the {word} place of axis {axis} is right, the others are 0", part, 1
    scaled = _scale_parts(got, want)
    if scaled is not None:
        yield "some of its entries are right and the others are 0", scaled, 1


def _scale_parts(got: Array, want: Array) -> Array | None:
    kept = np.where(got == 0, 0, want)
    return kept if (got == 0).any() else None


def _equal(got: Array, guess: Array, error: float) -> bool:
    return got.shape == guess.shape and bool((np.abs(got - guess) <= error).all())
