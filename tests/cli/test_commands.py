"""The commands as a person runs them: what they print, leave behind and answer."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cnncli import __version__
from cnncli.model import load_model
from cnncli.network.arrays import Parameters
from cnncli.network.chain import build_chain
from tests.conftest import PATIENCE, SAMPLE_DATA, Cli


@pytest.fixture
def run(cli: Cli, image_folder: Path) -> Path:
    """A run of three epochs on dark and light images."""
    path = image_folder.parent / "run"
    assert cli("train", image_folder, "--out", path, "--epochs", 3, "--lr", 0.05, "-q").code == 0
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_training_on_the_sample_data_with_the_defaults_reaches_96_percent_and_repeats_itself(
    cli: Cli, tmp_path: Path
) -> None:
    models = []
    for name in ("one", "two"):
        result = cli("train", SAMPLE_DATA / "fashion", "--out", tmp_path / name, "--format", "json")
        assert result.code == 0
        summary = json.loads(result.out)
        assert summary["val"]["accuracy"] >= 0.96
        models.append(Path(summary["model"]).read_bytes())
    assert models[0] == models[1]
    assert sorted(summary) == sorted(
        ["run", "model", "epochs", "best_epoch", "train", "val", "seconds", "images_per_second", "warnings"]
    )


def test_a_log_holds_a_line_an_epoch_and_the_summary(cli: Cli, image_folder: Path) -> None:
    run = image_folder.parent / "run"
    result = cli("train", image_folder, "--out", run, "--epochs", 3)
    lines = result.out.splitlines()
    assert lines[0] == "10 training and 2 validation images, 8×8 gray"
    assert lines[1] == "2 classes: dark, light"
    assert lines[2] == f"filters 8, kernel 3, pool 2: 153 parameters → {run}"
    assert lines[3].startswith("engine: ")
    head = " ".join(lines[4].split())
    assert head == "epoch loss accuracy val loss val acc. |dL/dw1| |dL/db1| |dL/dw2| |dL/db2|"
    assert [line.split()[0] for line in lines[5:8]] == ["1", "2", "3"]
    assert all(len(line) <= 80 for line in lines[3:8])
    assert lines[8].startswith("best epoch ")
    assert f"model: {run / 'model.safetensors'}" in result.out


def test_quiet_training_says_nothing_on_stderr(cli: Cli, image_folder: Path) -> None:
    result = cli("train", image_folder, "--out", image_folder.parent / "run", "--epochs", 1, "-q")
    assert (result.code, result.err) == (0, "")


def test_the_run_folder(run: Path, image_folder: Path) -> None:
    assert sorted(path.name for path in run.iterdir()) == [
        "history.csv", "last.safetensors", "model.safetensors", "report.html", "settings.json", "split.csv",
    ]  # fmt: skip
    history = rows(run / "history.csv")
    assert [row["epoch"] for row in history] == ["1", "2", "3"]
    assert {"train_loss", "train_accuracy", "val_loss", "val_accuracy", "norm dL/dw1", "norm dL/db2"} <= set(history[0])
    split = rows(run / "split.csv")
    assert len(split) == 12
    for row in split:
        assert (image_folder / row["file"]).exists()
        assert row["class"] == row["file"].split("/")[0]
    assert sorted(row["split"] for row in split) == ["train"] * 10 + ["validation"] * 2
    settings = json.loads((run / "settings.json").read_text())
    assert settings["learning_rate"] == 0.05
    assert settings["validation_fraction"] == 0.2
    assert settings["architecture"]["height"] == 8
    assert settings["cnncli"] == __version__


def test_the_best_epoch_is_kept(cli: Cli, image_folder: Path) -> None:
    run = image_folder.parent / "run"
    summary = json.loads(cli("train", image_folder, "--out", run, "--epochs", 8, "--format", "json").out)
    history = rows(run / "history.csv")
    best = max(history, key=lambda row: (float(row["val_accuracy"]), -float(row["val_loss"])))
    assert summary["best_epoch"] == int(best["epoch"])
    assert summary["val"]["loss"] == float(best["val_loss"])
    assert summary["best_epoch"] > 1
    split = [row for row in rows(run / "split.csv") if row["split"] == "validation"]
    (dark, light) = (
        json.loads(cli("predict", image_folder / r["file"], "-m", run, "--format", "json").out)[0] for r in split
    )
    loss = -np.mean([np.log(dark["probabilities"]["dark"]), np.log(light["probabilities"]["light"])])
    assert loss == pytest.approx(summary["val"]["loss"], rel=1e-4)  # the model in the folder is that epoch's


def test_without_out_every_run_gets_a_folder_of_its_own(
    cli: Cli, image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for expected in ("runs/images", "runs/images-2"):
        result = cli("train", image_folder, "--epochs", 1, "--format", "json")
        assert json.loads(result.out)["run"] == expected
        assert Path(expected, "model.safetensors").exists()


def test_several_blocks_colour_more_classes_sgd_and_all_options(cli: Cli, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    from PIL import Image

    for name in "abc":
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(random.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(
                tmp_path / "data" / name / f"{i}.jpg"
            )
    result = cli(
        "train", tmp_path / "data", "--out", tmp_path / "run", "--epochs", 2, "--optimizer", "sgd", "--filters", "3,4",
        "--kernel", 2, "--pool", 3, "--image-size", 25, "--channels", "rgb", "--val-fraction", 0.5, "--seed", 7,
        "--batch-size", 5,
    )  # fmt: skip
    assert result.code == 0
    model = load_model(tmp_path / "run")
    assert model.architecture.filters == (3, 4)
    assert build_chain(model.architecture).parameter_shapes["w3"] == (3, 16)
    assert model.classes == ("a", "b", "c")


def test_divergence_exits_with_4_and_keeps_the_best_model(
    cli: Cli, image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = image_folder.parent / "run"
    early = cli("train", image_folder, "--out", run, "--lr", 1e38, "-q")
    assert early.code == 4
    assert "training diverged in epoch 1, step" in early.sentence or "validation of epoch 1" in early.sentence
    assert early.sentence.endswith("there is no model yet")

    from cnncli.training import optimisers

    update = optimisers.Adam.update

    def explode(self: optimisers.Adam, parameters: Parameters, gradients: Parameters, _rate: float) -> None:
        update(self, parameters, gradients, 1e38 if self.steps == 2 else 0.001)

    monkeypatch.setattr(optimisers.Adam, "update", explode)
    late = cli("train", image_folder, "--out", run, "--force", "-q")
    assert late.code == 4
    assert f"the best model so far, of epoch 2, is in {run / 'model.safetensors'}" in late.sentence
    assert cli("info", "-m", run).code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_training_and_keeps_what_is_there(tmp_path: Path, number: int, code: int) -> None:
    run = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "cnncli", "train", SAMPLE_DATA / "fashion", "--out", run, "--epochs", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert any(line.split()[0] == "1" for line in process.stdout)  # the row of the first epoch has come
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "best epoch" not in out
    assert err.count("Error") == 1
    sentence = err.splitlines()[-1]
    assert sentence.startswith("Error: stopped after ")
    assert "the best model so far, of epoch" in sentence
    assert sentence.endswith(f"is in {run / 'model.safetensors'}; --resume goes on from here")
    assert load_model(run).classes == ("ankle-boot", "sneaker")


LOST = """
import os, sys, threading, time, weakref
from cnncli import cli
from cnncli.training import run_folder

