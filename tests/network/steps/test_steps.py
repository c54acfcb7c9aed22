"""Every step of the chain alone: against the slow loop from the definitions, and against the complex step."""

import inspect
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose

from cnncli.network import steps as package
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.steps.output_step import OutputStep
from cnncli.network.steps.step import KinkedStep, Step
from tests.network.cases import Case, cases
from tests.network.slow import Values, slow_network

H = 1e-30


def slow_batch(case: Case) -> list[Values]:
    parameters = {name: value.tolist() for name, value in case.parameters.items()}
    images = zip(case.X.tolist(), case.y.tolist(), strict=True)
    return [slow_network(case.architecture, parameters, X, y, len(case.y)) for X, y in images]


def stacked(slow: list[Values], name: str) -> Array:
    return np.array([values[name] for values in slow])


def assert_close(found: Array, expected: Array, name: str) -> None:
    assert found.shape == expected.shape, name
    assert_allclose(found, expected, rtol=1e-10, atol=1e-11, err_msg=name)


@given(cases(largest=8))
def test_each_step_alone_does_what_the_slow_loop_does(case: Case) -> None:
    """A step is given the slow loop's own numbers, so that no other step can make up for it."""
    slow = slow_batch(case)
    for step in build_chain(case.architecture).steps:
        source, parameters = stacked(slow, step.source.name), [case.parameters[t.name] for t in step.parameters]
        assert_close(step.forward(source, *parameters), stacked(slow, step.output.name), step.output.name)
        gradients = step.backward(stacked(slow, step.output.gradient.name), source, *parameters)
        assert len(gradients) == len(step.reads) == len(step.gradient_formulas)
        assert_close(gradients[0], stacked(slow, step.source.gradient.name), step.source.gradient.name)
        for tensor, gradient in zip(step.parameters, gradients[1:], strict=True):
            assert_close(gradient, stacked(slow, tensor.gradient.name).sum(axis=0), tensor.gradient.name)
        if derivative := step.local_derivative:
            expected = stacked(slow, derivative.tensor.name)
            taken = derivative.take(source, *parameters)
            assert_close(taken, expected[0] if taken.ndim < expected.ndim else expected, derivative.tensor.name)


@given(cases(largest=8))
def test_the_output_step_alone_does_what_the_slow_loop_does(case: Case) -> None:
    slow, output = slow_batch(case), build_chain(case.architecture).output
    z = stacked(slow, output.source.name)
    assert_close(output.forward(z), stacked(slow, output.output.name), output.output.name)
    assert_close(output.losses(z, case.y) / len(z), stacked(slow, "L"), "L")
    for found, tensor in (
        (output.dL_dA(z, case.y), output.output.gradient),
        (output.dA_dz(z), output.local_derivative),
        (output.dL_dz(z, case.y), output.source.gradient),
    ):
        assert_close(found, stacked(slow, tensor.name), tensor.name)


@given(cases(largest=8))
def test_each_backward_function_is_the_complex_step_of_its_forward_function(case: Case) -> None:
    """Of Σ G·forward(…) for a random G, whatever the other steps do."""
    random = np.random.default_rng(0)
    for step in build_chain(case.architecture).steps:
        read = [np.round(random.normal(size=(2, *step.source.shape)), 1)]
        read += [random.normal(size=tensor.shape) for tensor in step.parameters]
        G = random.normal(size=(2, *step.output.shape))
        for which, gradient in enumerate(step.backward(G, *read)):
            assert gradient.shape == read[which].shape
            for index in random.permutation(list(np.ndindex(gradient.shape)))[:20]:
                changed = [value.astype(complex) if i == which else value for i, value in enumerate(read)]
                changed[which][tuple(index)] += H * 1j
                slope = (G * step.forward(*changed)).sum().imag / H
                assert_allclose(gradient[tuple(index)], slope, rtol=1e-11, atol=1e-12, err_msg=step.formula)


@given(cases(largest=8))
def test_the_output_steps_gradient_is_the_complex_step_of_its_loss(case: Case) -> None:
    output = build_chain(case.architecture).output
    z = np.random.default_rng(0).normal(size=(len(case.y), *output.source.shape))
    for index in np.ndindex(z.shape):
        changed = z.astype(complex)
        changed[index] += H * 1j
        slope = output.losses(changed, case.y).mean().imag / H
        assert_allclose(output.dL_dz(z, case.y)[index], slope, rtol=1e-11, atol=1e-14)


@given(cases(largest=8))
def test_a_kinked_step_is_the_maximum_of_its_candidates(case: Case) -> None:
    random = np.random.default_rng(0)
    for step in build_chain(case.architecture).steps:
        if isinstance(step, KinkedStep):
            source = np.round(random.normal(size=(2, *step.source.shape)))
            np.testing.assert_array_equal(step.forward(source), step.candidates(source).max(axis=-1))


def concrete_kinds() -> set[type]:
    modules = [import_module(f"{package.__name__}.{path.stem}") for path in Path(package.__path__[0]).glob("*.py")]
    classes = {kind for module in modules for kind in vars(module).values() if inspect.isclass(kind)}
    return {kind for kind in classes if issubclass(kind, (Step, OutputStep)) and not inspect.isabstract(kind)}


@pytest.mark.parametrize("classes", [2, 3])
def test_each_step_reads_what_the_one_before_it_made(classes: int) -> None:
    chain = build_chain(Architecture(12, 13, 2, (2, 3), 2, 2, classes))
    assert chain.steps[0].source == chain.image
    assert all(before.output == after.source for before, after in pairwise(chain.steps))
    assert chain.logit == chain.steps[-1].output == chain.output.source


def test_no_kind_of_step_escapes_these_tests() -> None:
    """Every class of the package stands in some chain that `cases` draws."""
    drawn = [
        build_chain(Architecture(6, 6, classes=classes, pooling=pooling))
        for classes in (2, 3)
        for pooling in ("max", "average")
    ]
    assert {type(step) for chain in drawn for step in (*chain.steps, chain.output)} == concrete_kinds()
