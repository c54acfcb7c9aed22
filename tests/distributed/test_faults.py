"""Whatever happens to a rank, all end soon, with one sentence and a code, and the training can be gone on with."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cnncli.distributed import launch
from cnncli.training.checkpoint import LAST, read_checkpoint
from tests.conftest import PATIENCE, SAMPLE_DATA, Cli, Result, write_image
from tests.distributed.ranks import TRAIN, finish, needs_mpiexec, program, run, start
from tests.training.test_resume import files

DATA = SAMPLE_DATA / "fashion"
LONG, SHORT = (("--epochs", epochs, "--seed", 5) for epochs in (15, 4))
FAILING = """
import sys
from cnncli.training.loop import Loop
prepare, steps = Loop._prepare, iter(range(1_000_000))
def fail(*arguments):
    if next(steps) == 20:
        raise {error}
    return prepare(*arguments)
Loop._prepare = fail
from cnncli.cli import main
main()
"""
PAUSING = """
import time
from cnncli import stopping
from cnncli.training.loop import Loop
take = Loop._take_step
def wait_and_take(loop, *arguments):
    while len(loop.state.history) == 2 and loop.state.tally.steps == 5 and not stopping.pending():
        time.sleep(0.01)
    return take(loop, *arguments)
Loop._take_step = wait_and_take
from cnncli.cli import main
main()
"""
PATIENT = """
from cnncli.distributed import mpi
mpi.LINGER = {patience}
from cnncli.cli import main
main()
"""
MEMORY = "the memory does not suffice: use smaller images, fewer filters or a smaller batch"


def failing(error: str, *arguments: object) -> list[str]:
    """The command of a rank in which an error is raised after some steps."""
    return [sys.executable, "-c", FAILING.format(error=error), *map(str, arguments)]


def pausing(*arguments: object) -> list[str]:
    """The command of a rank that goes no further than to the middle of the third epoch until a signal comes."""
    return [sys.executable, "-c", PAUSING, *map(str, arguments)]


def patient(*arguments: object) -> list[str]:
    """The command of a rank that waits for the others, however long they take to start, when it has failed."""
    return [sys.executable, "-c", PATIENT.format(patience=PATIENCE), *map(str, arguments)]


def resume(out: Path, *settings: object) -> list[bytes]:
    """Go on with 2 ranks to the end."""
    done = run(2, "train", DATA, "--out", out, "--resume", *settings)
    assert done.code == 0, done.err
    return files(out)


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_epochs(out: Path, epochs: int) -> None:
    history = out / "history.csv"
    wait_until(lambda: history.exists() and history.read_text().count("\n") > epochs)


def find_ranks(out: Path) -> list[int]:
    """The processes that train into a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(out) in words and not any(word.endswith(b"mpiexec") for word in words):
            found.append(int(process.name))
    return sorted(found)


@needs_mpiexec
@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        ("MemoryError", MEMORY, 1),
        pytest.param("ZeroDivisionError('by zero')", "ZeroDivisionError: by zero", 1, marks=pytest.mark.slow),
    ],
)
def test_a_rank_that_fails_ends_all_and_the_run_goes_on(error: str, sentence: str, code: int, tmp_path: Path) -> None:
    arguments = ("train", DATA, "--out", tmp_path / "run", *LONG)
    done = run(1, *arguments, segments=(failing(error, *arguments),))
    assert done.code == code
    (told,) = (line for line in done.err.splitlines() if line.startswith("Error:"))
    assert told.startswith("Error: rank 1 on ")
    assert told.endswith(sentence)
    assert ("Traceback" in done.err) == (error != "MemoryError")
    whole = run(0, "train", DATA, "--out", tmp_path / "whole", *LONG)
    assert whole.code == 0
    assert resume(tmp_path / "run") == files(tmp_path / "whole")


