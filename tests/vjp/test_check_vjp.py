"""check_vjp: right functions pass, planted mistakes fail, and whatever misbehaves is told in a sentence."""

import numpy as np
import pytest

from cnncli import check_gradient, check_vjp
from cnncli.errors import UsageError
from cnncli.network.arrays import Array
from tests.vjp.functions import Written, all_functions

FUNCTIONS = list(all_functions())
TIED = "max pooling with ties"
x = np.random.default_rng(1).normal(size=(3, 4))


@pytest.mark.parametrize("written", FUNCTIONS, ids=lambda written: written.name)
def test_right_functions_pass_and_wrong_ones_fail(written: Written) -> None:
    right = check_vjp(written.f, written.right, *written.inputs)
    assert right.verdict == ("CANNOT TELL" if written.name == TIED else "PASS"), right
    for wrong in written.wrong:
        assert check_vjp(written.f, wrong, *written.inputs).verdict == "FAIL"


def test_a_wrong_entry_is_told_with_its_index_numbers_ratio_and_order() -> None:
    def vjp(x: Array, g: Array) -> Array:
        dx: Array = g * np.cos(x)
        dx[1, 2] *= 1.5
        return dx

    found = check_vjp(np.sin, vjp, x)
    (entry,) = found.wrong
    assert (found.verdict, entry.input, entry.index) == ("FAIL", 0, (1, 2))
    assert entry.ratio == pytest.approx(1.5)
    assert entry.order == pytest.approx(1, abs=0.1)
    assert "input 0 at [1, 2]: got" in str(found)
    assert "ratio 1.5" in str(found)


@pytest.mark.parametrize(
    ("vjp", "sentence"),
    [
        (lambda x, g: 2 * g * np.cos(x), "it is 2 times the right one"),
        (lambda x, g: -g * np.cos(x), "its sign is turned"),
        (lambda x, g: 0 * x, "it is all zero"),
        (lambda x, g: np.flip(g * np.cos(x), 1), "it is flipped along axis 1"),
        (lambda x, g: np.roll(g * np.cos(x), 1, 0), "it is rolled by 1 along axis 0"),
        (lambda x, g: np.eye(3)[:, :1] * (g * np.cos(x)), "only the first place of axis 0 is right"),
    ],
)
def test_simple_mistakes_are_named(vjp: object, sentence: str) -> None:
    assert sentence in str(check_vjp(np.sin, vjp, x))  # type: ignore[arg-type]


def test_a_kink_is_not_called_wrong_but_what_lies_outside_of_it_is() -> None:
    at = np.array([1.0, 0.0, -2.0])

    def relu(x: Array) -> Array:
        y: Array = np.maximum(x, 0)
        return y

    assert check_vjp(relu, lambda x, g: g * (x > 0), at).verdict in ("PASS", "CANNOT TELL")
    half = check_vjp(relu, lambda x, g: g * np.heaviside(x, 0.25), at)
    assert half.verdict == "CANNOT TELL"
    assert half.kinks[0].index == (1,)
    assert "the one-sided derivatives are" in str(half)
    assert half.fails(strict=True)
    assert not half.fails(strict=False)
    assert check_vjp(relu, lambda x, g: g * np.heaviside(x, 2), at).verdict == "FAIL"


def test_no_kink_is_told_of_a_smooth_function() -> None:
    for f, vjp in ((np.tanh, lambda x, g: 0.5 * g), (np.sin, lambda x, g: g), (np.exp, lambda x, g: 1 - g)):
        found = check_vjp(f, vjp, np.random.default_rng(0).normal(size=(4, 3)))
        assert found.verdict == "FAIL"
        assert "one-sided" not in str(found)
        assert all(entry.below == entry.above == entry.want for entry in found.wrong)


def test_what_raises_near_a_kink_is_no_kink() -> None:
    def edge(x: Array) -> Array:
        if x[1] > 1:
            raise ValueError("too far")
        return np.abs(x)

    assert check_vjp(edge, lambda x, g: 0 * g, np.array([0.0, 0.5])).verdict == "FAIL"
    found = check_vjp(edge, lambda x, g: g * np.sign(x), np.array([0.0, 1.0]))
    assert (found.verdict, found.fails(strict=False)) == ("CANNOT TELL", True)


def test_an_equal_maximum_may_not_multiply_the_gradient() -> None:
    found = check_vjp(lambda x: x.max(), lambda x, g: g * (x == x.max()), np.ones(4))
    assert found.verdict == "FAIL"
    assert "the 4 entries of input 0 that equal 1 get" in found.why


def raising(x: Array) -> Array:
    raise ValueError("no idea")


def writing(x: Array) -> Array:
    x *= 2
    return x


