"""The warnings of a training: each where it belongs, and none on ordinary data."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.training.activity import Activity
from cnncli.training.state import Epoch, Score
from cnncli.training.symptoms import Symptom, examine_end, examine_epoch
from tests.conftest import SAMPLE_DATA, Cli
from tests.training.test_loop import dataset

PARAMETERS = [*build_chain(Architecture(12, 12, filters=(2, 2))).parameters.values()]
NORMS = {tensor.name: 1.0 for tensor in PARAMETERS}
SCORE, STILL = Score(0.5, 0.8), Activity({}, {"A1": [], "A2": []}, {})
QUIET = Epoch(1, SCORE, SCORE, NORMS, NORMS, STILL, 0.1, 1.0, 1.0, SCORE)


def epochs(*changes: dict[str, Any]) -> list[Epoch]:
    return [replace(QUIET, number=number, **change) for number, change in enumerate(changes, 1)]


def losses(*pairs: tuple[float, float]) -> list[Epoch]:
    return epochs(*({"training": Score(t, 0.8), "validation": Score(v, 0.8)} for t, v in pairs))


def kinds(history: list[Epoch]) -> list[str]:
    return [symptom.kind for symptom in examine_epoch(history, PARAMETERS, 2)]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (epochs({}), []),
        (epochs({"activity": Activity({}, {"A1": [1], "A2": []}, {})}), ["dead filter"]),
        (epochs({"gradient_norms": NORMS | {"w1": 1e-5}}), ["vanishing gradient"]),
        (epochs({"gradient_norms": NORMS | {"b1": 1e-5}}), []),
        (epochs({"gradient_norms": NORMS | {"w1": 1e-5}, "training": Score(0.01, 0.99)}), []),
        (epochs({}, {"gradient_norms": NORMS | {"w1": 50.0}, "training": Score(0.6, 0.8)}), ["exploding gradient"]),
        (epochs({}, {"gradient_norms": NORMS | {"w1": 50.0}, "training": Score(0.4, 0.8)}), []),
        (losses((1.5, 0.5)), []),
        (losses((1.5, 0.5), (1.5, 0.5)), ["exploding gradient"]),
        (losses((0.5, 0.4), (0.4, 0.5), (0.3, 0.6), (0.2, 0.7)), ["overfitting"]),
        (losses((0.5, 0.4), (0.4, 0.7), (0.3, 0.7)), []),
        (losses((0.5, 0.4), (0.5, 0.5), (0.5, 0.6), (0.5, 0.7)), []),
        (losses((0.5, 0.4), (0.4, 0.42), (0.3, 0.45), (0.2, 0.47)), []),
    ],
)
def test_an_epoch_is_warned_of_when_it_shows_it(history: list[Epoch], expected: list[str]) -> None:
    assert kinds(history) == expected


def test_nothing_is_told_twice() -> None:
    history = losses(*((0.5 - step / 20, 0.4 + step / 10) for step in range(8)))
    assert [end for end in range(1, 9) if kinds(history[:end])] == [4]


def test_an_argument_is_written_as_its_reader_writes_it() -> None:
    symptom = Symptom("kind", "this is so", "try {class_weights} balanced")
    assert symptom.phrase() == "this is so: try class_weights balanced"
    assert symptom.phrase(lambda name: f"--{name}") == "this is so: try --class_weights balanced"


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def warnings(cli: Cli, data: Path, run: Path, *options: object, epochs: int = 2) -> dict[str, str]:
    result = cli("train", data, "--out", run, "--epochs", epochs, "--format", "json", *options)
    assert result.code == 0, result.err
    told = {warning["kind"]: warning["text"] for warning in json.loads(result.out)["warnings"]}
    for kind, text in told.items():
        assert f"warning: {kind}: {text}" in result.err.splitlines()
    return told


def test_unequal_classes_and_duplicates_and_colour_are_told_before_the_first_epoch(cli: Cli, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for i in range(15):
        write(tmp_path / "data" / "train" / "common" / f"{i}.png", random.integers(0, 256, (8, 8, 3)))
    for i in range(3):
        write(tmp_path / "data" / "train" / "rare" / f"{i}.png", random.integers(0, 256, (8, 8, 1)).repeat(3, 2))
    write(tmp_path / "data" / "val" / "rare" / "a.png", random.integers(0, 256, (8, 8)))
    common = np.asarray(Image.open(tmp_path / "data" / "train" / "common" / "7.png"))
    write(tmp_path / "data" / "val" / "common" / "b.png", common)
    told = warnings(cli, tmp_path / "data", tmp_path / "run", "--lr", 1e-6)
    assert "rare has 3 training images, common 15" in told["classes out of balance"]
    assert told["classes out of balance"].endswith("try --class-weights balanced, and look at its recall")
    assert told["duplicates"].startswith("1 validation image is among the training images too")
    assert "common/b.png is " in told["duplicates"]
    assert told["gray against colour"].startswith("100% of rare are gray, 0% of common")


def test_a_training_that_learns_nothing_says_so(cli: Cli, tmp_path: Path) -> None:
    for number in range(8):
        write(tmp_path / "data" / "ab"[number % 2] / f"{number}.png", np.full((8, 8), 128))
    told = warnings(cli, tmp_path / "data", tmp_path / "run")
    assert "no more than by always answering" in told["learned nothing"]


@pytest.mark.parametrize(("recall", "told"), [(0.75, False), (0.5, True)])
def test_with_balanced_weights_it_is_the_recall_that_tells_whether_anything_was_learned(
    recall: float, told: bool
) -> None:
    data = replace(dataset(16, 2), labels=np.array([0, *[1] * 15]))
    epoch = replace(QUIET, training=Score(0.4, 0.8), validation=Score(0.4, 0.8), judged=Score(0.4, recall))
    (symptom,) = examine_end(epoch, data, data, ("rare", "common"), balanced=False)
    assert "80.0% are right, no more than by always answering common" in symptom.what
    symptoms = examine_end(epoch, data, data, ("rare", "common"), balanced=True)
    said = ["50.0% on the validation images, no more than by guessing" in symptom.what for symptom in symptoms]
    assert said == [True] * told


def test_who_has_balanced_the_classes_is_not_told_to(cli: Cli, tmp_path: Path) -> None:
    for number in range(12):
        name, level = ("common", 60) if number % 6 else ("rare", 200)
        write(tmp_path / "data" / name / f"{number}.png", np.full((8, 8), level + number))
    assert "classes out of balance" in warnings(cli, tmp_path / "data", tmp_path / "run")
    told = warnings(cli, tmp_path / "data", tmp_path / "balanced", "--class-weights", "balanced")
    assert "classes out of balance" not in told


def test_a_loss_that_has_run_away_keeps_the_table_in_order(cli: Cli, tmp_path: Path) -> None:
    options = ("--out", tmp_path / "run", "--epochs", 2, "--lr", 1e9)
    result = cli("train", SAMPLE_DATA / "fashion", *options)
    rows = [line for line in result.out.splitlines() if re.match(r" +\d ", line)]
    assert rows
    for row in rows:
        assert re.match(r" +\d +\S{1,7} +\d+\.\d% +\S{1,7} +\d+\.\d%", row)


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_far_too_large_learning_rate_is_told(cli: Cli, tmp_path: Path, epochs: int) -> None:
    told = warnings(cli, SAMPLE_DATA / "fashion", tmp_path / "run", "--lr", 100, epochs=epochs)
    assert re.match(r"the loss is [\de+.]+, that of guessing 0\.6931: try a smaller --lr", told["exploding gradient"])


def test_ordinary_data_are_warned_of_nothing(cli: Cli, tmp_path: Path) -> None:
    assert warnings(cli, SAMPLE_DATA / "fashion", tmp_path / "run") == {}


def test_the_history_holds_what_moves_in_the_network(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = cli("train", image_folder, "--out", run, "--epochs", 1, "--details", "--filters", 3)
    assert "update/weight of a step: w1 " in result.out
    with (run / "history.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["update/weight w1"]) > 0
    assert 0 <= float(row["dead A1"]) <= 1
    shares = [float(share) for share in row["won P1"].split()]
    assert len(shares) == 3
    assert sum(shares) <= 1.0001
