"""No program in the current folder, in DATA or beside a model is ever run, whatever it is called."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import write_image

PROGRAM = Path(sys.executable).with_name("cnncli")
MODULES = {
    *(name for name in sys.stdlib_module_names if not name.startswith("_")),
    *("sitecustomize", "usercustomize", "conftest", "cnncli", "typer", "rich", "click", "colorama", "packaging"),
    *("numpy", "PIL", "safetensors", "threadpoolctl", "scipy", "torch", "onnx", "onnxruntime", "mpi4py", "pytest"),
}
PROGRAMS = ("cc", "gcc", "clang", "ld", "ldconfig", "objdump", "python", "python3", "uname", "lscpu", "nproc", "git")
COMMANDS = [
    "train DATA --epochs 1 --out run",
    "train DATA --epochs 1 --resume --out MODEL",
    "train DATA --epochs 1 --init MODEL --out other --engine numpy --image-size 8",
    "predict DATA -m MODEL",
    "predict DATA -m MODEL --saliency why --threads 2",
    "evaluate DATA -m MODEL -o report.html",
    "export -m MODEL -o model.py",
    "export -m MODEL -o model.html",
    "info -m MODEL",
    "trace DATA/dark/0.png -m MODEL",
    "trace -o page.html",
    "trace --picture picture.png",
    "gradcheck DATA/dark/0.png -m MODEL --sample 2",
    "gradcheck --code mine.py",
    "gradcheck --self-test",
    "--help",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data with a run trained on it and a file for --code, and after that the programs, in every folder."""
    folder = tmp_path_factory.mktemp("planted")
    for number in range(12):
        write_image(folder / "data" / ("dark", "light")[number % 2] / f"{number // 2}.png", seed=number)
    train = [str(PROGRAM), "train", "data", "--epochs", "1", "--out", "model"]
    assert subprocess.run(train, cwd=folder, capture_output=True, check=False).returncode == 0
    (folder / "mine.py").write_text("def relu_backward(Z, dL_dA):\n    return dL_dA * (Z > 0)\n")
    for place in (folder, folder / "data", folder / "data" / "dark", folder / "model"):
        for name in MODULES:
            (place / f"{name}.py").write_text(f"open({str(folder / 'RAN')!r}, 'a').write({name + ' '!r})")
        for name in PROGRAMS:
            (place / name).write_text(f"#!/bin/sh\necho {name} >> '{folder / 'RAN'}'")
            (place / name).chmod(0o755)
    subprocess.run([sys.executable, "-c", "import queue"], cwd=folder, check=False)
    (folder / "RAN").unlink()  # the traps work
    return folder


@pytest.mark.skipif(not PROGRAM.exists(), reason="the program is not installed here")
@pytest.mark.parametrize(
    "command", [COMMANDS[0], *(pytest.param(command, marks=pytest.mark.slow) for command in COMMANDS[1:])]
)
def test_no_planted_program_is_run(folder: Path, command: str) -> None:
    arguments = command.replace("DATA", "data").replace("MODEL", "model").split()
    done = subprocess.run([str(PROGRAM), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    ran = (folder / "RAN").read_text() if (folder / "RAN").exists() else ""
    assert (done.returncode, ran) == (0, ""), done.stderr
