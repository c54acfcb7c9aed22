"""A training from folder to run folder: what was asked for is done, and what is reported is what was done."""

import csv
import json
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from cnncli.model import load_model
from cnncli.network.initialisation import he_normal
from cnncli.training.order import order_epoch
from cnncli.training.run import Watcher, run_training
from cnncli.training.settings import TrainingSettings
from tests.conftest import Cli


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_seed_and_batch_size_reach_the_training(image_folder: Path, tmp_path: Path) -> None:
    run, watcher, standstill = tmp_path / "run", Mock(spec=Watcher), 1e-30
    settings = TrainingSettings(image_folder, run, epochs=2, batch_size=4, learning_rate=standstill, seed=5)
    run_training(settings, watcher)
    model = load_model(run)
    for name, value in he_normal(model.architecture, 5).items():
        assert_allclose(model.parameters[name], value, rtol=1e-6, atol=1e-20)

    training = [row for row in rows(run / "split.csv") if row["split"] == "train"]
    images = np.array([np.asarray(Image.open(image_folder / row["file"])) for row in training])[:, None]
    y = np.array([model.classes.index(row["class"]) for row in training])
    z = model.logits(images)[:, 0].astype(np.float64)
    losses = np.log1p(np.exp(np.where(y == 1, -z, z)))
    expected = []
    for epoch in (1, 2):
        batches = order_epoch(len(y), 5, epoch, 4)
        expected += [(epoch, done, losses[b.images].mean()) for done, b in zip((4, 8, 10), batches, strict=True)]
    assert_allclose([call.args for call in watcher.batch.call_args_list], expected, rtol=1e-5)


def test_another_seed_splits_otherwise(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    splits = set()
    for seed in range(4):
        run = tmp_path / str(seed)
        assert cli("train", image_folder, "--out", run, "--epochs", 1, "--seed", seed, "-q").code == 0
        splits.add((run / "split.csv").read_text())
    assert len(splits) > 1


def test_the_rows_and_the_summary_tell_what_the_history_tells(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = cli("train", image_folder, "--out", run, "--epochs", 3, "--format", "json")
    history = rows(run / "history.csv")
    for line, row in zip(result.err.splitlines()[-3:], history, strict=True):
        assert line.split() == [
            row["epoch"],
            f"{float(row['train_loss']):.4f}",
            f"{float(row['train_accuracy']):.1%}",
            f"{float(row['val_loss']):.4f}",
            f"{float(row['val_accuracy']):.1%}",
            *(f"{float(row[f'norm dL/d{name}']):.3g}" for name in ("w1", "b1", "w2", "b2")),
        ]
    summary = json.loads(result.out)
    best = history[summary["best_epoch"] - 1]
    for split in ("train", "val"):
        assert summary[split] == {word: float(best[f"{split}_{word}"]) for word in ("loss", "accuracy")}
    speeds = [float(row["images_per_second"]) for row in history]  # each over as many images
    assert summary["images_per_second"] == pytest.approx(3 / sum(1 / speed for speed in speeds), rel=0.01)
