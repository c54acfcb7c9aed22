"""cnncli train --threads, and pixels that do not fit into memory."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncli.network.architecture import Architecture
from cnncli.network.engines import choose_engine
from tests.conftest import Cli


@pytest.fixture
def many_images(tmp_path: Path) -> Path:
    """Enough images for several chunks in a batch."""
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "many" / name).mkdir(parents=True)
        for number in range(60):
            Image.fromarray(random.integers(0, 256, (12, 12), np.uint8)).save(
                tmp_path / "many" / name / f"{number}.png"
            )
    return tmp_path / "many"


def test_the_model_is_the_same_for_any_number_of_threads(cli: Cli, many_images: Path, tmp_path: Path) -> None:
    models = []
    for threads in (1, 2, 3):
        run = tmp_path / f"run{threads}"
        done = cli("train", many_images, "--out", run, "--epochs", 2, "--batch-size", 96, "--threads", threads)
        assert done.code == 0, done.err
        models.append((run / "model.safetensors").read_bytes())
        assert "threads" not in (run / "settings.json").read_text()
    assert models[0] == models[1] == models[2]


def test_no_thread_is_refused(cli: Cli, many_images: Path) -> None:
    done = cli("train", many_images, "--threads", 0)
    assert done.code == 2
    assert "--threads" in done.err


def test_pixels_in_a_file_train_the_same_model_and_leave_no_file(
    cli: Cli, many_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("train", many_images, "--out", tmp_path / "memory", "--epochs", 1).code == 0
    monkeypatch.setattr("cnncli.data.storage.SHARE_OF_MEMORY", 0)
    done = cli("train", many_images, "--out", tmp_path / "file", "--epochs", 1)
    assert done.code == 0, done.err
    files = [sorted(path.name for path in (tmp_path / run).iterdir()) for run in ("memory", "file")]
    assert files[0] == files[1]
    assert files[0] == [
        "history.csv",
        "last.safetensors",
        "model.safetensors",
        "report.html",
        "settings.json",
        "split.csv",
    ]
    models = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("memory", "file")]
    assert models[0] == models[1]


@pytest.mark.parametrize("engine", ["numpy", "textbook"])
def test_the_engine_that_is_chosen_trains_and_is_named(
    cli: Cli, many_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    done = cli("train", many_images, "--out", tmp_path / "a", "--epochs", 1, "--engine", engine)
    assert done.code == 0, done.err
    assert f"engine: {engine}" in done.out
    settings = json.loads((tmp_path / "a" / "settings.json").read_text())
    assert (settings["engine"], settings["engine_used"]) == (engine, engine)
    monkeypatch.setenv("CNNCLI_ENGINE", engine)
    done = cli("train", many_images, "--out", tmp_path / "b", "--epochs", 1)
    assert f"engine: {engine}" in done.out
    assert f"engine: {engine}" in cli("info", "-m", tmp_path / "b").out
    assert json.loads(cli("gradcheck", "--format", "json").out)["engine"]["name"] == f"{engine} engine"
    models = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("a", "b")]
    assert models[0] == models[1]


def test_the_run_tells_which_engine_trained_it_last(
    cli: Cli, many_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settings(run: Path) -> tuple[str, str]:
        told = json.loads((run / "settings.json").read_text())
        return told["engine"], told["engine_used"]

    run = tmp_path / "run"
    assert cli("train", many_images, "--out", run, "--epochs", 1).code == 0
    best = choose_engine(Architecture(12, 12)).description
    assert settings(run) == ("auto", best)
    monkeypatch.setenv("CNNCLI_ENGINE", "numpy")
    assert cli("train", many_images, "--out", run, "--epochs", 2, "--resume").code == 0
    assert settings(run) == ("auto", "numpy")
    monkeypatch.setenv("CNNCLI_ENGINE", "textbook")
    again = cli("train", many_images, "--out", tmp_path / "again", "--config", run / "settings.json")
    assert again.code == 0, again.err
    assert settings(tmp_path / "again") == ("auto", "textbook")


def test_without_a_compiled_kernel_numpy_trains_and_says_why(
    cli: Cli, many_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("compiled.engine", "engines"):
        monkeypatch.setattr(f"cnncli.network.{module}.load_library", lambda: None)
    done = cli("train", many_images, "--out", tmp_path / "run", "--epochs", 1)
    assert done.code == 0, done.err
    assert "engine: numpy; this installation has no compiled kernel: install a C compiler" in done.out
    refused = cli("train", many_images, "--out", tmp_path / "none", "--engine", "compiled")
    assert refused.code == 2
    assert "--engine compiled cannot be had: this installation has no compiled kernel" in refused.err


def test_an_engine_that_is_none_or_does_not_take_the_network(
    cli: Cli, many_images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cli("train", many_images, "--pooling", "average", "--engine", "numpy")
    assert done.code == 2
    assert "--engine numpy cannot be had: the numpy engine does not take this network" in done.err
    monkeypatch.setenv("CNNCLI_ENGINE", "fastest")
    done = cli("gradcheck")
    assert done.code == 2
    assert "CNNCLI_ENGINE is 'fastest'; it is one of auto, compiled, numpy, textbook" in done.err
