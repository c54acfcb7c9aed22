"""Other ways to share a gradient among the candidates of a maximum: all that are equal, the last, the smallest.

Of a pooling window the candidates are its entries; of a gate they are 0 and Z.
"""

from collections.abc import Callable

import numpy as np

from cnncli.network.arrays import Array


def give_to(place: int, values: Array, _given: Array) -> Array:
    """Everything to one place, wherever the maximum is."""
    return _one_hot(np.full(values.shape[:-1], place), values)


def _one_hot(place: Array, values: Array) -> Array:
    hot: Array = (np.arange(values.shape[-1]) == place[..., None]).astype(float)
    return hot


def _top(values: Array) -> Array:
    top: Array = values == values.max(axis=-1, keepdims=True)
    return top


def _transposed_place(values: Array, _given: Array) -> Array:
    s = round(values.shape[-1] ** 0.5)
    row, column = np.divmod(values.argmax(axis=-1), s)
    return _one_hot(column * s + row, values)


Share = Callable[[Array, Array], Array]  # candidates (…, c) and the gradient that is given → the share of each

SHARES: dict[tuple[str, str], Share] = {  # how they are called where candidates are entries, and where they are Z and 0
    ("every tied maximum takes the whole gradient", "the gate is open at 0 too"): lambda v, _: _top(v) * 1.0,
    ("tied maxima share the gradient", "the gate is half open at 0"): lambda v, _: (
        _top(v) / _top(v).sum(-1, keepdims=True)
    ),
    ("the last of tied maxima takes the gradient", "the gate is open at 0 too"): lambda v, _: _one_hot(
        v.shape[-1] - 1 - v[..., ::-1].argmax(-1), v
    ),
    ("the whole window takes the gradient", "the gate is missing"): lambda v, _: np.ones_like(v),
    ("the gradient is spread evenly over the window", "the gate is ½ everywhere"): lambda v, _: np.full_like(
        v, 1 / v.shape[-1]
    ),
    ("the smallest takes the gradient, not the largest", "the gate is turned round"): lambda v, _: _one_hot(
        v.argmin(-1), v
    ),
    ("all but the maximum take the gradient", "the gate is turned round, and open at 0"): lambda v, _: (
        1 - _one_hot(v.argmax(-1), v)
    ),
    ("all but the maxima take the gradient", "the gate is open below 0 alone"): lambda v, _: 1.0 - _top(v),
    ("the maximum itself multiplies the gradient", "A stands for the gate"): lambda v, _: v * _one_hot(v.argmax(-1), v),
    ("every number multiplies the gradient of its window", "Z stands for the gate"): lambda v, _: v,
    ("positive numbers take the gradient", "the gate is open where Z > 0"): lambda v, _: (v > 0) * 1.0,
    ("numbers that are not 0 take the gradient", "the gate is open wherever Z is not 0"): lambda v, _: (v != 0) * 1.0,
    ("row and column are swapped inside the window", "the gate is crooked"): _transposed_place,
    ("the gradient passes where it is positive itself", "the gate is that of the gradient, not of Z"): lambda v, g: (
        np.broadcast_to((g > 0)[..., None] * 1.0, v.shape)
    ),
    (
        "the gradient passes only where it is positive",
        "the gate shuts where the gradient is negative, too",
    ): lambda v, g: (g > 0)[..., None] * _one_hot(v.argmax(-1), v),
    ("each takes e^A/Σe^A of its window", "σ(Z) stands for the gate"): lambda v, _: (
        np.exp(v - v.max(-1, keepdims=True)) / np.exp(v - v.max(-1, keepdims=True)).sum(-1, keepdims=True)
    ),
    ("the second largest takes the gradient", "the gate is that of the second"): lambda v, _: _one_hot(
        np.argsort(-v, axis=-1, kind="stable")[..., min(1, v.shape[-1] - 1)], v
    ),
}
