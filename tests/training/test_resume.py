"""Stopped anywhere and resumed, a training leaves the bytes of one that was never stopped."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnncli
from cnncli.errors import Stopped
from cnncli.training.checkpoint import LAST, read_checkpoint
from cnncli.training.run import SilentWatcher
from tests.conftest import Cli, write_image

KINDS: list[dict[str, Any]] = [
    {"optimizer": "adam", "schedule": "constant"},
    {"optimizer": "adamw", "schedule": "one-cycle", "augment": ("flip", "shift=1", "erase"), "label_smoothing": 0.1},
    {
        "optimizer": "sgd",
        "schedule": "cosine",
        "warm_up": 0.2,
        "augment": ("rotate", "crop", "light"),
        "clip_norm": 1.0,
    },
    {"optimizer": "adamw", "weight_decay": 0.1, "class_weights": "balanced", "early_stop": 2},
]
EPOCHS, BATCH, STEPS = 4, 4, 12  # 10 training images make 3 steps an epoch


class StopAfter(SilentWatcher):
    """Ends the training as a signal does, in a step of its choice."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def batch(self, _epoch: int, _images: int, _loss: float) -> None:
        from cnncli import stopping

        self._left -= 1
        if self._left == 0:
            stopping.stop(Stopped("stopped", 143))


def files(run: Path) -> list[bytes]:
    """What must be the same: the best model, the latest weights with all that is remembered, and the split."""
    last = read_checkpoint(run / LAST)
    latest = [value.tobytes() for value in last.model.parameters.values()]
    memory = [row.tobytes() for row in last.state.optimiser.memory.values()]
    figures = [
        (e.training, e.validation, e.gradient_norms, e.update_ratios, e.learning_rate) for e in last.state.history
    ]
    return [
        (run / "model.safetensors").read_bytes(),
        (run / "split.csv").read_bytes(),
        (run / "settings.json").read_bytes(),
        *latest,
        *memory,
        repr(figures).encode(),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind['optimizer']} {kind.get('schedule', 'constant')}")
def test_stopped_and_resumed_is_as_never_stopped(kind: dict[str, Any], image_folder: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"epochs": EPOCHS, "batch_size": BATCH, "filters": (3,), **kind}
    cnncli.train(image_folder, out=tmp_path / "whole", **options)
    dice = np.random.default_rng(0)
    for number in range(3):
        run, done = tmp_path / str(number), False
        while not done:
            try:
                cnncli.train(
                    image_folder, out=run, resume=run.exists(), watcher=StopAfter(int(dice.integers(1, 9))),
                    **({} if run.exists() else options),
                )  # fmt: skip
                done = True
            except Stopped:
                assert (run / LAST).exists()
        assert files(run) == files(tmp_path / "whole")


