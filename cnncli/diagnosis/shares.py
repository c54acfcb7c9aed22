"""Other ways to share a gradient among the candidates of a maximum, and other gates than Z > 0."""

from collections.abc import Callable
from functools import partial

import numpy as np

from cnncli.network.arrays import Array

Share = Callable[[Array, Array], Array]  # candidates (…, c) and the gradient that is given → the share of each
Gate = Callable[[Array, Array], Array]  # Z and the gradient that is given, of one shape → the gate


def give_to(place: int, values: Array, _given: Array) -> Array:
    """Everything to one place, wherever the maximum is."""
    return _one_hot(np.full(values.shape[:-1], place), values)


def _one_hot(place: Array, values: Array) -> Array:
    hot: Array = (np.arange(values.shape[-1]) == place[..., None]).astype(float)
    return hot


def first(values: Array, _given: Array) -> Array:
    """Everything to the first of the maxima."""
    return _one_hot(values.argmax(-1), values)


def every(values: Array, _given: Array) -> Array:
    """The whole to each of the maxima."""
    top: Array = (values == values.max(axis=-1, keepdims=True)) * 1.0
    return top


def _evenly(chosen: Array) -> Array:
    shares: Array = chosen / np.maximum(chosen.sum(-1, keepdims=True), 1)
    return shares


def _find_near(values: Array) -> Array:
    near: Array = np.isclose(values, values.max(axis=-1, keepdims=True))
    return near


def _transposed_place(values: Array, _given: Array) -> Array:
    s = round(values.shape[-1] ** 0.5)
    row, column = np.divmod(values.argmax(axis=-1), s)
    return _one_hot(column * s + row, values)


def _of_lines(axis: int, values: Array, *, whole: bool) -> Array:
    """The rows (axis -1) or columns (-2) of the windows: the maximum of each, or all of the one that holds it."""
    s = round(values.shape[-1] ** 0.5)
    planes = values.reshape(*values.shape[:-1], s, s)
    chosen = planes == planes.max(axis=axis, keepdims=True)
    if whole:
        winner = first(values, values).reshape(planes.shape)
        chosen = np.broadcast_to(winner.max(axis=axis, keepdims=True), planes.shape)
    shares: Array = chosen.reshape(values.shape) * 1.0
    return shares


def _softmax(values: Array) -> Array:
    e = np.exp(values - values.max(-1, keepdims=True))
    shares: Array = e / e.sum(-1, keepdims=True)
    return shares


SHARES: dict[str, Share] = {
    "the first maximum alone takes the gradient": first,
    "every tied maximum takes the whole gradient": every,
    "tied maxima share the gradient": lambda v, g: _evenly(every(v, g)),
    "the first maximum takes no more than its share among tied ones": lambda v, g: _evenly(every(v, g)) * first(v, g),
    "the last of tied maxima takes the gradient": lambda v, _: _one_hot(v.shape[-1] - 1 - v[..., ::-1].argmax(-1), v),
    "the maximum takes the gradient where it is positive alone": lambda v, g: first(v, g) * (v > 0),
    "every tied maximum takes the whole gradient where it is positive": lambda v, g: every(v, g) * (v > 0),
    "tied maxima share the gradient where they are positive": lambda v, g: _evenly(every(v, g)) * (v > 0),
    "the whole window takes the gradient": lambda v, _: np.ones_like(v),
    "the gradient is spread evenly over the window": lambda v, _: np.full_like(v, 1 / v.shape[-1]),
    "the smallest takes the gradient, not the largest": lambda v, _: _one_hot(v.argmin(-1), v),
    "every tied minimum takes the gradient": lambda v, _: (v == v.min(axis=-1, keepdims=True)) * 1.0,
    "all but the maximum take the gradient": lambda v, g: 1 - first(v, g),
    "all but the maxima take the gradient": lambda v, g: 1 - every(v, g),
    "the maximum itself multiplies the gradient": lambda v, g: v * first(v, g),
    "every tied maximum multiplies the gradient": lambda v, g: v * every(v, g),
    "every number multiplies the gradient of its window": lambda v, _: v,
    "positive numbers take the gradient": lambda v, _: (v > 0) * 1.0,
    "positive numbers share the gradient evenly": lambda v, _: _evenly((v > 0) * 1.0),
    "numbers that are not 0 take the gradient": lambda v, _: (v != 0) * 1.0,
    "row and column are swapped inside the window": _transposed_place,
    "the gradient passes where it is positive itself": lambda v, g: np.broadcast_to((g > 0)[..., None] * 1.0, v.shape),
    "the gradient passes only where it is positive": lambda v, g: (g > 0)[..., None] * first(v, g),
    "each takes e^A/Σe^A of its window": lambda v, _: _softmax(v),
    "each takes A/ΣA of its window": lambda v, _: v / (v.sum(-1, keepdims=True) + 1e-300),
    "the second largest takes the gradient": lambda v, _: _one_hot(
        np.argsort(-v, axis=-1, kind="stable")[..., min(1, v.shape[-1] - 1)], v
    ),
    "the largest of each row of the window takes the gradient": lambda v, _: _of_lines(-1, v, whole=False),
    "the largest of each column of the window takes the gradient": lambda v, _: _of_lines(-2, v, whole=False),
    "the whole row of the maximum takes the gradient": lambda v, _: _of_lines(-1, v, whole=True),
    "the whole column of the maximum takes the gradient": lambda v, _: _of_lines(-2, v, whole=True),
    "what is above the mean of its window takes the gradient": lambda v, _: (v > v.mean(-1, keepdims=True)) * 1.0,
    "what is not below the mean of its window takes the gradient": lambda v, _: (v >= v.mean(-1, keepdims=True)) * 1.0,
    "the first of those that are nearly the maximum takes the gradient (np.isclose?)": lambda v, _: _one_hot(
        _find_near(v).argmax(-1), v
    ),
    "all that are nearly the maximum take the gradient (np.isclose?)": lambda v, _: _find_near(v) * 1.0,
    "those that are nearly the maximum share the gradient (np.isclose?)": lambda v, _: _evenly(_find_near(v) * 1.0),
    "the maximum in float32 takes the gradient": lambda v, _: _one_hot(v.astype(np.float32).argmax(-1), v),
    "the maximum of whole numbers takes the gradient (cut off, astype(int)?)": lambda v, _: _one_hot(
        np.trunc(v).argmax(-1), v
    ),
    "the largest of the whole map alone takes the gradient": lambda v, _: (
        (v == v.max((-3, -2, -1), keepdims=True)) * 1.0
    ),
}


