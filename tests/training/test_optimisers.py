"""The optimisers and schedules against PyTorch's (see tools/make_torch_optimisers.py)."""

import json
from pathlib import Path
from typing import cast, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cnncli.training.optimisers import make_optimiser
from cnncli.training.schedules import learning_rate_share
from cnncli.training.settings import OptimiserName, ScheduleName

VALUES = json.loads(Path(__file__).with_name("torch_optimisers.json").read_text("utf-8"))


@pytest.mark.parametrize("case", VALUES["optimisers"])
def test_every_step_is_pytorchs(case: str) -> None:
    known = VALUES["optimisers"][case]
    optimiser = make_optimiser(
        cast(OptimiserName, case.split()[0]),
        momentum=known["momentum"],
        weight_decay=known["options"].get("weight_decay", 0.0),
    )
    parameters = {"w1": np.array(VALUES["start"])}
    for gradient, rate, expected in zip(VALUES["gradients"], VALUES["rates"], known["path"], strict=True):
        optimiser.update(parameters, {"w1": np.array(gradient)}, rate)
        assert_allclose(parameters["w1"], expected, rtol=1e-12)


@pytest.mark.parametrize(("name", "warm_up"), [("one-cycle", "0.1"), ("one-cycle", "0.3"), ("cosine", "0")])
def test_the_rates_are_pytorchs(name: ScheduleName, warm_up: str) -> None:
    rates = [learning_rate_share(name, step, 40, float(warm_up)) for step in range(40)]
    assert_allclose(rates, VALUES[name][warm_up], rtol=1e-12, atol=1e-15)


@given(st.sampled_from(get_args(ScheduleName)), st.integers(1, 60), st.floats(0, 0.99))
def test_a_rate_is_from_0_to_the_chosen_one(name: ScheduleName, steps: int, warm_up: float) -> None:
    shares = [learning_rate_share(name, step, steps, warm_up) for step in range(steps)]
    assert all(0 <= share <= 1 for share in shares)
    assert max(shares) > 0
    rising = int(warm_up * steps)
    assert shares[:rising] == sorted(shares[:rising])


def test_warm_up_rises_in_a_straight_line() -> None:
    assert_allclose([learning_rate_share("constant", step, 40, 0.1) for step in range(6)], [0.2, 0.4, 0.6, 0.8, 1, 1])


@pytest.mark.parametrize("name", get_args(OptimiserName))
def test_parameters_and_memory_keep_float32(name: OptimiserName) -> None:
    optimiser = make_optimiser(name, momentum=0.9, weight_decay=0.01)
    parameters = {"w1": np.ones(3, np.float32)}
    optimiser.update(parameters, {"w1": np.ones(3, np.float32)}, 0.1)
    assert parameters["w1"].dtype == np.float32
    assert {row.dtype for row in optimiser.memory.values()} == {np.dtype(np.float32)}
