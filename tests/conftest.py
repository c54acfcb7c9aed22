"""What many tests share: running the command line as a user does, and small image folders."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # two test processes on two cores; read when NumPy is loaded

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from cnncli.cli import main
from cnncli.data.normalisation import Normalisation
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.initialisation import he_normal

ROOT = Path(__file__).parent.parent
SAMPLE_DATA = ROOT / "sample_data"
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 300  # seconds to wait for what is certain to come, however busy the machine

pytest_plugins = ["tests.browser"]

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and its children too

settings.register_profile("cnncli", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("cnncli")


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line of an error: nothing on stdout, no traceback, no second line."""
        assert self.out == ""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


Cli = Callable[..., Result]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run `cnncli ARGUMENTS` in this process: cli("train", folder, "--epochs", 3)."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*arguments: object) -> Result:
        handlers = {number: signal.getsignal(number) for number in STOPPING}
        try:
            return run_once(*arguments)
        finally:  # at its end the program ignores what would stop it
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def run_once(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["cnncli", *map(os.fspath, map(str, arguments))])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def write_image(path: Path, height: int = 8, width: int = 8, *, seed: int = 0, colour: bool = False) -> Path:
    """Write a PNG of random pixels."""
    shape = (height, width, 3) if colour else (height, width)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Two classes of six 8×8 gray images: "dark" and "light"."""
    random = np.random.default_rng(0)
    for name, low, high in (("dark", 0, 128), ("light", 128, 256)):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for number in range(6):
            Image.fromarray(random.integers(low, high, (8, 8), dtype=np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "images"


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """An untrained model for 8×8 gray images of the classes dark and light."""
    architecture = Architecture(8, 8, filters=(2,))
    path = tmp_path / "model.safetensors"
    Model(architecture, ("dark", "light"), Normalisation.none(1), he_normal(architecture, 0)).save(path)
    return path
