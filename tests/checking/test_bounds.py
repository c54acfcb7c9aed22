"""The bound for float32: two hundred random networks keep it, and what is deliberately wrong does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnncli.checking.agreement import bound_gradients, compare_engine, join
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.engine import Gradients
from cnncli.network.numpy_engine.engine import NumpyEngine
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject


def random_subject(seed: int) -> Subject:
    """One to three blocks, any padding; every third of whole numbers, so that maxima are tied."""
    random = np.random.default_rng([seed, 7])

    def number(low: int, high: int) -> int:
        return int(random.integers(low, high + 1))

    blocks, kernel, pool = number(1, 3), number(1, 3), number(1, 2)
    padding = number(0, kernel - 1)
    side = 1
    for _ in range(blocks):
        side = max(side * pool + kernel - 1 - 2 * padding, 1)
    filters = tuple(number(1, 4) for _ in range(blocks))
    classes = number(2, 4)
    height, width = side + number(0, 3), side + number(0, 3)
    architecture = Architecture(height, width, number(1, 3), filters, kernel, pool, classes, padding=padding)
    assert NumpyEngine.takes(architecture)
    m = number(1, 20)
    shapes = build_chain(architecture).parameter_shapes
    parameters = {name: random.normal(size=shape) for name, shape in shapes.items()}
    X = random.normal(size=(m, architecture.channels, height, width))
    if seed % 3 == 0:
        parameters, X = {name: np.rint(value) for name, value in parameters.items()}, np.rint(X)
    names = tuple(map(str, range(classes)))
    return Subject(architecture, parameters, names, X, random.integers(0, classes, m), ("",) * m, "random")


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_the_numpy_engine_is_within_the_bound_on_two_hundred_random_networks(first: int) -> None:
    for seed in range(first, first + 50):
        subject = random_subject(seed)
        for agreement in compare_engine(NumpyEngine(subject.architecture), subject):
            assert agreement.passed, (seed, agreement.name, agreement.share_of_bound)
            assert agreement.share_of_bound <= 1


class Spoiled(NumpyEngine):
    """The NumPy engine, but for one parameter's gradient."""

    def __init__(self, architecture: Architecture, parameter: str, spoil: Callable[[Array], Array]) -> None:
        super().__init__(architecture)
        self._parameter, self._spoil = parameter, spoil

    def loss_and_gradients(self, parameters: Parameters, X: Array, y: Labels, **options: Any) -> Gradients:
        loss, gradients, logits = super().loss_and_gradients(parameters, X, y, **options)
        return Gradients(loss, gradients | {self._parameter: self._spoil(gradients[self._parameter])}, logits)


def one_percent_off(gradient: Array) -> Array:
    """The largest entry."""
    wrong = gradient.copy()
    wrong.flat[np.abs(wrong).argmax()] *= 1.01
    return wrong


def without_the_mean(gradient: Array) -> Array:
    """The 1/m forgotten, for m = 6."""
    return 6 * gradient


def turned(gradient: Array) -> Array:
    """From behind."""
    return gradient[tuple(slice(None, None, -1) for _ in gradient.shape)].copy()


def not_a_number(gradient: Array) -> Array:
    """In one entry."""
    wrong = gradient.copy()
    wrong.flat[0] = np.nan
    return wrong


@pytest.mark.parametrize("parameter", ["w1", "b1", "w2", "b2", "w3", "b3"])
@pytest.mark.parametrize("spoil", [one_percent_off, without_the_mean, turned, np.negative, np.zeros_like, not_a_number])
def test_a_deliberately_wrong_gradient_fails_where_it_is_wrong(parameter: str, spoil: Callable[[Array], Array]) -> None:
    architecture = Architecture(13, 12, 2, (4, 3), 3, 2, 3)
    random = np.random.default_rng(1)
    parameters = {
        name: random.normal(size=shape) / 3 for name, shape in build_chain(architecture).parameter_shapes.items()
    }
    X, y = random.normal(size=(6, 2, 13, 12)), random.integers(0, 3, 6)
    subject = Subject(architecture, parameters, ("0", "1", "2"), X, y, ("",) * 6, "random")
    agreements = list(compare_engine(Spoiled(architecture, parameter, spoil), subject))
    assert [agreement.name for agreement in agreements if not agreement.passed] == [f"dL/d{parameter}"]
    assert not join("spoiled engine", agreements).passed


def test_the_bounds_have_the_parameters_names_and_shapes_and_are_mostly_small() -> None:
    """A bound is large where a winner is in doubt or A saturates; were it so everywhere, it would excuse all."""
    shares = []
    for seed in range(1, 200, 3):
        subject = random_subject(seed)
        chain = build_chain(subject.architecture)
        record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
        bounds = bound_gradients(chain, record)
        assert {name: bounds[name].shape for name in chain.parameters} == chain.parameter_shapes
        assert bounds.keys() == chain.parameters.keys()
        assert all((bound >= 0).all() and np.isfinite(bound).all() for bound in bounds.values())
        largest = {name: np.abs(record[f"dL/d{name}"]).max() for name in chain.parameters}
        shares += [float(bounds[name].max() / size) for name, size in largest.items() if size > 0]
    assert np.median(shares) < 1e-3
