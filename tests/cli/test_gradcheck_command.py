"""`cnncli gradcheck` as a user runs it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.checking.gradcheck import engine_gradients
from cnncli.network.arrays import Array
from cnncli.network.textbook import Textbook
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import choose
from tests.conftest import SAMPLE_DATA, Cli


@pytest.fixture
def dumped() -> dict[str, Array]:
    """The right gradients of the note's example, as another program would dump them."""
    subject = choose([], None, None, FreshNetwork())
    gradients = engine_gradients(Textbook(subject.architecture), subject)
    return {name: gradients[f"dL/{name}"] for name in ("dw1", "db1", "dw2", "db2")}


def dump(path: Path, arrays: dict[str, Any]) -> None:
    np.savez(path, **arrays)


def test_the_notes_example_passes(cli: Cli) -> None:
    result = cli("gradcheck")
    assert result.code == 0
    assert result.err == ""
    assert "PASS: 10 derivatives and 10 links, 184 entries" in result.out
    assert "seed 0" in result.out
    assert max(map(len, result.out.split("kinks:")[0].splitlines())) <= 80


@pytest.mark.parametrize("method", ["complex-step", "central", "richardson"])
def test_json(cli: Cli, method: str) -> None:
    result = cli("gradcheck", "--method", method, "--format", "json")
    document = json.loads(result.out)
    assert result.code == 0
    assert document["passed"] is True
    assert document["method"] == method
    assert document["max_error"] < 1e-7
    assert [check["name"] for check in document["checks"]][:3] == ["dL/dz2", "dL/dw2", "dL/db2"]
    assert document["checks"][7] | {"max_abs_error": 0, "max_rel_error": 0} == {
        "name": "dL/dw1",
        "shape": [1, 1, 3, 3],
        "entries": 9,
        "max_abs_error": 0,
        "max_rel_error": 0,
        "kinks": 0,
        "units_on_kink": [],
        "failed": 0,
        "passed": True,
        "verdict": "PASS",
        "problem": None,
        "worst": [],
    }
    assert [(link["given"], link["name"]) for link in document["links"]][:2] == [("L", "dL/dz2"), ("dL/dz2", "dL/dF")]
    assert document["first_wrong_link"] is None
    assert document["diagnosis"] == []
    assert document["ties"]["dead_windows"] == 1
    dead = next(check for check in document["checks"] if check["name"] == "dL/dA1")
    assert dead["kinks"] == (0 if method == "complex-step" else 4)


