"""Every value in the JSON of a trace against PyTorch's autograd in float64 (see tools/make_torch_values.py)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Cli

NETWORKS = json.loads((Path(__file__).parent / "torch_values.json").read_text("utf-8"))["networks"]


@pytest.mark.parametrize("network", NETWORKS, ids=[network["name"] for network in NETWORKS])
def test_every_value_equals_pytorch(network: dict[str, Any], cli: Cli, tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.array(network["X"]))
    (tmp_path / "weights.json").write_text(json.dumps(network["parameters"]))
    weights = tmp_path / "weights.json"
    options = []
    for name, value in network.get("options", {}).items():
        options += [f"--{name.replace('_', '-')}", value]
    result = cli(
        "trace", tmp_path / "X.npy", "--weights", weights, "--label", network["y"], "--format", "json", *options
    )
    steps = {step["name"]: np.array(step["values"]) for step in json.loads(result.out)["steps"]}
    given = {"X": network["X"], "y": network["y"], **network["parameters"]}
    assert steps.keys() == given.keys() | network["values"].keys()
    for name, value in (given | network["values"]).items():
        np.testing.assert_allclose(steps[name], np.array(value), rtol=1e-10, atol=1e-10, err_msg=name)


def test_the_tied_network_has_ties_between_positive_numbers() -> None:
    tied = next(network for network in NETWORKS if network["name"] == "ties")
    A1, P1 = np.array(tied["values"]["A1"]), np.array(tied["values"]["P1"])
    equal = (A1[:, :, :4] == P1.repeat(2, axis=1).repeat(2, axis=2)) & (A1[:, :, :4] > 0)
    winners = np.array(tied["values"]["dL/dA1"]) != 0
    assert equal.sum() > winners.sum() + 4