def test_what_a_kill_leaves_at_any_write_resumes(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder as it is before each of its files is replaced is what a kill in that moment leaves."""
    left: list[Path] = []

    def keep(run: Path) -> None:
        left.append(Path(shutil.copytree(run, tmp_path / f"left {len(left)}")))

    from cnncli.training.run_folder import RunFolder

    for name in ("_write", "save", "save_checkpoint"):
        method = getattr(RunFolder, name)

        def kept(self: RunFolder, *arguments: Any, method: Any = method) -> None:
            keep(self.path)
            method(self, *arguments)

        monkeypatch.setattr(RunFolder, name, kept)
    options: dict[str, Any] = {"epochs": 2, "batch_size": BATCH, "optimizer": "sgd", "checkpoint_minutes": 1e-9}
    cnncli.train(image_folder, out=tmp_path / "whole", **options)
    monkeypatch.undo()
    assert len(left) > 8
    for run in left:
        cnncli.train(image_folder, out=run, resume=True, **options)
        assert files(run) == files(tmp_path / "whole")


def test_more_epochs_of_a_constant_rate_are_as_if_asked_for_at_once(image_folder: Path, tmp_path: Path) -> None:
    cnncli.train(image_folder, out=tmp_path / "whole", epochs=4)
    cnncli.train(image_folder, out=tmp_path / "run", epochs=2)
    summary = cnncli.train(image_folder, out=tmp_path / "run", epochs=4, resume=True)
    assert summary.epochs == 4
    assert files(tmp_path / "run") == files(tmp_path / "whole")


def test_a_finished_run_has_nothing_left_to_do(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("train", image_folder, "--out", run, "--epochs", 2).code == 0
    before = files(run)
    result = cli("train", image_folder, "--out", run, "--resume")
    assert result.code == 0
    assert "nothing is left to do after 2 epochs" in result.out
    assert files(run) == before


def test_what_contradicts_the_run_is_refused(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("train", image_folder, "--out", run, "--epochs", 2, "--schedule", "cosine").code == 0
    before = (run / LAST).read_bytes()
    for options, sentence in (
        (
            ["--epochs", 3],
            f"Error: --epochs is 3, but the run in {run} has 2, for which its cosine schedule was made: leave it "
            "out, or begin a new run",
        ),
        (["--augment", "flip,shift"], f"Error: --augment is flip,shift, but the run in {run} has none: leave it out"),
        (["--filters", "4,4"], f"Error: --filters is 4,4, but the run in {run} has 8: leave it out"),
        (["--lr", 0.1], f"Error: --lr is 0.1, but the run in {run} has 0.003: leave it out"),
    ):
        result = cli("train", image_folder, "--out", run, "--resume", *options)
        assert result.code == 2
        assert result.sentence.startswith(sentence)
    assert cli("train", image_folder, "--out", run, "--resume", "--schedule", "cosine", "--epochs", 2).code == 0
    assert (run / LAST).read_bytes() == before


def test_changed_images_are_refused(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("train", image_folder, "--out", run, "--epochs", 1).code == 0
    write_image(image_folder / "dark" / "0.png", seed=7)
    write_image(image_folder / "light" / "9.png", seed=8)
    (image_folder / "light" / "1.png").unlink()
    result = cli("train", image_folder, "--out", run, "--resume")
    assert result.code == 3
    for words in ("is new (light/9.png)", "is gone (light/1.png)", "is changed (dark/0.png)", "begin a new run"):
        assert words in result.sentence


def test_files_that_cannot_be_read_have_a_say_in_the_order(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    for split in ("train", "val"):
        shutil.copytree(image_folder, data / split)
    bad = data / "train" / "dark" / "bad.png"
    bad.write_bytes(b"no image")
    bad.with_name("link.png").symlink_to("nowhere.png")
    assert cli("train", data, "--out", run, "--epochs", 2, "--skip-bad").code == 0
    before = (run / LAST).read_bytes()
    bad.unlink()
    result = cli("train", data, "--out", run, "--resume", "--skip-bad")
    assert result.code == 3
    assert f"{run} was begun beside other files that cannot be read" in result.err
    assert (run / LAST).read_bytes() == before


def test_a_damaged_checkpoint_is_refused(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("train", image_folder, "--out", run, "--epochs", 1).code == 0
    whole = (run / LAST).read_bytes()
    for damaged in (b"", whole[:100], whole[:-8], whole.replace(b"history", b"mystery")):
        (run / LAST).write_bytes(damaged)
        result = cli("train", image_folder, "--out", run, "--resume")
        assert result.code == 3
        assert "cannot be gone on with" in result.sentence
        assert result.sentence.endswith("start again with --force")


def test_where_there_is_nothing_to_resume_the_training_begins(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("train", image_folder, "--out", run, "--epochs", 1, "--resume").code == 0
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    assert cli("train", image_folder, "--out", tmp_path / "other", "--resume").code == 2


def test_without_out_the_latest_run_is_resumed(
    cli: Cli, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert cli("train", image_folder, "--epochs", 1).code == 0
    document = json.loads(cli("train", image_folder, "--resume", "--epochs", 2, "--format", "json").out)
    assert (document["run"], document["epochs"]) == ("runs/images-2", 2)
