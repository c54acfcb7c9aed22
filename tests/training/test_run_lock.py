"""A run folder is locked while it is written, and whoever comes second is told so or takes the next number."""

import subprocess
import sys
from pathlib import Path

import pytest

from cnncli.errors import UsageError
from cnncli.training import run_folder
from cnncli.training.run_folder import free_run_folder
from cnncli.training.run_lock import claim_run_folder
from tests.conftest import SAMPLE_DATA, Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows locks no folder")


def test_a_folder_that_another_training_writes_is_not_replaced(cli: Cli, image_folder: Path) -> None:
    run = image_folder.parent / "run"
    assert cli("train", image_folder, "--out", run, "--epochs", 1, "-q").code == 0
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with claim_run_folder(run, image_folder, replace=True):
        result = cli("train", image_folder, "--out", run, "--force", "-q")
        assert (result.code, result.sentence) == (
            2,
            f"Error: --out {run} is being written by another training: name another folder",
        )
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert cli("train", image_folder, "--out", run, "--force", "--epochs", 1, "-q").code == 0


def test_without_a_name_each_takes_a_number_of_its_own(
    cli: Cli, image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(image_folder.parent)
    asked: list[Path] = []

    def lose_the_first_race(data: Path) -> Path:
        path = free_run_folder(data)
        if not asked:
            path.mkdir(parents=True)  # another training was quicker
        asked.append(path)
        return path

    monkeypatch.setattr(run_folder, "free_run_folder", lose_the_first_race)
    assert cli("train", image_folder, "--epochs", 1, "-q").code == 0
    assert asked == [Path("runs/images"), Path("runs/images-2")]
    assert list(Path("runs/images").iterdir()) == []
    assert Path("runs/images-2/model.safetensors").exists()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_what_lies_where_a_run_without_a_name_would_go_stays(
    cli: Cli, image_folder: Path, monkeypatch: pytest.MonkeyPatch, force: list[str]
) -> None:
    monkeypatch.chdir(image_folder.parent)
    Path("runs").mkdir()
    Path("runs/images").symlink_to("nowhere")
    Path("runs/images-2").write_text("mine")
    assert cli("train", image_folder, "--epochs", 1, "-q", *force).code == 0
    assert cli("train", image_folder, "--epochs", 1, "-q", *force).code == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == [
        "images",
        "images-2",
        "images-3",
        "images-4",
    ]
    assert Path("runs/images-2").read_text() == "mine"


@pytest.mark.parametrize("out", [[], ["--out", "runs/mine"]])
def test_where_no_folder_can_be_made_it_is_told(
    cli: Cli, image_folder: Path, monkeypatch: pytest.MonkeyPatch, out: list[str]
) -> None:
    monkeypatch.chdir(image_folder.parent)
    Path("runs").symlink_to("nowhere")
    refused = cli("train", image_folder, "-q", *out)
    path = out[-1] if out else "runs/images"
    said = f"Error: {path} cannot be written (runs is no folder): name another folder with --out"
    assert (refused.code, refused.sentence) == (3, said)


def test_a_folder_that_was_made_for_nothing_goes_again(cli: Cli, image_folder: Path) -> None:
    (image_folder / "dark" / "0.png").write_bytes(b"")
    run = image_folder.parent / "a" / "b"
    assert cli("train", image_folder, "--out", run, "-q").code == 3
    assert not (image_folder.parent / "a").exists()
    (image_folder.parent / "a").mkdir()
    assert cli("train", image_folder, "--out", run, "-q").code == 3
    assert list((image_folder.parent / "a").iterdir()) == []


def test_the_end_of_a_process_releases_the_folder(tmp_path: Path) -> None:
    run, data = tmp_path / "run", tmp_path / "data"
    program = (
        "import os, pathlib\nfrom cnncli.training.run_lock import claim_run_folder\n"
        f"with claim_run_folder(pathlib.Path({str(run)!r}), pathlib.Path({str(data)!r}), replace=True):\n"
        "    print(flush=True)\n    input()\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (run / "settings.json").touch()
        with pytest.raises(UsageError, match="is being written by another training"):
            enter(run, data)
        process.kill()
        process.wait()
        enter(run, data)


def enter(run: Path, data: Path) -> None:
    with claim_run_folder(run, data, replace=True):
        pass


@pytest.mark.slow
def test_trainings_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cnncli", "train", str(SAMPLE_DATA / "fashion"), "--epochs", "2", "-q"]

    def start(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen([*command, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    trainings = [start() for _ in range(4)]
    assert [process.communicate()[1] for process in trainings] == [""] * 4
    assert [process.returncode for process in trainings] == [0] * 4
    runs = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert runs == ["fashion", "fashion-2", "fashion-3", "fashion-4"]
    same = [start("--out", "runs/fashion", "--force", "--seed", str(seed)) for seed in range(3)]
    told = [process.communicate()[1] for process in same]
    assert sorted(process.returncode for process in same)[0] == 0
    for process, err in zip(same, told, strict=True):
        assert process.returncode in (0, 2)
        assert (process.returncode == 2) == ("is being written by another training" in err)
    first, second = ({path.name for path in (tmp_path / "runs" / name).iterdir()} for name in runs[:2])
    assert first == second
