"""The textbook engine against three oracles: golden values, a slow loop from the definitions, and the complex step."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Parameters
from cnncli.network.chain import build_chain
from cnncli.network.textbook import Textbook
from tests.network.cases import Case, cases
from tests.network.slow import slow_network

GOLDEN = json.loads(Path(__file__).with_name("note_6x6.json").read_text())
NOTE = Architecture(6, 6, channels=1, filters=(1,), kernel=3, pool=2, classes=2)


@pytest.mark.parametrize("name", GOLDEN)
def test_every_golden_value_of_the_6x6_example(name: str) -> None:
    parameters = {name: np.array(GOLDEN[name]) for name in build_chain(NOTE).parameters}
    record = Textbook(NOTE).record(parameters, np.array([GOLDEN["X"]]), np.array([GOLDEN["y"]]))
    assert_allclose(
        record[name].reshape(build_chain(NOTE).shapes[name]), np.array(GOLDEN[name]), rtol=1e-12, atol=1e-12
    )


@given(cases(largest=8))
def test_every_value_equals_the_slow_loop(case: Case) -> None:
    record = Textbook(case.architecture).record(case.parameters, case.X, case.y)
    parameters = {name: value.tolist() for name, value in case.parameters.items()}
    m = len(case.y)
    slow = [
        slow_network(case.architecture, parameters, X.tolist(), int(y), m) for X, y in zip(case.X, case.y, strict=True)
    ]
    summed = {"L", *(f"dL/d{name}" for name in parameters)}
    for step in record:
        if step.name == "y":
            assert_allclose(step.value, case.y)
        elif step.name in (*parameters, f"d{build_chain(case.architecture).logit.name}/dF"):
            assert_allclose(step.value, np.array(slow[0][step.name]), rtol=1e-11, atol=1e-12)
        elif step.name in summed:
            assert_allclose(step.value, sum(np.array(s[step.name]) for s in slow), rtol=1e-10, atol=1e-11)
        else:
            assert_allclose(
                step.value, np.array([s[step.name] for s in slow]), rtol=1e-10, atol=1e-11, err_msg=step.name
            )


@given(cases(largest=9))
def test_the_complex_step_gives_every_parameters_gradient(case: Case) -> None:
    engine = Textbook(case.architecture)
    gradients = engine.loss_and_gradients(case.parameters, case.X, case.y).gradients
    output = build_chain(case.architecture).output
    for name, value in case.parameters.items():
        for index in list(np.ndindex(value.shape))[:40]:
            changed = value.astype(complex)
            changed[index] += 1e-30j
            z = engine.logits(case.parameters | {name: changed}, case.X)
            derivative = output.losses(z, case.y).mean().imag / 1e-30
            assert_allclose(gradients[name][index], derivative, rtol=1e-10, atol=1e-13, err_msg=f"{name}{index}")


@given(cases())
def test_the_record_has_the_names_the_shapes_and_the_order_of_the_architecture(case: Case) -> None:
    record = Textbook(case.architecture).record(case.parameters, case.X, case.y)
    assert [step.name for step in record] == list(build_chain(case.architecture).shapes)
    for step in record:
        expected = build_chain(case.architecture).shapes[step.name]
        assert step.value.shape in (expected, (len(case.y), *expected)), step.name
        assert bool(step.formula) == (step.kind in ("forward", "gradient")), step.name


@given(cases())
def test_the_factors_give_the_product(case: Case) -> None:
    a = case.architecture
    record = Textbook(a).record(case.parameters, case.X, case.y)
    output = build_chain(a).output
    dL_dA, dA_dz = record[output.output.gradient.name], record[output.local_derivative.name]
    product = dL_dA * dA_dz if a.outputs == 1 else np.einsum("mi,mij->mj", dL_dA, dA_dz)
    assert_allclose(product, record[output.source.gradient.name], rtol=1e-9, atol=1e-15)
    for block in a.blocks:
        assert_allclose(record[f"dL/dA{block}"] * record[f"dA{block}/dZ{block}"], record[f"dL/dZ{block}"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("classes", [2, 5])
def test_every_value_keeps_the_dtype(dtype: type, classes: int) -> None:
    a = Architecture(12, 13, channels=2, filters=(2, 3), kernel=3, pool=2, classes=classes)
    random = np.random.default_rng(0)
    parameters: Parameters = {
        name: random.normal(size=shape).astype(dtype) for name, shape in build_chain(a).parameter_shapes.items()
    }
    record = Textbook(a).record(parameters, random.normal(size=(2, 2, 12, 13)).astype(dtype), np.array([0, 1]))
    assert {step.name: step.value.dtype for step in record if step.name != "y"} == {
        name: np.dtype(dtype) for name in build_chain(a).shapes if name != "y"
    }


def test_a_batch_is_the_mean_of_its_images() -> None:
    a = Architecture(9, 9, channels=2, filters=(2,), classes=3)
    random = np.random.default_rng(1)
    parameters = {name: random.normal(size=shape) for name, shape in build_chain(a).parameter_shapes.items()}
    X, y = random.normal(size=(4, 2, 9, 9)), np.array([0, 2, 1, 1])
    batch = Textbook(a).loss_and_gradients(parameters, X, y)
    alone = [Textbook(a).loss_and_gradients(parameters, X[i : i + 1], y[i : i + 1]) for i in range(4)]
    assert batch.loss == pytest.approx(np.mean([one.loss for one in alone]), rel=1e-13)
    for name, gradient in batch.gradients.items():
        assert_allclose(gradient, np.mean([one.gradients[name] for one in alone], axis=0), rtol=1e-11, atol=1e-14)


def test_relu_is_flat_at_zero_and_lets_a_nan_through() -> None:
    Z = np.array([-1.0, -0.0, 0.0, 2.0, np.nan])
    _, relu, _ = build_chain(NOTE).steps[:3]
    derivative = relu.local_derivative
    assert derivative is not None
    assert_allclose(relu.forward(Z), [0, 0, 0, 2, np.nan])
    assert derivative.take(Z).tolist() == [0, 0, 0, 1, 0]
    assert relu.backward(np.full(4, 5.0), Z[:4])[0].tolist() == [0, 0, 0, 5]


def test_the_first_of_equal_maxima_wins_alone_and_the_rest_gets_nothing() -> None:
    A = np.array([[[[1.0, 7, 7, 7, 9], [7, 7, 7, 7, 9], [0, 0, 0, 0, 9]]]])
    pooling = build_chain(NOTE).steps[2]
    assert pooling.forward(A).tolist() == [[[[7, 7]]]]
    assert pooling.backward(np.array([[[[3.0, 5]]]]), A)[0].tolist() == [
        [[[0, 3, 5, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]]
    ]


def test_the_mean_of_a_window_gives_every_place_an_equal_share_and_the_rest_nothing() -> None:
    A = np.array([[[[1.0, 7, 9], [2, 6, 9], [0, 0, 9]]]])
    pooling = build_chain(Architecture(6, 6, pooling="average")).steps[2]
    assert pooling.forward(A).tolist() == [[[[4]]]]
    assert pooling.backward(np.array([[[[8.0]]]]), A)[0].tolist() == [[[[2, 2, 0], [2, 2, 0], [0, 0, 0]]]]


def test_padding_reads_zeros_around_the_image_and_gives_them_no_gradient() -> None:
    convolution = build_chain(Architecture(2, 2, filters=(1,), kernel=3, pool=1, padding=1)).steps[0]
    X, w, b = np.array([[[[1.0, 2], [3, 4]]]]), np.arange(9.0).reshape(1, 1, 3, 3), np.zeros(1)
    # Every one of the four positions reads all four pixels, each with another part of the kernel.
    assert convolution.forward(X, w, b).tolist() == [[[[67, 57], [37, 27]]]]
    dX, dw, db = convolution.backward(np.ones((1, 1, 2, 2)), X, w, b)
    assert dX.tolist() == [[[[8, 12], [20, 24]]]]
    assert dw.tolist() == [[[[1, 3, 2], [4, 10, 6], [3, 7, 4]]]]
    assert db.tolist() == [4]


def test_the_imaginary_part_breaks_no_tie() -> None:
    A = np.array([[[[1 + 0j, 1 + 9j], [1 + 5j, 0j]]]])
    assert build_chain(NOTE).steps[2].forward(A).tolist() == [[[[1 + 0j]]]]


@pytest.mark.parametrize("z", [-800.0, -40.0, -1e-9, 0.0, 1e-9, 40.0, 800.0])
@pytest.mark.parametrize("y", [0, 1])
def test_the_sigmoid_output_is_exact_however_saturated(z: float, y: int) -> None:
    """Against e^x in its own range: L = log(1 + e^t) and |dL/dz| = 1/(1 + e^-t) with t = ±z."""
    output, logit, label = build_chain(NOTE).output, np.array([[z]]), np.array([y])
    t = -z if y == 1 else z
    loss = t if t > 40 else float(np.log1p(np.exp(t)))
    slope = (1 if y == 0 else -1) * (1 / (1 + np.exp(-t)) if t > -40 else np.exp(t))
    assert_allclose(output.losses(logit, label), [loss], rtol=1e-12)
    assert_allclose(output.dL_dz(logit, label), [[slope]], rtol=1e-12)
    step = output.losses(logit + 1e-30j, label).imag / 1e-30
    assert_allclose(step, [slope], rtol=1e-12, atol=1e-250)


def test_the_softmax_output_is_exact_however_saturated() -> None:
    output, z = build_chain(Architecture(6, 6, classes=3)).output, np.array([[60.0, 0.0, -5.0], [0.0, 60.0, 900.0]])
    right, wrong = np.array([0, 2]), np.array([1, 0])
    small = np.exp(-60) + np.exp(-65)
    assert_allclose(output.losses(z, right), [small, 0.0], rtol=1e-12)
    assert_allclose(output.dL_dz(z, right)[0], np.array([-small, np.exp(-60), np.exp(-65)]) / 2, rtol=1e-12)
    assert_allclose(output.losses(z, wrong), [60 + small, 900.0], rtol=1e-12)
    assert output.dL_dA(z, wrong)[1, 0] == -np.inf  # A[y] is 0 in floating point


def test_class_probabilities_add_up_and_the_first_of_equals_is_predicted() -> None:
    sigmoid, softmax = (build_chain(Architecture(6, 6, classes=classes)).output for classes in (2, 3))
    assert_allclose(sigmoid.class_probabilities(np.array([[0.0], [3.0]])).sum(axis=1), [1, 1])
    assert sigmoid.predict(np.array([[0.0], [-1.0], [0.1]])).tolist() == [0, 0, 1]
    assert softmax.predict(np.array([[2.0, 2.0, 1.0], [0.0, 1.0, 5.0]])).tolist() == [0, 2]
