"""A lesson's own matrix and weights on the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.conftest import Cli, write_image

MATRIX = [[1.0, 2, 3], [4, 5, 6], [7, 8, 9.5]]
WEIGHTS: dict[str, Any] = {"w1": [[1, 0], [0, -1]], "b1": [5], "w2": [2], "b2": [-1]}


def steps(cli: Cli, *arguments: object) -> dict[str, np.ndarray[Any, Any]]:
    result = cli("trace", *arguments, "--format", "json")
    assert result.code == 0, result.err
    return {step["name"]: np.array(step["values"]) for step in json.loads(result.out)["steps"]}


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    path = tmp_path / "lesson.npy"
    np.save(path, np.array(MATRIX))
    return path


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "lesson.json"
    path.write_text(json.dumps(WEIGHTS))
    return path


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".csv", "1,2,3\n4,5,6\n7,8,9.5\n"),
        (".csv", "1; 2; 3\r\n4; 5; 6\r\n7; 8; 9.5"),
        (".txt", "# a lesson\n 1 2\t3 # first\n\n4 5 6\n7 8 9.5\n"),
        (".csv", "\ufeff1,2,3\n4,5,6\n7,8,9.5\n"),
    ],
)
def test_a_matrix_as_text(suffix: str, text: str, cli: Cli, tmp_path: Path, weights: Path) -> None:
    path = tmp_path / f"image{suffix}"
    path.write_text(text, encoding="utf-8")
    assert steps(cli, path, "--weights", weights)["X"].tolist() == [MATRIX]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".json"])
def test_weights_by_name_from_each_kind_of_file(suffix: str, cli: Cli, tmp_path: Path, matrix: Path) -> None:
    path = tmp_path / f"weights{suffix}"
    arrays = {name: np.array(value, float) for name, value in WEIGHTS.items()}
    if suffix == ".npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]
    elif suffix == ".safetensors":
        save_file(arrays, path)
    else:
        path.write_text(json.dumps(WEIGHTS))
    values = steps(cli, matrix, "--weights", path, "--label", 0)
    assert values["w1"].tolist() == [[[[1, 0], [0, -1]]]]
    assert values["Z1"].tolist() == [[[1, 1], [1, 0.5]]]  # 1 − 5 + 5, 2 − 6 + 5, 4 − 8 + 5, 5 − 9.5 + 5
    assert values["z2"].tolist() == [1]
    assert values["dL/dz2"].tolist() == [pytest.approx(1 / (1 + np.exp(-1)))]


def test_the_shapes_of_the_weights_tell_the_network(cli: Cli, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", random.normal(size=(3, 9, 8)))
    shapes = {"w1": (4, 3, 2, 2), "w2": (2, 4, 2, 2), "w3": (5, 2)}
    np.savez(tmp_path / "w.npz", **{name: random.normal(size=shape) for name, shape in shapes.items()})  # type: ignore[arg-type]
    result = cli("trace", tmp_path / "x.npy", "--weights", tmp_path / "w.npz", "--label", 4, "--format", "json")
    assert json.loads(result.out)["architecture"] == {
        "height": 9, "width": 8, "channels": 3, "filters": [4, 2], "kernel": 2, "pool": 2, "classes": 5,
        "pooling": "max", "padding": 0, "stride": 1, "dilation": 1, "pool_stride": None,
    }  # fmt: skip


def test_weights_without_an_image_change_the_example(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"w1": [[0, 0, 0], [0, 1, 0], [0, 0, 0]]}')
    values, example = steps(cli, "--weights", tmp_path / "w.json"), steps(cli)
    assert (values["Z1"] == example["X"][:, 1:-1, 1:-1] - 0.5).all()
    assert (values["w2"] == example["w2"]).all()
    head = cli("trace", "--weights", tmp_path / "w.json").out.splitlines()[1]
    assert head == f"weights     w1 of {tmp_path / 'w.json'}, others as in the note"


def test_a_smaller_kernel_on_the_example(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"w1": [[1, 0], [0, -1]]}')
    values = steps(cli, "--weights", tmp_path / "w.json")
    assert values["Z1"].shape == (1, 5, 5)
    assert (values["X"] == steps(cli)["X"]).all()


def test_the_label_without_a_model(cli: Cli, matrix: Path) -> None:
    assert steps(cli, matrix, "--kernel", 2, "--label", 0)["y"] == 0
    assert steps(cli, matrix, "--kernel", 2, "--label", 1)["y"] == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "1,2\n3\n", "a.csv is no matrix of numbers (line 2 has 1 number, the first row has 2)"),
        ("a.csv", "1,x\n", "a.csv is no matrix of numbers (line 1: could not convert string to float: 'x')"),
        ("a.txt", "# nothing\n", "a.txt is no matrix of numbers (it is empty)"),
        ("a.csv", "1,nan\n2,3\n", "a.csv has entries that are not finite numbers"),
        ("a.npy", "no numpy file", "a.npy is no matrix of numbers ("),
        ("a.csv", "1,2\n3,4\n", "a.csv is 2×2: block 1 does not fit"),
    ],
)
def test_an_unusable_matrix(name: str, content: str, sentence: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    result = cli("trace", tmp_path / name)
    assert result.code == 3
    assert sentence in result.sentence


def test_a_matrix_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    assert cli("trace", tmp_path / "a.csv").sentence == f"Error: {tmp_path / 'a.csv'}: no such file"


@pytest.mark.parametrize(
    ("name", "content", "code", "sentence"),
    [
        ("w.json", '{"w9": [1]}', 3, "w.json: w9 is no parameter of this network, which has w1, b1, w2, b2"),
        ("w.json", '{"b1": [1, 2, 3]}', 3, "w.json: b1 has the shape (3,), this network needs (8,)"),
        ("w.json", '{"w1": [[1, 2], [3]]}', 3, "w.json does not hold arrays of numbers by name ("),
        ("w.json", "[1, 2]", 3, "w.json does not hold arrays of numbers by name ("),
        ("w.json", "{", 3, "w.json does not hold arrays of numbers by name ("),
        ("w.json", '{"b1": [1e999]}', 3, "w.json: b1 has entries that are not finite numbers"),
        ("w.npz", "no archive", 3, "w.npz does not hold arrays of numbers by name ("),
        ("w.safetensors", "nothing", 3, "w.safetensors does not hold arrays of numbers by name ("),
        ("w.txt", "1", 2, "w.txt: weights are read from .npz, .safetensors, .json files"),
    ],
)
def test_unusable_weights(
    name: str, content: str, code: int, sentence: str, cli: Cli, tmp_path: Path, matrix: Path
) -> None:
    (tmp_path / name).write_text(content)
    result = cli("trace", matrix, "--kernel", 2, "--weights", tmp_path / name)
    assert result.code == code
    assert sentence in result.sentence


def test_weights_that_are_not_there(cli: Cli, tmp_path: Path) -> None:
    assert cli("trace", "--weights", tmp_path / "w.npz").sentence == f"Error: {tmp_path / 'w.npz'}: no such file"


def test_weights_and_a_model(cli: Cli, weights: Path) -> None:
    result = cli("trace", "--weights", weights, "-m", "model.safetensors")
    assert (result.code, result.sentence) == (2, "Error: --weights and --model both bring weights: leave one out")


def test_a_matrix_has_its_own_size(cli: Cli, matrix: Path) -> None:
    result = cli("trace", matrix, "--image-size", 8)
    assert result.code == 2
    assert "a matrix of numbers is taken as it is" in result.sentence


def test_a_matrix_for_a_trained_model(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "run"
    assert cli("train", image_folder, "--out", model, "--epochs", 1, "-q").code == 0
    X = np.random.default_rng(0).normal(size=(8, 8))
    np.save(tmp_path / "x.npy", X)
    assert steps(cli, tmp_path / "x.npy", "-m", model, "--label", "dark")["X"].tolist() == [X.tolist()]
    np.save(tmp_path / "x.npy", X[:7])
    result = cli("trace", tmp_path / "x.npy", "-m", model, "--label", "dark")
    assert result.code == 3
    assert "has the shape (1, 7, 8), the model needs (1, 8, 8)" in result.sentence


def test_an_image_file_beside_a_matrix(cli: Cli, matrix: Path, tmp_path: Path) -> None:
    result = cli("gradcheck", matrix, write_image(tmp_path / "a.png"))
    assert result.code == 2
    assert "cannot be looked at together" in result.sentence


def test_a_matrix_that_is_too_small_says_which_kernel_fits(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("1,2,3\n4,5,6\n7,8,9\n")
    done = cli("trace", path)
    assert done.code == 3
    assert done.err.strip().endswith("; a 2×2 kernel fits: choose it with --kernel")
    assert cli("trace", path, "--kernel", 2).code == 0


def test_no_kernel_fits_a_single_number(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("1\n")
    assert "kernel fits" not in cli("trace", path).err


def test_names_of_weights_in_large_letters(cli: Cli, tmp_path: Path, matrix: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text(json.dumps({name.upper(): value for name, value in WEIGHTS.items()}))
    assert steps(cli, matrix, "--weights", path)["w1"].tolist() == [[WEIGHTS["w1"]]]
