"""The numpy engine against the textbook."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import DTypeLike

from cnncli.checking.agreement import Agreement, bound_gradients, compare_engine
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.engine import MOST_LANES
from cnncli.network.numpy_engine import block, chunk
from cnncli.network.numpy_engine.chunk import Chunk
from cnncli.network.numpy_engine.engine import FEWEST_IMAGES, MOST_IMAGES, NumpyEngine, images_per_chunk
from cnncli.network.tensors import Shape
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject
from tests.network.batches import KINDS, architectures, batch

STRIPS = (1, 4000, block.STRIP_BYTES)  # one row of windows, some, most of these networks' blocks whole


def compare(a: Architecture, parameters: Parameters, X: Array, y: Labels) -> list[Agreement]:
    subject = Subject(a, parameters, tuple(map(str, range(a.classes))), X, y, ("",) * len(y), "")
    return list(compare_engine(NumpyEngine(a), subject))


@given(architectures(), st.integers(1, 40), st.sampled_from(KINDS), st.integers(0, 99), st.sampled_from(STRIPS))
def test_gradients_are_the_textbooks_within_the_bound(
    a: Architecture, m: int, kind: str, seed: int, strip_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "STRIP_BYTES", strip_bytes)
        for agreement in compare(a, *batch(a, m, kind, seed)):
            error = np.abs(agreement.computed - agreement.textbook)
            assert agreement.passed, f"{agreement.name}: {error.max()} of {agreement.bound.max()}"


def test_a_batch_of_large_images_goes_in_several_strips() -> None:
    a = Architecture(64, 64, 3, (64, 8))
    blocks = Chunk(a, 16).blocks
    assert len(blocks[0].strips) > 1
    assert all(agreement.passed for agreement in compare(a, *batch(a, 16, "half flat", 0)))


def test_all_chunks_of_a_lane_count() -> None:
    a = Architecture(9, 8, 2, (3, 2), 2, 2, classes=3)
    assert MOST_LANES * images_per_chunk(a) < 1100
    assert all(agreement.passed for agreement in compare(a, *batch(a, 1100, "noise", 0)))


@pytest.mark.parametrize(("side", "kernel", "pool"), [(13, 3, 2), (17, 2, 3), (18, 3, 1), (19, 1, 4)])
def test_nothing_is_read_before_it_is_written(
    side: int, kernel: int, pool: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dirty(shape: Shape, dtype: DTypeLike = np.float32) -> Array:
        return np.full(shape, True if dtype is np.bool_ else np.nan, dtype)

    monkeypatch.setattr(block, "empty", dirty)
    monkeypatch.setattr(chunk, "empty", dirty)
    a = Architecture(side, side, 1, (3, 2), kernel, pool)
    assert all(agreement.passed for agreement in compare(a, *batch(a, 5, "noise", 0)))


@given(architectures(), st.integers(1, 40), st.sampled_from(KINDS), st.integers(0, 99))
def test_loss_and_logits_are_the_textbooks(a: Architecture, m: int, kind: str, seed: int) -> None:
    parameters, X, y = batch(a, m, kind, seed)
    parameters = {name: value.astype(np.float32).astype(float) for name, value in parameters.items()}
    X = X.astype(np.float32).astype(float)
    expected, engine = Textbook(a).loss_and_gradients(parameters, X, y), NumpyEngine(a)
    found = engine.loss_and_gradients(parameters, X, y)
    scale = 1 + np.abs(expected.logits).max()
    np.testing.assert_allclose(found.logits, expected.logits, rtol=0, atol=1e-5 * scale)
    assert found.loss == pytest.approx(expected.loss, abs=1e-5 * scale)
    np.testing.assert_array_equal(engine.logits(parameters, X), found.logits)
    assert list(found.gradients) == list(build_chain(a).parameter_shapes)
    assert {name: g.shape for name, g in found.gradients.items()} == build_chain(a).parameter_shapes
    assert all(g.dtype == np.float32 and g.flags.c_contiguous for g in found.gradients.values())


def test_the_bound_is_tight_enough_to_see_one_wrong_pixel() -> None:
    a = Architecture(12, 12, filters=(3, 2))
    parameters, X, y = batch(a, 8, "noise", 0)
    textbook = Textbook(a)
    record = textbook.record(parameters, X, y)
    changed = X.copy()
    changed[:, 0, 5, 5] += 0.1
    wrong = textbook.loss_and_gradients(parameters, changed, y).gradients["w1"]
    assert (np.abs(wrong - record["dL/dw1"]) > bound_gradients(textbook.chain, record)["w1"]).any()


def test_an_engine_keeps_nothing_of_the_batch_before() -> None:
    a = Architecture(14, 14, 1, (4, 3))
    engine = NumpyEngine(a)
    parameters, X, y = batch(a, 70, "noise", 0)
    fresh = NumpyEngine(a).loss_and_gradients(parameters, X, y)
    engine.loss_and_gradients(parameters, 1e3 * X[:31], y[:31])
    engine.logits(parameters, -X[:50])
    again = engine.loss_and_gradients(parameters, X, y)
    for name, gradient in fresh.gradients.items():
        np.testing.assert_array_equal(again.gradients[name], gradient)


def test_the_first_of_several_equal_winners_alone_gets_the_gradient() -> None:
    a = Architecture(4, 4, filters=(1,), kernel=1, pool=4)
    parameters = {"w1": np.ones((1, 1, 1, 1)), "b1": np.zeros(1), "w2": np.ones((1, 1)), "b2": np.zeros(1)}
    X = np.full((1, 1, 4, 4), 2.0)
    found = NumpyEngine(a).loss_and_gradients(parameters, X, np.array([0]))
    assert found.gradients["b1"] == pytest.approx(1 / (1 + np.exp(-2)))  # once, not sixteen times


def test_a_nan_reaches_the_loss_whichever_place_of_the_window_it_has() -> None:
    a = Architecture(6, 6, filters=(2, 2), kernel=1, pool=2)
    parameters, X, y = batch(a, 40, "noise", 0)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        broken = X.copy()
        broken[39, 0, row, column] = np.nan
        assert np.isnan(NumpyEngine(a).loss_and_gradients(parameters, broken, y).loss)


def test_chunks_are_bounded() -> None:
    assert images_per_chunk(Architecture(28, 28)) == MOST_IMAGES
    assert images_per_chunk(Architecture(256, 256, 3, (64,))) == FEWEST_IMAGES


def test_workspaces_begin_at_a_cache_line() -> None:
    for shape in ((1,), (3, 5), (7, 11, 13)):
        assert block.empty(shape).ctypes.data % block.CACHE_LINE == 0


@pytest.mark.parametrize(
    ("a", "m", "bytes_"),
    [
        (Architecture(64, 64, 3, (8,)), 16, 4 * 16 * 8 * 62 * 62 / 4),  # a quarter of Z
        (Architecture(32, 32, 8, (64, 128), 5), 2, 8 * 4 * 25 * 64 * 128),  # eight times the largest w
    ],
)
def test_a_second_step_allocates_no_workspace(a: Architecture, m: int, bytes_: float) -> None:
    parameters, X, y = batch(a, m, "noise", 0)
    parameters = {name: value.astype(np.float32) for name, value in parameters.items()}
    X, engine = X.astype(np.float32), NumpyEngine(a)
    engine.loss_and_gradients(parameters, X, y)
    tracemalloc.start()
    try:
        engine.loss_and_gradients(parameters, X, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < bytes_
