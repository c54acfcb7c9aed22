"""cnncli train --threads, and pixels that do not fit into memory."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
    monkeypatch.setattr("cnncli.data.storage.physical_memory", lambda: 0)
    done = cli("train", many_images, "--out", tmp_path / "file", "--epochs", 1)
    assert done.code == 0, done.err
    files = [sorted(path.name for path in (tmp_path / run).iterdir()) for run in ("memory", "file")]
    assert files[0] == files[1]
    assert files[0] == ["history.csv", "last.safetensors", "model.safetensors", "settings.json", "split.csv"]
    models = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("memory", "file")]
    assert models[0] == models[1]
