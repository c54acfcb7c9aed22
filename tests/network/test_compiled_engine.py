"""The compiled engine against the textbook; the same bits for all its variants and any number of threads."""

import ctypes
import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cnncli.checking.agreement import compare_engine
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.compiled.engine import CompiledEngine
from cnncli.network.compiled.library import NO_LIBRARY, choose_variant, load_library, variants
from cnncli.network.engine import Gradients, join_lanes
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject
from tests.network.batches import KINDS, architectures, batch

pytestmark = pytest.mark.skipif(load_library() is None, reason=NO_LIBRARY)
FUSED = [name for name in variants() if name != "plain"]  # round a·b + c once, so their bits are the same


def single(parameters: Parameters, X: Array) -> tuple[Parameters, Array]:
    return {name: value.astype(np.float32) for name, value in parameters.items()}, X.astype(np.float32)


def assert_close(found: Gradients, expected: Gradients) -> None:
    """The same infinities and NaNs, and all else within what float32 leaves."""
    numbers = [[np.array(each.loss), each.logits, *each.gradients.values()] for each in (found, expected)]
    for one, other in zip(*numbers, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def assert_same(found: Gradients, expected: Gradients) -> None:
    assert_array_equal(found.loss, expected.loss)
    assert_array_equal(found.logits, expected.logits)
    assert list(found.gradients) == list(expected.gradients)
    for name, gradient in expected.gradients.items():
        assert_array_equal(found.gradients[name], gradient, name)


def assert_all_variants_right(a: Architecture, parameters: Parameters, X: Array, y: Labels) -> None:
    """Those with fused multiply-add give the same bits; these, and those of the plain one, are within the bound."""
    fused = [CompiledEngine(a, 1, variant).loss_and_gradients(parameters, X, y) for variant in FUSED]
    for result in fused:
        assert_same(result, fused[0])
    subject = Subject(a, parameters, tuple(map(str, range(a.classes))), X, y, ("",) * len(y), "")
    for variant in (*FUSED[:1], "plain"):
        for agreement in compare_engine(CompiledEngine(a, 2, variant), subject):
            error = np.abs(agreement.computed - agreement.textbook)
            assert agreement.passed, f"{variant}, {agreement.name}: {error.max()} of {agreement.bound.max()}"


NETWORKS = (
    architectures(kernels=7, filters=20),
    st.integers(0, 2),
    st.integers(1, 24),
    st.sampled_from(KINDS),
    st.integers(0, 99),
)


def check_random_network(a: Architecture, padding: int, m: int, kind: str, seed: int) -> None:
    a = replace(a, padding=padding)
    assert_all_variants_right(a, *batch(a, m, kind, seed))


test_random_networks = settings(max_examples=30)(given(*NETWORKS)(check_random_network))
test_many_random_networks = pytest.mark.slow(settings(max_examples=500)(given(*NETWORKS)(check_random_network)))


@pytest.mark.parametrize("kernel", range(1, 8))
def test_every_kernel_with_every_pooling_window(kernel: int) -> None:
    for pool in range(1, 5):
        side = pool * pool + kernel + 1  # a row and a column that no window reaches, but for pool 1
        a = Architecture(side, side + pool, 3, (9, 3), kernel, pool, 3, padding=kernel // 2)
        assert_all_variants_right(a, *batch(a, 3, "half flat", kernel))


@settings(max_examples=15)
@given(architectures(kernels=5, filters=9), st.integers(1, 70), st.integers(0, 99))
def test_the_bits_are_those_of_one_thread(a: Architecture, m: int, seed: int) -> None:
    parameters, X, y = batch(a, m, "noise", seed)
    alone = CompiledEngine(a, 1).loss_and_gradients(parameters, X, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cnncli.network.compiled.team.WORTH_SHARING", 0)
        for threads in range(2, 9):
            engine = CompiledEngine(a, threads)
            for _ in range(3):
                assert_same(engine.loss_and_gradients(parameters, X, y), alone)
            assert_array_equal(engine.logits(parameters, X), alone.logits)


@settings(max_examples=30)
@given(architectures(kernels=5, filters=9), st.integers(1, 40), st.sampled_from(KINDS), st.integers(0, 99))
def test_loss_and_logits_are_the_textbooks(a: Architecture, m: int, kind: str, seed: int) -> None:
    parameters, X = single(*batch(a, m, kind, seed)[:2])
    y = batch(a, m, kind, seed)[2]
    expected = Textbook(a).loss_and_gradients({n: v.astype(float) for n, v in parameters.items()}, X.astype(float), y)
    engine = CompiledEngine(a)
    found = engine.loss_and_gradients(parameters, X, y)
    scale = 1 + np.abs(expected.logits).max()
    np.testing.assert_allclose(found.logits, expected.logits, rtol=0, atol=1e-5 * scale)
    assert found.loss == pytest.approx(expected.loss, abs=1e-5 * scale)
    assert_array_equal(engine.logits(parameters, X), found.logits)
    shapes = {name: gradient.shape for name, gradient in found.gradients.items()}
    assert list(shapes.items()) == list(build_chain(a).parameter_shapes.items())
    assert all(g.dtype == np.float32 and g.flags.c_contiguous for g in found.gradients.values())


@pytest.mark.parametrize("z", [0.0, 1e-6, 0.3, -2.0, 20.0, -40.0, 88.0, 120.0, -800.0, 1e6])
def test_a_loss_is_exact_however_far_the_logit_is(z: float) -> None:
    """The network hands its only pixel to the logit; 1·1 image, weights 1."""
    for classes in (2, 3):
        a = Architecture(1, 1, filters=(1,), kernel=1, pool=1, classes=classes)
        K = a.outputs
        parameters = {"w1": np.ones((1, 1, 1, 1)), "b1": np.zeros(1), "w2": np.zeros((K, 1)), "b2": np.zeros(K)}
        parameters["b2"][-1] = np.float32(z)
        for label in range(classes):
            for smoothing in (0.0, 0.1):
                X, y = np.ones((1, 1, 1, 1)), np.array([label])
                expected = Textbook(a).loss_and_gradients(parameters, X, y, smoothing=smoothing)
                found = CompiledEngine(a).loss_and_gradients(parameters, X, y, smoothing=smoothing)
                assert found.loss == pytest.approx(expected.loss, rel=1e-14, abs=1e-300)
                for name in ("w2", "b2"):
                    np.testing.assert_allclose(found.gradients[name], expected.gradients[name], rtol=2e-7, atol=1e-44)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["X", "w1", "b1", "w2", "b2", "w3", "b3"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_not_finite_is_as_in_the_textbook(value: float, where: str) -> None:
    a = Architecture(13, 12, 2, (3, 5), classes=3)
    parameters, X, y = batch(a, 7, "noise", 1)
    parameters, X = single(parameters, X)
    for place in (0, -1):
        changed, images = {name: array.copy() for name, array in parameters.items()}, X.copy()
        (images if where == "X" else changed[where]).flat[place] = value
        engine = CompiledEngine(a)
        same = assert_close if where == "X" else assert_same  # of the images the kernel computes those that are finite
        same(
            engine.loss_and_gradients(changed, images, y),
            Textbook(a).loss_and_gradients(changed, images, y, bounds=engine.cut(7)),
        )
        z, expected = engine.logits(changed, images), Textbook(a).logits(changed, images)
        assert_array_equal(np.isnan(z), np.isnan(expected))
        assert_array_equal(np.isinf(z), np.isinf(expected))
        sums = engine.lane_sums(changed, images, y, m=9, bounds=(0, 3, 7))
        of_textbook = Textbook(a).lane_sums(changed, images, y, m=9, bounds=(0, 3, 7))
        np.testing.assert_allclose(sums.losses, of_textbook.losses, rtol=1e-6)
        alone = [
            engine.lane_sums(changed, images[part], y[part], m=9, bounds=(0, len(y[part])))
            for part in (slice(0, 3), slice(3, 7))
        ]
        assert_same(engine.add(sums), engine.add(join_lanes(alone)))  # whoever computes them


def test_an_engine_keeps_nothing_of_the_batch_before() -> None:
    a = Architecture(14, 14, 1, (4, 3), padding=1)
    parameters, X, y = batch(a, 70, "noise", 0)
    engine, fresh = CompiledEngine(a, 2), CompiledEngine(a, 2).loss_and_gradients(parameters, X, y)
    engine.loss_and_gradients(parameters, 1e3 * X[:31], y[:31], bounds=range(32))
    engine.logits(parameters, -X[:50])
    assert_same(engine.loss_and_gradients(parameters, X, y), fresh)


def test_the_first_of_several_equal_winners_alone_gets_the_gradient() -> None:
    a = Architecture(4, 4, filters=(1,), kernel=1, pool=4)
    parameters = {"w1": np.ones((1, 1, 1, 1)), "b1": np.zeros(1), "w2": np.ones((1, 1)), "b2": np.zeros(1)}
    X = np.full((1, 1, 4, 4), 2.0)
    for variant in variants():
        found = CompiledEngine(a, 1, variant).loss_and_gradients(parameters, X, np.array([0]))
        assert found.gradients["b1"] == pytest.approx(1 / (1 + np.exp(-2)))  # once, not sixteen times


def test_nothing_grows_with_the_batch_but_inputs_and_logits() -> None:
    a = Architecture(28, 28, 1, (8,))
    parameters, X, y = batch(a, 2000, "noise", 0)
    parameters, X = single(parameters, X)
    engine = CompiledEngine(a, 2)
    engine.loss_and_gradients(parameters, X[:32], y[:32])
    tracemalloc.start()
    try:
        engine.loss_and_gradients(parameters, X, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000  # an image's Z alone has 21,632 bytes


def test_a_label_or_a_lane_that_cannot_be_is_refused() -> None:
    a = Architecture(6, 6, filters=(2,), classes=3)
    parameters, X, y = batch(a, 4, "noise", 0)
    engine = CompiledEngine(a)
    for label in (-1, 3):
        with pytest.raises(IndexError, match="no class"):
            engine.loss_and_gradients(parameters, X, np.array([0, 1, 2, label]))
    for bounds in ((0, 3, 2, 4), (-1, 4), (0, 5)):
        with pytest.raises(IndexError, match="lanes"):
            engine.loss_and_gradients(parameters, X, y, bounds=bounds)
    with pytest.raises(ValueError, match="4 images and 3 labels"):
        engine.loss_and_gradients(parameters, X, y[:3])
    with pytest.raises(ValueError, match="weights"):
        engine.loss_and_gradients(parameters, X, y, weights=np.ones(3))
    with pytest.raises(ValueError, match="shape"):
        engine.logits(parameters, X[:, :, 1:])


def test_what_the_kernel_does_not_take() -> None:
    right = Architecture(40, 40)
    assert CompiledEngine.takes(right)
    assert not CompiledEngine.takes(replace(right, pooling="average"))
    for other in (replace(right, stride=2), replace(right, dilation=2), replace(right, pool_stride=1)):
        assert not CompiledEngine.takes(other)
    assert not CompiledEngine.takes(replace(right, kernel=8))
    assert not CompiledEngine.takes(replace(right, pool=5))


def test_a_variant_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variants():
        monkeypatch.setenv("CNNCLI_KERNEL", name)
        assert CompiledEngine(Architecture(9, 9)).variant == name
    monkeypatch.setenv("CNNCLI_KERNEL", "of another processor")
    assert choose_variant((8,)) in variants()


def test_a_library_of_another_version_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Older:
        """Of a time when the kernel had other functions."""

        def __init__(self, path: str) -> None:
            self.supports = self.step_plain = ctypes.CDLL(path).supports

    older = SimpleNamespace(**vars(ctypes) | {"CDLL": Older})
    monkeypatch.setattr("cnncli.network.compiled.library.ctypes", older)
    assert load_library.__wrapped__() is None


@pytest.mark.parametrize("filters", [(3,), (8,), (16, 5), (33, 4, 2)])
def test_the_kernels_order_of_numbers_has_a_place_for_every_derivative(filters: tuple[int, ...]) -> None:
    a = Architecture(30, 29, 2, filters, classes=3, padding=1)
    parameters, X, y = batch(a, 7, "noise", 1)
    parameters, X = single(parameters, X)
    engine = CompiledEngine(a)
    sums = engine.lane_sums(parameters, X, y, m=7, bounds=(0, 7))
    whole = engine.loss_and_gradients(parameters, X, y, bounds=(0, 7))  # put in order by the kernel
    for name, gradient in engine.name_sums(sums.numbers[0]).items():
        assert_array_equal(gradient, whole.gradients[name])
    with pytest.raises(ValueError, match="do not go into"):
        engine.lane_sums(parameters, X, y, m=7, bounds=(0, 7), into=np.empty((1, engine.numbers - 1), np.float32))
