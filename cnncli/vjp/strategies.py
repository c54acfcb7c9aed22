"""Hypothesis strategies for the inputs on which gradients go wrong: ties, numbers near a kink, extreme scales."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from cnncli.network.arrays import Array

NEAR = (1e-12, 1e-9, 1e-6, 1e-3)  # distances from a kink


def tied_arrays(shape: Sequence[int]) -> st.SearchStrategy[Array]:
    """Small whole numbers, so that many entries are equal: float64 of that shape."""
    return of_numpy.arrays(np.float64, tuple(shape), elements=st.integers(-2, 2).map(float))


def near_kink_arrays(shape: Sequence[int], kinks: Sequence[float] = (0.0,)) -> st.SearchStrategy[Array]:
    """Numbers on, just beside and far from the kinks: float64 of that shape."""
    beside = [kink + side * distance for kink in kinks for distance in NEAR for side in (-1, 1)]
    elements = st.one_of(st.sampled_from([*kinks, *beside]), st.floats(-3, 3))
    return of_numpy.arrays(np.float64, tuple(shape), elements=elements)


def scaled_arrays(shape: Sequence[int], smallest: float = 1e-8, largest: float = 1e8) -> st.SearchStrategy[Array]:
    """Numbers around 1, all multiplied by one scale: float64 of that shape."""
    low, high = int(np.log10(smallest)), int(np.log10(largest))
    numbers = of_numpy.arrays(np.float64, tuple(shape), elements=st.floats(-3, 3))
    return st.builds(lambda values, power: values * 10.0**power, numbers, st.integers(low, high))