def _sigma(Z: Array) -> Array:
    s: Array = 1 / (1 + np.exp(-Z))
    return s


SLOPES = (0.001, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3)
EDGES = (-1.0, -0.5, 1e-3, 1e-2, 0.1, 0.5, 1.0)


def _leak(slope: float, Z: Array, _given: Array) -> Array:
    return np.where(Z > 0, 1, slope)


def _open(edge: float, Z: Array, _given: Array) -> Array:
    return np.where(edge < Z, 1.0, 0.0)


GATES: dict[str, Gate] = {
    "the gate is open at 0 too": lambda Z, _: (Z >= 0) * 1.0,
    "the gate is half open at 0": lambda Z, _: np.heaviside(Z, 0.5),
    "the gate is missing": lambda Z, _: np.ones_like(Z),
    "the gate is ½ everywhere": lambda Z, _: np.full_like(Z, 0.5),
    "the gate is turned round": lambda Z, _: (Z < 0) * 1.0,
    "the gate is turned round, and open at 0": lambda Z, _: (Z <= 0) * 1.0,
    "A stands for the gate": lambda Z, _: np.maximum(Z, 0),
    "Z stands for the gate": lambda Z, _: Z,
    "|Z| stands for the gate": lambda Z, _: np.abs(Z),
    "the sign of Z stands for the gate": lambda Z, _: np.sign(Z),
    "the gate is open wherever Z is not 0": lambda Z, _: (Z != 0) * 1.0,
    "the gate is that of the gradient, not of Z": lambda _, g: (g > 0) * 1.0,
    "the gate shuts where the gradient is negative, too": lambda Z, g: ((Z > 0) & (g > 0)) * 1.0,
    "the gate is open where Z or the gradient is positive": lambda Z, g: ((Z > 0) | (g > 0)) * 1.0,
    "σ(Z) stands for the gate": lambda Z, _: _sigma(Z),
    "σ(A) stands for the gate": lambda Z, _: _sigma(np.maximum(Z, 0)),
    "σ(Z)·(1 − σ(Z)) stands for the gate, as of a sigmoid": lambda Z, _: _sigma(Z) * (1 - _sigma(Z)),
    "A·(1 − A) stands for the gate, as of a sigmoid": lambda Z, _: np.maximum(Z, 0) * (1 - np.maximum(Z, 0)),
    "Z·(1 − Z) stands for the gate, as of a sigmoid": lambda Z, _: Z * (1 - Z),
    "1 − tanh²(Z) stands for the gate, as of a tanh": lambda Z, _: 1 - np.tanh(Z) ** 2,
    "1 − A² stands for the gate, as of a tanh": lambda Z, _: 1 - np.maximum(Z, 0) ** 2,
    "1 − Z² stands for the gate, as of a tanh": lambda Z, _: 1 - Z**2,
    "the gate is e^Z below 0, as of an ELU": lambda Z, _: np.exp(np.minimum(Z, 0)),
    "the gate is that of Z·σ(Z)": lambda Z, _: _sigma(Z) + Z * _sigma(Z) * (1 - _sigma(Z)),
    **{f"the gate is leaky, {slope:g} where Z is not positive": partial(_leak, slope) for slope in SLOPES},
    **{f"the gate opens at Z = {edge:g}": partial(_open, edge) for edge in EDGES},
    "the gate opens at the mean of Z": lambda Z, _: (Z.mean() < Z) * 1.0,
    "the gate opens at the mean of each image's Z": lambda Z, _: (Z.mean((1, 2, 3), keepdims=True) < Z) * 1.0,
    "the gate opens at the mean of each filter's Z": lambda Z, _: (Z.mean((0, 2, 3), keepdims=True) < Z) * 1.0,
    "the gate opens at the mean of each Z of an image and filter": lambda Z, _: (
        (Z.mean((2, 3), keepdims=True) < Z) * 1.0
    ),
}