def test_a_trained_model_passes_on_real_images(cli: Cli, tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained = cli("train", SAMPLE_DATA / "fashion", "--epochs", 1, "--out", run, "--image-size", 14, "-q")
    assert trained.code == 0, trained.err
    images = sorted((SAMPLE_DATA / "fashion" / "val" / "sneaker").glob("*.png"))[:3]
    result = cli("gradcheck", *images, "-m", run, "--sample", 60, "--seed", 5)
    assert result.code == 0, result.err
    assert "60 entries of each, seed 5" in result.out
    assert "PASS: 10 derivatives and 10 links" in result.out


def test_gradients_from_elsewhere(cli: Cli, tmp_path: Path, dumped: dict[str, Array]) -> None:
    path = tmp_path / "grads.npz"
    dump(path, dumped)
    assert cli("gradcheck", "--against", path).code == 0
    dumped["dw1"] = dumped["dw1"][:, :, ::-1, ::-1]
    dump(path, dumped)
    result = cli("gradcheck", "--against", path, "--show", "dL/dw1")
    assert result.code == 1
    assert "diagnosis: dL/dw1: dL/dw is turned by 180°" in result.out
    assert "dL/dw1: 6 of 9 entries are wrong" in result.out
    assert "the error of dL/dw1:" in result.out
    document = json.loads(cli("gradcheck", "--against", path, "--format", "json").out)
    assert document["passed"] is False
    assert [check["name"] for check in document["checks"] if not check["passed"]] == ["dL/dw1"]
    assert document["diagnosis"][0]["mistake"] == "kernel turned"


def test_one_wrong_entry_and_nan_are_told_plainly(cli: Cli, tmp_path: Path, dumped: dict[str, Array]) -> None:
    dump(tmp_path / "grads.npz", {"db2": 2 * dumped["db2"], "dw1": np.full_like(dumped["dw1"], np.nan)})
    out = cli("gradcheck", "--against", tmp_path / "grads.npz").out
    assert "dL/db2: its one entry is wrong" in out
    dump(tmp_path / "nan.npz", {"dw1": np.full_like(dumped["dw1"], np.nan)})
    assert "diagnosis: dL/dw1: dL/dw1 is NaN" in cli("gradcheck", "--against", tmp_path / "nan.npz").out
    dump(tmp_path / "one.npz", {"db2": dumped["db2"]})
    last = cli("gradcheck", "--against", tmp_path / "one.npz").out.splitlines()[-1]
    assert last == "PASS: 1 derivative and 0 links, 1 entry"


def test_an_error_is_told_with_its_place_its_size_and_its_direction(
    cli: Cli, tmp_path: Path, dumped: dict[str, Array]
) -> None:
    right = dumped["dw1"][0, 0, 1, 2]  # -0.4051
    dumped["dw1"][0, 0, 1, 2] = 1.25 * right
    dump(tmp_path / "grads.npz", dumped)
    command = ("gradcheck", "--against", tmp_path / "grads.npz")
    document = json.loads(cli(*command, "--format", "json").out)
    (check,) = [check for check in document["checks"] if not check["passed"]]
    assert document["max_error"] == check["max_rel_error"] == pytest.approx(0.25 / 1.25)
    assert check["max_abs_error"] == pytest.approx(0.25 * abs(right))
    assert check["failed"] == 1
    (worst,) = check["worst"]
    assert worst["index"] == [0, 0, 1, 2]
    assert worst["value"] == 1.25 * right
    assert worst["expected"] == pytest.approx(right)
    errors = cli(*command, "--show", "dL/dw1").out.partition("the error of dL/dw1:\n")[2].split()
    assert [float(error) for error in errors] == pytest.approx([0, 0, 0, 0, 0, 0.25 * right, 0, 0, 0], abs=5e-5)


def test_the_largest_error_is_that_of_all_derivatives_and_links(cli: Cli) -> None:
    for method in ("complex-step", "central"):
        document = json.loads(cli("gradcheck", "--seed", 3, "--method", method, "--format", "json").out)
        errors = [check["max_rel_error"] for check in (*document["checks"], *document["links"])]
        assert 0 < document["max_error"] == max(errors)


def test_a_wrong_entry_on_a_kink_is_told_with_both_one_sided_derivatives(cli: Cli, tmp_path: Path) -> None:
    subject = choose([], None, None, FreshNetwork())
    dA = engine_gradients(Textbook(subject.architecture), subject)["dL/dA1"]
    dA[0, 0, 3, 3] = 1  # of a window of zeros: to go below changes nothing, to go above makes this one the maximum
    dump(tmp_path / "grads.npz", {"dA1": dA})
    against = ("--against", tmp_path / "grads.npz", "--method", "central")
    document = json.loads(cli("gradcheck", *against, "--format", "json").out)
    worst = next(check for check in document["checks"] if check["name"] == "dL/dA1")["worst"][0]
    assert (worst["index"], worst["value"]) == ([0, 3, 3], 1)
    assert (worst["below"], worst["above"]) == pytest.approx((0, dA[0, 0, 2, 2]), abs=1e-7)


def test_the_last_line_counts_the_entries(cli: Cli) -> None:
    document = json.loads(cli("gradcheck", "--seed", 3, "--format", "json").out)
    entries = sum(check["entries"] for check in (*document["checks"], *document["links"]))
    line = cli("gradcheck", "--seed", 3).out.splitlines()[-1]
    assert line == f"PASS: 10 derivatives and 10 links, {entries:,} entries"


def test_intermediates_from_elsewhere_are_checked_link_by_link(cli: Cli, tmp_path: Path) -> None:
    subject = choose([], None, None, FreshNetwork())
    gradients = engine_gradients(Textbook(subject.architecture), subject)
    everything = {name: value for name, value in gradients.items() if name != "dL/dA2"}
    everything["dL/dA1"] = np.repeat(np.repeat(everything["dL/dP1"], 2, axis=2), 2, axis=3)[0]  # no batch axis
    dump(tmp_path / "grads.npz", everything)
    result = cli("gradcheck", "--against", tmp_path / "grads.npz")
    assert result.code == 1
    assert "dL/dP1 → dL/dA1 is the first wrong link; worst entry [0, 2, 0]: -0.13505 instead of 0" in result.out
    assert "diagnosis: dL/dP1 → dL/dA1: every number of a window takes the gradient" in result.out


def test_float32_gradients_pass(cli: Cli, tmp_path: Path, dumped: dict[str, Array]) -> None:
    single = {name: value.astype(np.float32) for name, value in dumped.items()}
    dump(tmp_path / "grads.npz", single)
    assert cli("gradcheck", "--against", tmp_path / "grads.npz").code == 0


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"dw9": np.zeros(1)}, "dw9 is no gradient of this network"),
        ({"dw1": np.zeros((1, 1, 3, 3), int)}, "dw1 is int64; gradients are float64 or float32"),
        ({"dw1": np.zeros((1, 1, 3, 3), np.float16)}, "dw1 is float16; gradients are float64 or float32"),
        ({}, "holds no arrays"),
    ],
)
def test_files_of_gradients_that_cannot_be_used(
    cli: Cli, tmp_path: Path, arrays: dict[str, Array], sentence: str
) -> None:
    dump(tmp_path / "grads.npz", arrays)
    result = cli("gradcheck", "--against", tmp_path / "grads.npz")
    assert result.code == 3
    assert sentence in result.sentence


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long double is float64 here")
def test_gradients_of_more_than_64_bits_are_refused(cli: Cli, tmp_path: Path, dumped: dict[str, Array]) -> None:
    dump(tmp_path / "grads.npz", {name: gradient.astype(np.longdouble) for name, gradient in dumped.items()})
    result = cli("gradcheck", "--against", tmp_path / "grads.npz")
    assert (result.code, result.sentence.endswith("; gradients are float64 or float32")) == (3, True)