class Thing:
    pass

def free_run_folder(data):
    thing = Thing()
    reference = weakref.ref(thing, lambda _: [os.kill(os.getpid(), {number}), None])
    del thing  # what the signal raises in the callback is lost
    while True:  # until it comes again; signal.pause() would sleep on if it came just before
        time.sleep(0.001)

def start_and_rest(thread, start=threading.Thread.start):
    start(thread)
    time.sleep({rest})

run_folder.free_run_folder = free_run_folder
threading.Thread.start = start_and_rest
sys.argv = ["cnncli", "train", {data!r}]
cli.main()
"""


@pytest.mark.parametrize("rest", [0, 0.2], ids=["quick", "slow"])  # seconds for which a busy machine stops the program
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_comes_where_exceptions_are_lost_stops_the_program(
    tmp_path: Path, number: int, code: int, rest: float
) -> None:
    program = LOST.format(number=int(number), rest=rest, data=str(SAMPLE_DATA / "fashion"))
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


def test_predict_answers_in_order_in_every_format(cli: Cli, run: Path, image_folder: Path) -> None:
    images = [image_folder / "light" / "0.png", image_folder / "dark"]
    table = cli("predict", *images, "-m", run)
    assert table.code == 0
    lines = [line for line in table.out.splitlines() if ".png" in line]
    assert [("light" in row.split("│")[2], "dark" in row.split("│")[2]) for row in lines] == [(True, False)] + [
        (False, True)
    ] * 6
    documents = json.loads(cli("predict", *images, "-m", run, "--format", "json").out)
    assert [Path(document["path"]) for document in documents] == [
        images[0], *(image_folder / "dark" / f"{i}.png" for i in range(6)),
    ]  # fmt: skip
    for document in documents:
        assert document["class"] == next(iter(document["probabilities"]))
        assert document["probability"] == max(document["probabilities"].values())
        assert sum(document["probabilities"].values()) == pytest.approx(1)
    records = list(csv.DictReader(io.StringIO(cli("predict", *images, "-m", run, "--format", "csv").out)))
    assert [(record["path"], record["class"]) for record in records] == [(d["path"], d["class"]) for d in documents]
    assert float(records[0]["p(light)"]) == documents[0]["probabilities"]["light"]
    for line, document in zip(lines, documents, strict=True):
        assert line.split()[-2] == f"{document['probability']:.4f}"
    both = cli("predict", images[0], "-m", run, "--top-k", 2).out
    for name, probability in documents[0]["probabilities"].items():
        assert re.search(rf"{name} +│ +{probability:.4f} │$", both, re.MULTILINE)
    one = json.loads(cli("predict", images[0], "-m", run, "--format", "json", "--top-k", 1).out)
    assert list(one[0]["probabilities"]) == ["light"]


def test_a_single_image_gets_the_answer_that_it_gets_among_many(cli: Cli, run: Path, image_folder: Path) -> None:
    together = json.loads(cli("predict", image_folder, "-m", run, "--format", "json").out)
    for document in together[:4]:
        (alone,) = json.loads(cli("predict", document["path"], "-m", run, "--format", "json").out)
        assert alone["probability"] == pytest.approx(document["probability"], rel=1e-5)


def test_names_that_look_like_markup_are_shown_as_they_are(cli: Cli, run: Path, image_folder: Path) -> None:
    odd = image_folder / "[red]dark[bold] 😀 :smile:.png"
    (image_folder / "dark" / "0.png").rename(odd)
    assert "[red]dark[bold] 😀 :smile:.png" in cli("predict", odd, "-m", run).out
    assert "[red]dark[bold] 😀 :smile:.png" in cli("trace", odd, "-m", run, "--label", "dark", "--only", "L").out


def test_info(cli: Cli, run: Path) -> None:
    table = cli("info", "-m", run)
    assert cli("info", run).out == table.out
    assert table.code == 0
    assert "153 parameters" in table.out
    assert re.search(r"Z1 .*w1 8×1×3×3 \+ b1 8 = 80 ", table.out)
    assert "classes: dark, light" in table.out
    document = json.loads(cli("info", "-m", run / "model.safetensors", "--format", "json").out)
    assert document["parameters"] == 153
    assert document["shapes"]["P1"] == [8, 3, 3]


def test_version_help_and_no_arguments(cli: Cli) -> None:
    assert cli("--version").out == f"cnncli {__version__}\n"
    for name in ("train", "predict", "gradcheck", "trace", "info"):
        assert name in cli("--help").out
        assert cli(name, "--help").code == 0
    assert cli().code == 2
    assert "Usage: cnncli" in cli().out


def test_a_closed_pipe_ends_the_program_quietly() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cnncli", "trace", "--image-size", "40", "--full", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()  # more is written than a pipe holds
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == -signal.SIGPIPE  # as grep dies


def test_a_table_that_nobody_reads_to_its_end_is_no_failure() -> None:
    command = f"{sys.executable} -m cnncli trace --image-size 60 --full; echo $? >&2"
    done = subprocess.run(["/bin/bash", "-c", f"({command}) | head -1"], capture_output=True, text=True, check=False)
    assert done.stderr.split() == ["141"]


def test_a_terminal_without_utf8_is_no_obstacle() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    for extra in ((), ("--format", "json")):
        done = subprocess.run(
            [sys.executable, "-m", "cnncli", "trace", *extra], capture_output=True, check=False, env=environment
        )
        assert done.returncode == 0
        assert done.stderr.startswith(b"try next: " if not extra else b"")
    steps = {step["name"]: step for step in json.loads(done.stdout)["steps"]}
    assert steps["A2"]["formula"] == "σ(z2)"
    assert_allclose(steps["A2"]["values"], [0.5498339973124778], rtol=1e-15)
