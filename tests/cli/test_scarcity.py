"""What a machine lacks: disk, memory, files, processes, streams, a home, an encoding, a folder that can be written to.

One sentence with its exit code, or it does without; nothing is left that is half a file.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnncli.model import load_model
from tests.conftest import Result

resource = pytest.importorskip("resource", reason="Windows has no such limits")

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `cnncli ARGUMENTS` as a process, with what is to be done in it first, and in which environment."""

    def run_process(
        *arguments: object, first: Callable[[], object] | None = None, environment: dict[str, str] | None = None
    ) -> Result:
        given = os.environ if environment is None else environment
        done = subprocess.run(
            [sys.executable, "-m", "cnncli", *map(str, arguments)],
            cwd=tmp_path,
            env=given | {"PYTHONDONTWRITEBYTECODE": "1"},  # Python itself leaves halves of its .pyc files
            preexec_fn=first,
            capture_output=True,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run_process


def limit(what: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(what, (most, most))


def close(*streams: int) -> Callable[[], None]:
    def close_all() -> None:
        for stream in streams:
            os.close(stream)

    return close_all


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Make a disk of a size, "20k"."""
    disk = tmp_path / "disk"
    mount, unmount = (shutil.which(name) for name in ("mount", "umount"))
    if not (mount and unmount and os.geteuid() == 0):
        pytest.skip("only root mounts a small disk")

    def make(size: str) -> Path:
        disk.mkdir()
        if subprocess.run([mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=False).returncode:
            pytest.skip("no disk can be mounted here")
        return disk

    yield make
    subprocess.run([unmount, disk], check=True)


@pytest.mark.parametrize(
    ("size", "left"),
    [
        ("20k", {"settings.json", "model.safetensors"}),
        pytest.param("4k", {"settings.json"}, marks=pytest.mark.slow),
        pytest.param("48k", {"history.csv", "model.safetensors"}, marks=pytest.mark.slow),
    ],
)
def test_a_disk_that_is_full_in_the_middle_of_a_training(
    run: Run, image_folder: Path, small_disk: Callable[[str], Path], size: str, left: set[str]
) -> None:
    folder = small_disk(size) / "run"
    done = run("train", image_folder, "--filters", 16, "--out", folder)
    assert done.code == 3
    expected = f"Error: {folder} cannot be written (No space left on device): name another folder with --out"
    assert done.err == f"{expected}\n"
    names = {path.name for path in folder.iterdir()}
    assert left <= names <= {"settings.json", "split.csv", "last.safetensors", "model.safetensors", "history.csv"}
    assert all(path.stat().st_size for path in folder.iterdir())
    if "model.safetensors" in names:
        load_model(folder)


@pytest.mark.parametrize(
    "command",
    [
        "gradcheck --sample 1 -q --junit x.xml",
        "train IMAGES --out run",
        *(pytest.param(command, marks=pytest.mark.slow) for command in (
            "trace -o x.json", "trace --picture x.png", "export -m MODEL -o x.py", "export -m MODEL -o x.onnx",
            "export -m MODEL -o x.html", "gradcheck --template x.py", "predict IMAGES -m MODEL --saliency new",
            "evaluate IMAGES -m MODEL -o x.html",
        )),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_written_is_not_there(
    run: Run, image_folder: Path, model_file: Path, tmp_path: Path, command: str
) -> None:
    if command.endswith(".onnx"):
        pytest.importorskip("onnx", reason="onnx is not installed: cnncli[onnx]")
    before = set(tmp_path.iterdir())
    done = run(*fill_in(command, image_folder, model_file), first=limit(resource.RLIMIT_FSIZE, 100))
    assert done.code == 3
    assert "(File too large)" in done.sentence
    assert {path for path in tmp_path.iterdir() if not path.is_dir() or any(path.iterdir())} == before


def fill_in(command: str, images: Path, model: Path) -> list[str]:
    return command.replace("IMAGES", str(images)).replace("MODEL", str(model)).split()


@pytest.mark.parametrize(
    "command",
    [
        "train IMAGES --epochs 1 --out run",
        *(
            pytest.param(command, marks=pytest.mark.slow)
            for command in ("predict IMAGES -m MODEL", "gradcheck", "trace")
        ),
    ],
)
def test_too_little_memory_to_begin(run: Run, image_folder: Path, model_file: Path, command: str) -> None:
    done = run(*fill_in(command, image_folder, model_file), first=limit(resource.RLIMIT_AS, 150 << 20))
    assert done.code == 1
    assert re.fullmatch(
        r"Error: the limit of memory \(ulimit -v\) leaves \d+ MB, and 220 MB are needed to begin: raise it",
        done.sentence,
    )
    assert run("--help", first=limit(resource.RLIMIT_AS, 150 << 20)).code == 0


def test_few_files_are_enough_and_fewer_are_told(run: Run, image_folder: Path) -> None:
    for most, code in ((8, 0), (5, 3)):
        train = ("train", image_folder, "--epochs", 1, "--out", f"run{most}")
        done = run(*train, first=limit(resource.RLIMIT_NOFILE, most))
        assert (done.code, "Too many open files" in done.err) == (code, code == 3)


def test_closed_streams_are_done_without(run: Run, image_folder: Path, model_file: Path, tmp_path: Path) -> None:
    train = ("train", image_folder, "--epochs", 1, "--out", tmp_path / "run")
    assert run(*train, first=close(0, 1, 2)) == (0, "", "")
    assert (tmp_path / "run" / "report.html").exists()
    assert run("predict", "-", "-m", model_file, first=close(0)).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("stream", [1, 2])
def test_a_closed_stream_hides_no_failure(run: Run, tmp_path: Path, model_file: Path, stream: int) -> None:
    assert run("predict", tmp_path / "gone.png", "-m", model_file, first=close(stream)).code == 3


def test_neither_a_home_nor_an_encoding_is_needed(run: Run, image_folder: Path) -> None:
    plain = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "HOME": "/nowhere"}
    (image_folder / "dark").rename(image_folder / "dünkel")
    done = run("train", image_folder, "--epochs", 1, "--out", "run", environment=plain)
    assert (done.code, done.err) == (0, "")
    assert "2 classes: d\\xfcnkel, light" in done.out
    done = run("train", image_folder, environment=plain | {"PYTHONUTF8": "0"})  # names are ASCII too
    assert (done.code, "nkel: the name of a class must be readable text" in done.sentence) == (3, True)


def test_a_current_folder_that_is_gone(run: Run, image_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()

    def go_away() -> None:
        os.chdir(tmp_path / "gone")
        Path.cwd().rmdir()

    done = run("train", image_folder, first=go_away)
    assert (done.code, done.sentence) == (3, "Error: the current folder is gone: go to one that is there")


@pytest.mark.skipif(sys.platform != "linux", reason="root writes everywhere, but on Linux it can do without")
@pytest.mark.parametrize("command", ["train IMAGES --out run", pytest.param("trace -o x.json", marks=pytest.mark.slow)])
def test_a_folder_that_nobody_may_write_to(
    run: Run, image_folder: Path, model_file: Path, tmp_path: Path, command: str
) -> None:
    tmp_path.chmod(0o500)
    try:
        done = run(*fill_in(command, image_folder, model_file), first=give_up_privileges)
    finally:
        tmp_path.chmod(0o700)
    assert done.code == 3
    assert "cannot be written (Permission denied)" in done.sentence


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="root reads everything, but on Linux it can do without")
def test_images_that_nobody_may_read(run: Run, image_folder: Path, model_file: Path) -> None:
    secret = image_folder / "dark" / "0.png"
    secret.chmod(0)
    done = run("train", image_folder, first=give_up_privileges)
    assert (done.code, f"({secret}: not allowed to read it)" in done.sentence) == (3, True)
    secret.parent.chmod(0)
    try:
        done = run("evaluate", image_folder, "-m", model_file, first=give_up_privileges)
    finally:
        secret.parent.chmod(0o700)
    assert (done.code, done.sentence) == (3, f"Error: {secret.parent} cannot be read: Permission denied")


def give_up_privileges() -> None:
    """Of root's, those to read and write whatever the modes say."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability)  # PR_CAPBSET_DROP


@pytest.mark.skipif(os.geteuid() == 0, reason="root has no limit of processes")
def test_no_processes_are_done_without(run: Run, image_folder: Path) -> None:
    train = ("train", image_folder, "--epochs", 1, "--out", "run")
    assert run(*train, first=limit(resource.RLIMIT_NPROC, 0)).code == 0
