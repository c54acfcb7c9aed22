"""A dry run tells what the training would be, and keeps nothing."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import cnncli
from cnncli.reports.training.rehearsal import print_rehearsal
from cnncli.training import loop, rehearsal
from cnncli.training.run_folder import read_table
from tests.conftest import Cli


def test_a_dry_run_tells_what_the_training_then_is(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    arguments = ("train", image_folder, "--out", tmp_path / "run", "--epochs", 3, "--filters", "3,2", "--kernel", 2)
    before = sorted(tmp_path.rglob("*"))
    told = json.loads(cli(*arguments, "--dry-run", "--format", "json").out)
    assert sorted(tmp_path.rglob("*")) == before
    assert cli(*arguments, "-q").code == 0
    model = cnncli.load_model(tmp_path / "run")
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert told["run"] == str(tmp_path / "run")
    assert told["architecture"] == settings["architecture"]
    assert told["parameters"] == model.chain.parameter_count
    assert told["validation_fraction"] == settings["validation_fraction"]
    split = read_table(tmp_path / "run" / "split.csv")
    for name, counts in told["classes"].items():
        rows = [row for row in split if row["class"] == name]
        assert counts == {"train": sum(row["split"] == "train" for row in rows), "val": 6 - counts["train"]}
    assert told["bytes"]["pixels"] == 12 * 8 * 8


def test_the_time_follows_from_steps_that_were_taken(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(0, 0.25)  # a clock on which a quarter of a second goes by from look to look
    for module in (rehearsal, loop):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    told = cnncli.rehearse(image_folder, epochs=7, batch_size=4)  # 10 training images: 3 steps an epoch
    assert (told.seconds_per_step, told.seconds_per_end) == (0.25, 0.5)
    assert told.seconds == 7 * (3 * 0.25 + 0.5)


def test_people_read_the_same(cli: Cli, image_folder: Path) -> None:
    Image.fromarray(np.zeros((16, 20), np.uint8)).save(next(image_folder.rglob("*.png")))
    lines = cli("train", image_folder, "--dry-run", "--image-size", 8, "--val-fraction", 0.33).out.splitlines()
    rows = {line.split()[1]: line.split()[3::2] for line in lines if line.startswith("│")}
    assert rows == {"dark": ["4", "2"], "light": ["4", "2"], "all": ["8", "4"]}
    assert "split: 33% of each class to validate on" in lines
    assert "images: 8×8 gray, from files of 8×8 to 16×20" in lines
    assert "network: filters 8, kernel 3, pool 2: 153 parameters" in lines
    assert lines[-1] == "a dry run: nothing was kept; the training would go to runs/images"


@pytest.mark.parametrize(
    ("step", "end", "time"),
    [
        (0.00321, 0.5, "about 3.5 s for 7 epochs, 3.21 ms"),
        (0.99949, 0.0, "about 14 s for 7 epochs, 999 ms"),
        (1.2345, 120.0, "about 14 min 17 s for 7 epochs, 1.23 s"),
    ],
)
def test_times_are_told_for_people(
    image_folder: Path, capsys: pytest.CaptureFixture[str], step: float, end: float, time: str
) -> None:
    told = cnncli.rehearse(image_folder, epochs=7, batch_size=5)  # 10 training images: 2 steps an epoch
    print_rehearsal(replace(told, seconds_per_step=step, seconds_per_end=end))
    assert f"time: {time} for a step of 5 images" in capsys.readouterr().out


def test_all_images_that_cannot_be_read_stand_in_one_table(cli: Cli, image_folder: Path) -> None:
    bad = [image_folder / "dark" / "0.png", *(image_folder / "light" / f"IMG_{number}.HEIC" for number in range(4))]
    for path in bad:
        path.write_bytes(b"no image")
    reason = "not an image of a kind that is read (PNG, JPEG, BMP, GIF, WebP)"
    document = cli("train", image_folder, "--dry-run", "--format", "json")
    assert document.code == 3
    told = {(each["path"], each["error"]) for each in json.loads(document.out)["unreadable"]}
    assert told == {(str(path), reason) for path in bad}
    table = cli("train", image_folder, "--dry-run", "--skip-bad")
    assert (table.code, table.err) == (0, "")
    assert table.out.count("│ not an image of a kind") == 5
    assert table.out.splitlines()[-1].startswith("a dry run: nothing was kept")


def test_a_dry_run_warns_and_refuses_as_the_training_does(cli: Cli, image_folder: Path, tmp_path: Path) -> None:
    bad = next(image_folder.rglob("*.png"))
    for copy in range(40):
        bad.with_name(f"{copy}.png").write_bytes(bad.read_bytes())
    result = cli("train", image_folder, "--dry-run", "--out", tmp_path / "run")
    assert result.code == 0
    assert "warning: classes out of balance: " in result.err
    bad.write_bytes(b"no image")
    dry, real = (cli("train", image_folder, "--out", tmp_path / "run", *more) for more in (("--dry-run",), ()))
    assert dry.code == real.code == 3
    assert dry.err.splitlines()[-1] == real.sentence
    (tmp_path / "file").write_text("mine")
    assert cli("train", image_folder, "--dry-run", "--out", tmp_path / "file").code == 2
    assert "--resume has nothing to do in a dry run" in cli("train", image_folder, "--dry-run", "--resume").sentence
