"""Any number of ranks computes what one process does, byte for byte, and in its words."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_image
from tests.distributed.ranks import TRAIN, needs_mpiexec, run
from tests.training.test_resume import files

pytestmark = needs_mpiexec
SETTINGS: dict[str, tuple[Any, ...]] = {
    "one-cycle, all augmentations": (
        "--schedule", "one-cycle", "--optimizer", "adamw", "--label-smoothing", 0.1,
        "--augment", "flip,updown,turn,shift,rotate,crop,light,erase",
    ),
    "cosine, sgd, clipped": ("--schedule", "cosine", "--warm-up", 0.2, "--optimizer", "sgd", "--clip-norm", 1),
    "constant, balanced": ("--class-weights", "balanced", "--weight-decay", 0.1, "--early-stop", 1),
    "average pooling, textbook engine": ("--pooling", "average"),
    "the NumPy engine": ("--engine", "numpy"),
    "batches smaller than the lanes": ("--batch-size", 5),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """60 and 40 images of two classes, one of them in colour."""
    for label, count in enumerate((60, 40)):
        for number in range(count):
            path = tmp_path / "data" / "ab"[label] / f"{number:02}.png"
            write_image(path, seed=100 * label + number, colour=(label, number) == (1, 7))
    return tmp_path / "data"


def train(ranks: int, folder: Path, out: Path, *settings: object) -> list[bytes]:
    arguments = [*TRAIN, *settings]
    for option in settings:  # an option may be given once
        if str(option).startswith("--") and option in TRAIN:
            place = arguments.index(option)
            del arguments[place : place + 2]
    done = run(ranks, "train", folder, "--out", out, *arguments)
    assert done.code == 0, done.err
    return files(out)


@pytest.mark.parametrize("ranks", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4, 8, 16))])
@pytest.mark.parametrize(
    "name", [name if n == 0 else pytest.param(name, marks=pytest.mark.slow) for n, name in enumerate(SETTINGS)]
)
def test_ranks_write_the_bytes_of_one_process(ranks: int, name: str, folder: Path, tmp_path: Path) -> None:
    alone = train(0, folder, tmp_path / "alone", *SETTINGS[name])
    assert train(ranks, folder, tmp_path / "ranks", *SETTINGS[name]) == alone
    reports = [(tmp_path / run / "report.html").read_text("utf-8") for run in ("alone", "ranks")]
    assert len(reports[0].replace("alone", "ranks")) == pytest.approx(len(reports[1]), abs=100)  # but for the seconds


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 8])
def test_an_unreadable_image_that_is_left_out_changes_nothing_of_it(ranks: int, folder: Path, tmp_path: Path) -> None:
    for broken in ("a/03.png", "a/44.png", "b/21.png"):
        (folder / broken).write_bytes(b"no image")
    alone = train(0, folder, tmp_path / "alone", "--skip-bad")
    assert train(ranks, folder, tmp_path / "ranks", "--skip-bad") == alone


@pytest.mark.slow
def test_images_of_many_sizes_are_scaled_by_all_ranks(folder: Path, tmp_path: Path) -> None:
    write_image(folder / "a" / "59.png", 9, 12)
    alone = train(0, folder, tmp_path / "alone", "--epochs", 1)
    assert train(4, folder, tmp_path / "ranks", "--epochs", 1) == alone


def test_a_run_goes_on_with_another_number_of_ranks(folder: Path, tmp_path: Path) -> None:
    whole = train(0, folder, tmp_path / "whole")
    train(3, folder, tmp_path / "parts", "--epochs", 1)
    done = run(2, "train", folder, "--out", tmp_path / "parts", "--resume", "--epochs", 3)
    assert done.code == 0, done.err
    assert files(tmp_path / "parts") == whole


def test_evaluate_and_predict_answer_in_order_and_as_one_process(folder: Path, tmp_path: Path) -> None:
    (folder / "a" / "31.png").write_bytes(b"no image")
    trained = run(0, "train", folder, "--out", tmp_path / "run", *TRAIN, "--skip-bad")
    assert trained.code == 0, trained.err
    for command in (
        ("evaluate", folder, "-m", tmp_path / "run", "--skip-bad", "--format", "json"),
        ("predict", folder, folder / "b" / "00.png", "-m", tmp_path / "run", "--format", "csv"),
    ):
        alone = run(0, *command)
        assert len(alone.out) > 1000
        assert run(3, *command) == alone


@pytest.mark.slow
def test_predict_shares_what_comes_on_stdin_and_draws_once(folder: Path, tmp_path: Path) -> None:
    assert run(0, "train", folder, "--out", tmp_path / "run", *TRAIN).code == 0
    paths = tmp_path / "paths"
    paths.write_text("".join(f"{path}\n" for path in sorted(folder.rglob("*.png")) * 8))  # more than two batches
    command = ("predict", "-", "-m", tmp_path / "run", "--format", "jsonl")
    with paths.open() as first, paths.open() as second:
        assert run(3, *command, stdin=first) == run(0, *command, stdin=second)
    drawn = run(2, "predict", folder / "a" / "00.png", "-m", tmp_path / "run", "--saliency", tmp_path / "why")
    assert drawn.code == 0, drawn.err
    assert len(list((tmp_path / "why").iterdir())) == 1


@pytest.mark.slow
def test_a_report_over_ranks_shows_the_pictures_that_others_hold(folder: Path, tmp_path: Path) -> None:
    assert run(0, "train", folder, "--out", tmp_path / "run", *TRAIN).code == 0
    pages = []
    for ranks in (0, 2):
        done = run(ranks, "evaluate", folder, "-m", tmp_path / "run", "-o", tmp_path / f"{ranks}.html")
        assert (done.code, done.out) == (0, ""), done.err
        pages.append((tmp_path / f"{ranks}.html").read_bytes())
    assert pages[0] == pages[1]


def test_rank_0_alone_speaks_and_tells_the_threads_of_each(model_file: Path) -> None:
    alone, together = run(0, "info", model_file), run(2, "info", model_file)
    assert together.out.startswith(alone.out)
    ranks = together.out.removeprefix(alone.out).splitlines()
    assert [line.split(" on ")[0] for line in ranks] == ["rank 0", "rank 1"]
    assert all(line.endswith(("thread", "threads")) for line in ranks)
    assert run(2, "trace", "--only", "L") == run(0, "trace", "--only", "L")


def test_a_dry_run_over_ranks_tells_the_same_training_and_what_each_rank_holds(folder: Path, tmp_path: Path) -> None:
    (folder / "b" / "21.png").write_bytes(b"no image")
    command = ("train", folder, "--dry-run", "--skip-bad", "--format", "json", "--out", tmp_path / "run")
    alone, together = (json.loads(run(ranks, *command).out) for ranks in (0, 2))
    assert (alone["ranks"], together["ranks"]) == (1, 2)
    assert together["bytes"]["pixels"] < 0.8 * alone["bytes"]["pixels"]  # validation files are dealt 64 at a time
    different = {"ranks", "bytes", "seconds", "seconds_per_epoch"}
    assert {name: told for name, told in alone.items() if name not in different} == {
        name: told for name, told in together.items() if name not in different
    }
    lines = run(2, *command[:3], "--skip-bad", "--out", tmp_path / "run").out.splitlines()
    assert sum(line.startswith("memory of each rank: ") for line in lines) == 1
    assert sum(line.startswith("time: about ") and " epochs on 2 ranks, " in line for line in lines) == 1
    assert not (tmp_path / "run").exists()
