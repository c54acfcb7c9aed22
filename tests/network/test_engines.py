"""What all engines share: smoothing, weights and lanes, against the textbook's gradients of single images."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cnncli.checking.agreement import bound_gradients
from cnncli.checking.bounds import U32
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Parameters
from cnncli.network.compiled.engine import CompiledEngine
from cnncli.network.engine import Engine, Gradients
from cnncli.network.numpy_engine.engine import NumpyEngine
from cnncli.network.textbook import Textbook
from tests.network.cases import Case, cases

ENGINES: list[type[Engine]] = [CompiledEngine, NumpyEngine]  # in float32; `takes` where they are


def single(case: Case) -> Case:
    """With numbers that float32 has."""

    def rounded(value: Array) -> Array:
        return value.astype(np.float32).astype(np.float64)

    return replace(case, X=rounded(case.X), parameters={n: rounded(v) for n, v in case.parameters.items()})


def shares(case: Case, smoothing: float, weights: Array) -> Iterator[tuple[float, int, int]]:
    """weights_i · q_ik / m for each image i and class k."""
    m, classes = len(case.X), case.architecture.classes
    for i in range(m):
        for k in range(classes):
            q = (1 - smoothing) * (case.y[i] == k) + smoothing / classes
            yield float(weights[i]) * q / m, i, k


def expect(case: Case, smoothing: float, weights: Array) -> tuple[float, Parameters, Parameters]:
    """Loss, gradients and float32's bounds of them: each image with each label alone, times its share."""
    textbook = Textbook(case.architecture)
    loss = 0.0
    gradients = {name: np.zeros_like(value) for name, value in case.parameters.items()}
    bounds = {name: np.zeros_like(value) for name, value in case.parameters.items()}
    for share, i, k in shares(case, smoothing, weights):
        record = textbook.record(case.parameters, case.X[i : i + 1], np.array([k]))
        loss += share * float(record["L"])
        of_one = bound_gradients(textbook.chain, record)
        for name in gradients:
            gradient = record[f"dL/d{name}"]
            gradients[name] += share * gradient
            bounds[name] += share * (of_one[name] + (len(case.X) + 8) * U32 * np.abs(gradient))
    return loss, gradients, bounds


def assert_within(found: Gradients, loss: float, gradients: Parameters, bounds: Parameters) -> None:
    assert found.loss == pytest.approx(loss, rel=1e-4, abs=1e-5)
    for name, gradient in gradients.items():
        assert (np.abs(found.gradients[name] - gradient) <= bounds[name]).all(), name


lanes = st.lists(st.floats(0, 1), min_size=1, max_size=6)  # where a batch is cut, as a share of it: lanes may be empty
smoothings = st.sampled_from([0.0, 0.1, 1.0])


def cut_at(places: list[float], m: int) -> list[int]:
    return [0, *sorted(round(place * m) for place in places), m]


@settings(max_examples=30)
@given(cases(largest=9, most_blocks=2), smoothings, lanes, st.integers(0, 99))
def test_smoothing_and_weights_are_those_of_the_formula(
    case: Case, smoothing: float, places: list[float], seed: int
) -> None:
    case = single(case)
    bounds = cut_at(places, len(case.X))
    weights = np.random.default_rng(seed).uniform(0, 2, len(case.X)).astype(np.float32)
    loss, gradients, float32 = expect(case, smoothing, weights)
    exact = Textbook(case.architecture).loss_and_gradients(
        case.parameters, case.X, case.y, smoothing=smoothing, weights=weights, bounds=bounds
    )
    assert exact.loss == pytest.approx(loss, rel=1e-9, abs=1e-12)
    for name, gradient in gradients.items():
        assert_allclose(exact.gradients[name], gradient, rtol=1e-9, atol=1e-12)
    for engine in ENGINES:
        if engine.takes(case.architecture):
            found = engine(case.architecture).loss_and_gradients(
                case.parameters, case.X, case.y, smoothing=smoothing, weights=weights, bounds=bounds
            )
            assert_within(found, loss, gradients, float32)


@settings(max_examples=30)
@given(cases(largest=9, most_blocks=2), lanes)
def test_a_batch_is_its_lanes_added_in_order_whoever_computes_them(case: Case, places: list[float]) -> None:
    X, y, m, bounds = case.X, case.y, len(case.X), cut_at(places, len(case.X))
    half = len(bounds) // 2
    engines: list[Engine] = [Textbook(case.architecture)]
    engines += [engine(case.architecture) for engine in ENGINES if engine.takes(case.architecture)]
    for engine in engines:
        whole = engine.loss_and_gradients(case.parameters, X, y, bounds=bounds)
        sums = engine.lane_sums(case.parameters, X, y, m=m, bounds=bounds)
        assert len(sums.losses) == len(bounds) - 1
        middle = bounds[half]
        parts = [
            engine.lane_sums(case.parameters, X[:middle], y[:middle], m=m, bounds=bounds[: half + 1]),
            engine.lane_sums(case.parameters, X[middle:], y[middle:], m=m, bounds=np.array(bounds[half:]) - middle),
        ]
        assert_array_equal(whole.logits, np.concatenate([part.logits for part in parts]))
        of_lanes = engine.name_sums(sums.numbers)
        for name, gradient in whole.gradients.items():
            assert gradient.shape == case.parameters[name].shape
            joined = np.concatenate([engine.name_sums(part.numbers)[name] for part in parts])
            assert_array_equal(joined, of_lanes[name])
            total = joined[0].copy()
            for lane in joined[1:]:
                total += lane
            assert_array_equal(gradient, total)


def test_without_smoothing_and_weights_the_textbook_engine_is_its_record() -> None:
    for m in (1, 3, 49):
        random = np.random.default_rng(m)
        architecture = Architecture(7, 6, 2, (3,), classes=3)
        engine = Textbook(architecture)
        parameters = {name: random.normal(size=shape) for name, shape in engine.chain.parameter_shapes.items()}
        X, y = random.normal(size=(m, *engine.chain.image.shape)), random.integers(0, architecture.classes, m)
        found, record = engine.loss_and_gradients(parameters, X, y), engine.record(parameters, X, y)
        assert found.loss == pytest.approx(float(record["L"]), rel=1e-15)
        for name, gradient in found.gradients.items():
            assert_array_equal(gradient, record[f"dL/d{name}"])
