"""The hammer itself: what it draws can be repeated, what breaks is told, and what it found stays fixed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.conftest import PATIENCE
from tools.hammering import options, pool, subjects
from tools.hammering.frame import CODE, HANG, Outcome, Problem, randomness
from tools.hammering.inside import Case, run_inside
from tools.hammering.report import Report
from tools.hammering.subjects import SUBJECTS, load

WORK = pool._work
HAMMER = Path(__file__).parent.parent / "tools" / "hammer.py"


class Bad:
    """A subject whose cases hang, die, or go well, by their number."""

    def __init__(self, _base: Path) -> None:
        pass

    def run(self, random: Random, folder: Path) -> Outcome:
        number = int(folder.name.removeprefix("case"))
        if number == 1:
            time.sleep(600)
        if number == 2:
            os._exit(9)
        return Outcome(str(random.random()))


def test_a_worker_that_hangs_or_dies_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(subjects.SUBJECTS, "bad", "Bad")
    monkeypatch.setattr(pool, "LONGEST_IDLE", 2.0)
    monkeypatch.setattr(pool, "_work", work_badly)
    outcomes = dict(pool.run_cases("bad", 7, range(4), jobs=1))
    assert sorted(outcomes) == [0, 1, 2, 3]
    assert [problem.kind for problem in outcomes[1].problems] == [HANG]
    assert [problem.kind for problem in outcomes[2].problems] == [CODE]
    assert not outcomes[0].problems
    assert not outcomes[3].problems
    again = dict(pool.run_cases("bad", 7, range(3, 4), jobs=1))
    assert again[3].description == outcomes[3].description


def work_badly(*arguments: object) -> None:
    """In the worker, a fresh process that knows nothing of what was patched here."""
    vars(pool)["load"] = lambda _: Bad
    WORK(*arguments)  # type: ignore[arg-type]


def test_what_a_command_leaves_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    arguments = ["trace", "--format", "json", "-o", "left.json"]
    before = Path.cwd()
    try:
        left = run_inside(Case("", arguments), folder)
        declared = run_inside(Case("", [*arguments, "--force"], outputs=["left.json"]), folder)
        refused = run_inside(Case("", arguments, codes=(0,)), folder)
    finally:
        os.chdir(before)
    assert [problem.detail for problem in left.problems] == ["'left.json' is new"]
    assert not declared.problems
    assert [(problem.kind, problem.detail[:2]) for problem in refused.problems] == [(CODE, "2:")]


def test_the_report_repeats_each_failure() -> None:
    report = Report("images", 5)
    report.add(3, Outcome("good", 0))
    report.add(8, refused := Outcome("bad", 1, problems=[Problem(CODE, "1: no")]))
    text = report.text(1.0)
    assert "python tools/hammer.py images --only 5:8" in text
    assert "2 inputs in 2 runs, seed 5" in text
    assert "1 wrong exit codes" in text
    assert refused.description in text


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name != "kills"])
def test_a_few_cases_of_each_subject(name: str, tmp_path: Path) -> None:
    subject = load(name)(tmp_path)
    before = Path.cwd()
    try:
        for number in range(12):
            folder = tmp_path / f"case{number}"
            folder.mkdir()
            outcome = subject.run(randomness(name, 0, number), folder)
            assert not outcome.problems, (number, outcome)
    finally:
        os.chdir(before)


def test_what_an_option_names_may_be_replaced_with_force_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["evaluate", "data", "-m", "model", "--output", "x.csv"]
    monkeypatch.setattr(options, "_draw", lambda *_: words[1:])
    subject = options.Options(tmp_path)
    subject._commands = {"evaluate": subject._commands["evaluate"]}
    monkeypatch.chdir(tmp_path)
    for forced, code in ((["--force"], 0), ([], 2)):
        words[6:] = forced
        folder = tmp_path / f"case{code}"
        folder.mkdir()
        outcome = subject.run(randomness("options", 0, 0), folder)
        assert (outcome.code, outcome.problems) == (code, [])


@pytest.mark.slow
def test_a_hammer_that_is_stopped_reports(tmp_path: Path) -> None:
    command = [sys.executable, str(HAMMER), "numbers", "--jobs", "1"]
    environ = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as hammer:
        while not any(tmp_path.glob("hammer-*/case*")):
            assert hammer.poll() is None
            time.sleep(0.01)
        hammer.terminate()
        out, err = hammer.communicate(timeout=PATIENCE)
    assert hammer.returncode == 1
    assert out.splitlines()[0] == "stopped: so far"
    assert "tracebacks" in out
    assert not err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process does not end with its parent")
def test_a_hammer_whose_processes_are_killed_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, str(HAMMER), "kills", "--jobs", "1", "--first", "2"]
    environ = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ) as hammer:
        while not any("cnncli\0train" in line for line in find_processes(tmp_path).values()):
            assert hammer.poll() is None
            time.sleep(0.01)
        for process, line in find_processes(tmp_path).items():
            if "cnncli\0train" not in line:
                os.kill(process, signal.SIGKILL)
    end = time.monotonic() + PATIENCE
    while left := find_processes(tmp_path):
        assert time.monotonic() < end, left
        time.sleep(0.01)


def find_processes(folder: Path) -> dict[int, str]:
    """The command lines of the processes that have a folder in their environment, by their numbers."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "cmdline").read_text()
    return found


@pytest.mark.slow
def test_a_few_kills(tmp_path: Path) -> None:
    subject = load("kills")(tmp_path)
    for number in range(20):
        folder = tmp_path / f"case{number}"
        folder.mkdir()
        outcome = subject.run(randomness("kills", 0, number), folder)
        assert not outcome.problems, (number, outcome)