def test_files_that_hold_no_gradients(cli: Cli, tmp_path: Path) -> None:
    assert "no such file" in cli("gradcheck", "--against", tmp_path / "none.npz").sentence
    (tmp_path / "bad.npz").write_text("nothing")
    assert "is no .npz file of plain arrays" in cli("gradcheck", "--against", tmp_path / "bad.npz").sentence
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "holds one array without a name" in cli("gradcheck", "--against", tmp_path / "one.npy").sentence


@pytest.mark.slow  # what docs/gradcheck.md shows of it is tested in any case
def test_self_test(cli: Cli) -> None:
    result = cli("gradcheck", "--self-test")
    assert result.code == 0
    assert "36 mistakes planted, 36 found, 36 localised, 36 named" in result.out
    assert max(map(len, result.out.splitlines())) <= 80
    document = json.loads(cli("gradcheck", "--self-test", "--format", "json").out)
    assert document["passed"] is True
    assert len(document["planted"]) == 36


def test_somebody_elses_code(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    written = cli("gradcheck", "--template", path)
    assert (written.code, written.out) == (0, "")
    assert "fill it in" in written.err
    path.write_text("def relu_backward(Z1, dA1):\n    return dA1\n")
    result = cli("gradcheck", "--code", path)
    assert result.code == 1
    assert "diagnosis: dL/dA1 → dL/dZ1: relu′ is taken as 1 below zero too" in result.out
    document = json.loads(cli("gradcheck", "--code", path, "--no-repair", "--format", "json").out)
    (function,) = document["functions"]
    assert function["name"] == "relu_backward"
    assert function["passed"] is False
    assert function["cases"][0]["checks"][0]["name"] == "dL/dZ1"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--code", "x.py", "--self-test"), "--code and --self-test are two modes: choose one"),
        (("--self-test", "-m", "model"), "--self-test has no use for --model: leave it out"),
        (("--template", "x.py", "--filters", "3"), "--template has no use for --filters: leave it out"),
        (("--show", "dL/dw7"), "--show dL/dw7: no such derivative is checked"),
        (("--no-repair",), "--no-repair means nothing without --code"),
        (("--cases", "3"), "--cases means nothing without --code"),
    ],
)
def test_options_that_make_no_sense_together(cli: Cli, arguments: tuple[str, ...], sentence: str) -> None:
    result = cli("gradcheck", *arguments)
    assert result.code == 2
    assert sentence in result.err


def test_a_missing_file_of_code(cli: Cli, tmp_path: Path) -> None:
    result = cli("gradcheck", "--code", tmp_path / "none.py")
    assert result.code == 3
    assert "no such file; write one to start from with --template" in result.sentence


def test_the_engine_of_training_has_a_row_of_its_own(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNCLI_ENGINE", "numpy")
    right = json.loads(cli("gradcheck", "--seed", 3, "--format", "json").out)["engine"]
    assert right["passed"] is True
    assert right["entries"] == 8 * 9 + 8 + 200 + 1
    assert 0 < right["share_of_bound"] < 1
    assert "│ numpy engine" in cli("gradcheck").out

    from cnncli.network.numpy_engine.block import Block

    backward = Block.backward
    monkeypatch.setattr(Block, "backward", lambda block, dP: [1.01 * g for g in backward(block, dP)])
    wrong = cli("gradcheck", "--seed", 3)
    assert wrong.code == 1
    assert wrong.out.splitlines()[-1] == "FAIL: numpy engine"
    document = json.loads(cli("gradcheck", "--seed", 3, "--format", "json").out)
    assert document["verdict"] == "FAIL"
    trace = json.loads(cli("trace", "--seed", 3, "--format", "json").out)
    steps = {step["name"]: step["values"] for step in trace["steps"]}
    largest = max(np.abs(steps[f"dL/d{name}"]).max() for name in ("w1", "b1"))
    assert document["engine"]["max_abs_error"] == pytest.approx(0.01 * largest, rel=1e-3)