@needs_mpiexec
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds the ranks in /proc")
@pytest.mark.parametrize("which", [-1, pytest.param(0, marks=pytest.mark.slow)])
def test_a_rank_that_is_killed_ends_all_and_the_run_goes_on(which: int, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(3, "train", DATA, "--out", out, *SHORT, program=pausing)
    wait_for_epochs(out, 2)
    os.kill(find_ranks(out)[which], signal.SIGKILL)
    assert finish(process).code != 0
    wait_until(lambda: not find_ranks(out))
    assert run(0, "train", DATA, "--out", tmp_path / "whole", *SHORT).code == 0
    assert resume(out) == files(tmp_path / "whole")


@needs_mpiexec
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_mpiexec_leaves_a_checkpoint_of_the_moment(number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = start(3, "train", DATA, "--out", out, *SHORT, program=pausing)
    wait_for_epochs(out, 2)
    before = read_checkpoint(out / LAST).state.optimiser.steps
    process.send_signal(number)
    done = finish(process)
    assert done.code == 128 + number
    assert "Error: stopped after" in done.err
    assert done.err.count("Error") == 1
    assert read_checkpoint(out / LAST).state.optimiser.steps > before
    assert run(0, "train", DATA, "--out", tmp_path / "whole", *SHORT).code == 0
    assert resume(out) == files(tmp_path / "whole")


@needs_mpiexec
def test_ranks_with_other_images_are_found_at_the_start(tmp_path: Path) -> None:
    for name in ("one", "two"):
        for number in range(4):
            write_image(tmp_path / name / "ab"[number % 2] / f"{number}.png", seed=number)
    command = ("--out", tmp_path / "run", *TRAIN)
    (tmp_path / "two" / "a" / "0.png").write_bytes(b"something else")
    other = program("train", tmp_path / "two", *command)
    done = run(1, "train", tmp_path / "one", *command, segments=(other,))
    assert done.code == 3
    assert done.sentence.startswith("Error: rank 1 on ")
    assert " has other sizes of image files than rank 0 on " in done.sentence
    (tmp_path / "two" / "a" / "0.png").unlink()
    assert "has other image files than" in run(1, "train", tmp_path / "one", *command, segments=(other,)).sentence
    assert not (tmp_path / "run").exists()


@needs_mpiexec
@pytest.mark.slow
def test_ranks_with_other_settings_are_found_at_the_start(tmp_path: Path) -> None:
    command = ("train", DATA, "--out", tmp_path / "run")
    done = run(1, *command, "--epochs", 2, segments=(program(*command, "--epochs", 3),))
    assert done.code == 3
    assert " has other settings than rank 0 on " in done.sentence


@needs_mpiexec
@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranks", "arguments"),
    [(2, ("train", "nothing-here")), (3, ("train", DATA, "--epochs", 0)), (17, ("train", DATA)), (2, ("nonsense",))],
)
def test_what_is_refused_is_one_sentence_however_many_ranks_say_it(ranks: int, arguments: tuple[object, ...]) -> None:
    done = run(ranks, *arguments, program=patient)
    assert done.code in (2, 3)
    assert "rank 0" not in done.sentence
    if ranks != 17:
        assert done == run(0, *arguments)


@needs_mpiexec
@pytest.mark.slow
def test_without_mpi4py_a_rank_says_what_to_install(tmp_path: Path) -> None:
    package = tmp_path / "mpi4py"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('No module named mpi4py')")
    done = finish(start(2, "info", env=os.environ | {"PYTHONPATH": str(tmp_path)}))
    assert done.code == 2
    (sentence,) = {line for line in done.err.splitlines() if line.startswith("Error")}
    assert sentence.endswith("(No module named mpi4py): install cnncli[mpi]")


def test_a_rank_without_mpi_says_what_to_install(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.delitem(sys.modules, "cnncli.distributed.mpi", raising=False)
    done: Result = cli("info")
    assert done.code == 2
    assert done.sentence.endswith("install cnncli[mpi]")
    assert launch.world().size == 1


def test_a_command_that_is_not_a_rank_imports_nothing_of_mpi(tmp_path: Path) -> None:
    from tests.cli.test_startup import imported

    modules = imported("evaluate", tmp_path, "-m", tmp_path)
    assert not {name for name in modules if name.startswith(("mpi4py", "cnncli.distributed.mpi"))}