@pytest.mark.parametrize(
    ("f", "sentence"),
    [
        (raising, "raising raises ValueError in line"),
        (writing, "writing writes into its argument 0: work on a copy"),
        (lambda x: x + np.random.default_rng().normal(), "is random: two calls with the same inputs differ"),
        (lambda x: x / 0, "returns NaN or infinity"),
        (lambda x: "text", "returns a str instead of an array of numbers"),
        (lambda x: None, "nothing was checked: the function returns nothing (None): is a return missing?"),
        (lambda x: 1j * x, "returns complex numbers for real inputs"),
    ],
)
def test_a_function_that_cannot_be_checked(f: object, sentence: str) -> None:
    found = check_vjp(f, lambda x, g: g, x)  # type: ignore[arg-type]
    assert found.verdict == "CANNOT TELL"
    assert sentence in found.why
    assert found.fails(strict=False)


@pytest.mark.parametrize(
    ("vjp", "sentence"),
    [
        (lambda x, g: raising(x), "raises ValueError"),
        (lambda x, g: writing(g), "writes into its argument 1"),
        (lambda x, g: g[:2], "returns the shape (2, 4) for input 0, which has the shape (3, 4)"),
        (lambda x, g: (g, g), "returns 2 gradients for 1 input"),
        (lambda x, g: None, "returns nothing (None): is a return missing?"),
        (lambda x, g: [None], "returns no gradient"),
        (lambda x, g: (g, g, g), "returns 3 gradients for 1 input"),
        (lambda x, g: g * np.nan, "returns nan for input 0 at [0, 0]"),
        (lambda x, g: 1j * g, "returns complex128 for input 0, instead of real numbers"),
        (lambda x, g: g + 1, "a gradient where g is 0"),
        (lambda x, g: g * np.abs(g), "is not linear in g"),
        (lambda x, g: g * np.random.default_rng().normal(), "is random or keeps a state"),
    ],
)
def test_a_backward_pass_that_misbehaves_fails(vjp: object, sentence: str) -> None:
    found = check_vjp(lambda x: 1 * x, vjp, x)  # type: ignore[arg-type]
    assert found.verdict == "FAIL"
    assert sentence in found.why


def test_inputs_of_every_sort() -> None:
    index = np.array([0, 2, 2])

    def back(x: Array, index: Array, g: Array) -> tuple[Array, None]:
        dx = np.zeros_like(x)
        np.add.at(dx, index, g)
        return dx, None

    assert check_vjp(lambda x, index: x[index], back, x, index).passed
    assert check_vjp(lambda x: 2 * x, lambda x, g: 2 * g, np.zeros((0, 3))).passed
    assert check_vjp(lambda x: 2 * x, lambda x, g: 2 * g, 3.0).passed
    assert check_vjp(lambda x: x**2, lambda x, g: 2 * x * g, x.astype(np.float32)).passed
    assert not check_vjp(lambda x: x**2, lambda x, g: 2.1 * x * g, x.astype(np.float32)).passed
    assert check_vjp(lambda x: (x.astype(np.float32) ** 2).sum(), lambda x, g: 2 * x * g, x).passed
    for scale in (1e-8, 1e8):
        assert check_vjp(lambda x: (x**2).sum(), lambda x, g: 2 * x * g, scale * x).passed
        assert not check_vjp(lambda x: (x**2).sum(), lambda x, g: 2.001 * x * g, scale * x).passed


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ((), "there is no input"),
        ((1j * x,), "input 0 is complex128: give its real and imaginary parts"),
        ((np.array(["a"]),), "input 0 is <U1: give an array of numbers"),
        ((np.array([np.nan]),), "input 0 holds NaN or infinity"),
        ((np.arange(3),), "no input is of floating point"),
    ],
)
def test_inputs_that_cannot_be_differentiated(inputs: tuple[Array, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence.replace("(", "[(]")):
        check_vjp(lambda x: x, lambda x, g: g, *inputs)


def test_the_gradient_of_a_scalar() -> None:
    assert check_gradient(lambda x: (x**3).sum(), lambda x: 3 * x**2, x).passed
    assert check_gradient(lambda x: (x**3).sum(), lambda x: 3 * x, x).verdict == "FAIL"


def two(x: Array, y: Array) -> Array:
    return x


@pytest.mark.parametrize(
    ("gradient", "sentence"),
    [
        (two, "two raises TypeError: two() missing 1 required positional argument: 'y'"),
        (lambda x: None, "returns nothing (None): is a return missing?"),
        (lambda x: "text", "returns a str for input 0, instead of real numbers"),
    ],
)
def test_a_gradient_that_misbehaves_is_told_with_no_line_of_ours(gradient: object, sentence: str) -> None:
    found = check_gradient(lambda x: (x**2).sum(), gradient, x)  # type: ignore[arg-type]
    assert (found.verdict, found.why.endswith(sentence)) == ("FAIL", True), found.why
