"""The figures of `cnncli evaluate` against scikit-learn's (see tools/make_sklearn_values.py), and the command."""

import csv
import io
import json
import shutil
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncli.model import load_model
from cnncli.training.evaluation import Evaluation, evaluate_folder
from tests.conftest import SAMPLE_DATA, Cli, write_image

CASES = json.loads(Path(__file__).with_name("sklearn_values.json").read_text("utf-8"))["cases"]


def evaluation(case: dict[str, Any]) -> Evaluation:
    probabilities, y = np.array(case["probabilities"]), np.array(case["y"])
    classes = tuple(f"class {k}" for k in range(probabilities.shape[1]))
    losses = -np.log(probabilities[np.arange(len(y)), y])
    return Evaluation(Path("data"), classes, tuple(Path(str(i)) for i in range(len(y))), y, probabilities, losses)


@pytest.mark.parametrize("case", CASES, ids=["two classes", "four classes", "a class without images"])
def test_every_figure_is_scikit_learns(case: dict[str, Any]) -> None:
    found = evaluation(case)
    assert found.accuracy == pytest.approx(case["accuracy"], rel=1e-12)
    assert found.loss == pytest.approx(case["loss"], rel=1e-12)
    assert found.confusion.tolist() == case["confusion"]
    assert found.roc_auc == (None if case["roc_auc"] is None else pytest.approx(case["roc_auc"], rel=1e-12))
    for score, expected in zip(found.per_class.values(), case["per_class"], strict=True):
        for number, wanted in zip(score, expected, strict=True):
            assert isnan(number) if wanted is None else number == pytest.approx(wanted, rel=1e-12)


def test_the_calibration_error_is_that_of_its_definition() -> None:
    found = evaluation(CASES[1])
    error = 0.0
    for low in range(15):
        inside = [
            (max(row), int(np.argmax(row)) == y)
            for row, y in zip(CASES[1]["probabilities"], CASES[1]["y"], strict=True)
            if low / 15 <= max(row) < (low + 1) / 15
        ]
        if inside:
            confidence, right = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            error += len(inside) / len(CASES[1]["y"]) * abs(confidence - right)
    assert found.calibration_error == pytest.approx(error, rel=1e-12)


def test_the_interval_is_wilsons() -> None:
    # 9 of 10: worked out from the formula by hand.
    y = np.zeros(10, np.intp)
    probabilities = np.array([[0.9, 0.1]] * 9 + [[0.2, 0.8]])
    found = Evaluation(Path(), ("a", "b"), (Path(),) * 10, y, probabilities, np.zeros(10))
    assert found.accuracy_interval == pytest.approx((0.5958, 0.9821), abs=5e-5)


def test_the_most_confident_mistakes_come_first() -> None:
    mistakes = evaluation(CASES[1]).list_mistakes(5)
    assert [m.probability for m in mistakes] == sorted((m.probability for m in mistakes), reverse=True)
    assert all(m.true_class != m.answer for m in mistakes)
    assert len(evaluation(CASES[1]).list_mistakes(1000)) == sum(map(sum, CASES[1]["confusion"])) - sum(
        row[i] for i, row in enumerate(CASES[1]["confusion"])
    )


@pytest.fixture
def run(cli: Cli, tmp_path: Path) -> Path:
    assert cli("train", SAMPLE_DATA / "fashion", "--epochs", 2, "--out", tmp_path / "run").code == 0
    return tmp_path / "run"


def test_the_validation_figures_of_the_training_come_out_again(cli: Cli, run: Path) -> None:
    rows = csv.DictReader(io.StringIO((run / "history.csv").read_text("utf-8")))
    best = min(rows, key=lambda row: (-float(row["val_accuracy"]), float(row["val_loss"])))
    document = json.loads(cli("evaluate", SAMPLE_DATA / "fashion", "-m", run, "--split", "val", "--format", "json").out)
    assert document["accuracy"] == pytest.approx(float(best["val_accuracy"]))
    assert document["loss"] == pytest.approx(float(best["val_loss"]), rel=1e-4)
    assert document["images"] == sum(map(sum, document["confusion_matrix"])) == 100
    assert list(document["per_class"]) == document["classes"] == ["ankle-boot", "sneaker"]


def test_the_table_and_the_matrix(cli: Cli, run: Path) -> None:
    result = cli("evaluate", SAMPLE_DATA / "fashion" / "val", "-m", run)
    assert result.code == 0
    assert "95 % interval" in result.out
    assert "ROC AUC" in result.out
    rows = list(csv.reader(io.StringIO(cli("evaluate", SAMPLE_DATA / "fashion/val", "-m", run, "--format", "csv").out)))
    assert rows[0] == ["true class", "ankle-boot", "sneaker"]
    assert sum(int(count) for row in rows[1:] for count in row[1:]) == 100


def test_the_test_split_is_taken_where_there_is_one(run: Path, tmp_path: Path) -> None:
    shutil.copytree(SAMPLE_DATA / "fashion" / "val" / "sneaker", tmp_path / "data" / "test" / "sneaker")
    (tmp_path / "data" / "train" / "sneaker").mkdir(parents=True)
    found = evaluate_folder(tmp_path / "data", load_model(run))
    assert found.data == tmp_path / "data" / "test"
    assert found.roc_auc is None  # of one class only
    assert isnan(found.per_class["ankle-boot"].recall)


def test_a_suffix_that_is_none_of_its_own(cli: Cli, run: Path) -> None:
    evaluate = ("evaluate", SAMPLE_DATA / "fashion/val", "-m", run)
    listed = "-o r.pdf: the suffix names no format: take one of .txt, .json, .html, .csv, or name"
    assert listed in cli(*evaluate, "-o", "r.pdf").sentence
    assert (
        "-o r.csv means csv, --format json: leave one out" in cli(*evaluate, "-o", "r.csv", "--format", "json").sentence
    )


def test_what_cannot_be_evaluated(cli: Cli, run: Path, tmp_path: Path) -> None:
    data = SAMPLE_DATA / "fashion"
    assert (
        "is split into train, val: name the split to evaluate with --split" in cli("evaluate", data, "-m", run).sentence
    )
    assert "has no folder test: it has train, val" in cli("evaluate", data, "-m", run, "--split", "test").sentence
    write_image(tmp_path / "other" / "boot" / "1.png")
    assert (
        "the model has no class boot, it has ankle-boot, sneaker"
        in cli("evaluate", tmp_path / "other", "-m", run).sentence
    )
    (tmp_path / "empty" / "sneaker").mkdir(parents=True)
    assert "holds no images" in cli("evaluate", tmp_path / "empty", "-m", run).sentence
    write_image(tmp_path / "bad" / "sneaker" / "1.png")
    (tmp_path / "bad" / "sneaker" / "2.png").write_bytes(b"no image")
    refused = cli("evaluate", tmp_path / "bad", "-m", run)
    assert refused.code == 3
    assert refused.sentence.endswith("fix or convert them, or leave them out with --skip-bad")
    left = cli("evaluate", tmp_path / "bad", "-m", run, "--skip-bad", "--format", "json")
    assert json.loads(left.out)["images"] == 1
    assert "2.png" in json.loads(left.out)["left_out"][0]
