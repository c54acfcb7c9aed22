"""The strategies draw what they promise, and find a mistake that ordinary numbers would not."""

import numpy as np
from hypothesis import find, given, settings

from cnncli import check_vjp
from cnncli.network.arrays import Array
from cnncli.vjp.strategies import near_kink_arrays, scaled_arrays, tied_arrays


@given(tied_arrays((2, 3)))
def test_ties(x: Array) -> None:
    assert x.shape == (2, 3)
    assert set(x.ravel()) <= {-2, -1, 0, 1, 2}


def test_near_kinks_and_scales() -> None:
    assert (np.abs(find(near_kink_arrays((2,), (1.0,)), lambda x: 0 < abs(x[0] - 1) < 1e-8) - 1) < 1e-8).any()
    assert np.abs(find(scaled_arrays((2,)), lambda x: np.abs(x).max() > 1e8)).max() > 1e8


@settings(max_examples=10)
@given(near_kink_arrays((3,)))
def test_a_right_relu_is_never_accused(x: Array) -> None:
    assert check_vjp(lambda x: np.maximum(x, 0), lambda x, g: g * (x > 0), x).verdict != "FAIL"
