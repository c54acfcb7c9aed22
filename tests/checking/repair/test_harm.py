"""Versions that nobody has read change nothing outside and are not waited for without an end."""

import subprocess
import sys
from pathlib import Path

import pytest

from cnncli.checking.repair.edits.list import list_edits
from cnncli.checking.repair.source import Source
from cnncli.checking.user_code.checks import check_file
from cnncli.checking.user_code.contract import FUNCTIONS
from cnncli.checking.user_code.layout import Layout
from cnncli.checking.user_code.process import UserProcess
from cnncli.checking.user_code.repairs import find_faults, list_faults
from cnncli.checking.user_code.run import Run
from cnncli.checking.user_code.situations import make_situations
from tests.checking.repair.test_repair import repaired

WRONG = "import numpy as np\n\ndef relu_backward(Z1, dA1):\n    return dA1 * (Z1 < 0)\n"

# What Python tells no audit hook of, with FOLDER in the place of the file's own.
UNTOLD = """
import os
import numpy as np
from multiprocessing.util import spawnv_passfds

SIZE = 0

def make_all():
    for make in (
        lambda: os.mkfifo(FOLDER + "/fifo"),
        lambda: os.mknod(FOLDER + "/node"),
        lambda: spawnv_passfds(b"/bin/sh", [b"sh", b"-c", b"echo > " + FOLDER.encode() + b"/program"], []),
    ):
        try:
            make()
        except OSError:
            pass

def relu_backward(Z1, dA1):
    if dA1.size < SIZE:
        make_all()
    return dA1 * (Z1 < 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="such files there are not")
def test_what_python_tells_nobody_of_is_refused_too(tmp_path: Path) -> None:
    result = repaired(tmp_path, f"FOLDER = {str(tmp_path)!r}\n{UNTOLD}")
    assert result.repair is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py"]


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux'")
def test_what_a_library_writes_in_c_is_refused_by_the_kernel(tmp_path: Path) -> None:
    """OpenSSL opens the file of its keys itself."""
    code = f"""
import os, ssl
from cnncli.checking.user_code.landlock import restrict_process
restricted = restrict_process()
os.environ["SSLKEYLOGFILE"] = {str(tmp_path / "keys")!r}
try:
    ssl.create_default_context()
except OSError:
    pass
print(restricted)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if ended.stdout != "True\n":
        pytest.skip("a kernel without Landlock")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_versions_that_wait_for_ever_are_stopped(tmp_path: Path) -> None:
    code = """
    import threading

    def relu_backward(Z1, dA1):
        if dA1.size < 0:
            threading.Event().wait()
        return dA1 * (Z1 <= -1)
    """
    assert repaired(tmp_path, code, timeout=1).verdict == "FAIL"


@pytest.mark.slow
def test_versions_that_end_the_process_cost_time_like_others(tmp_path: Path) -> None:
    code = """
    import os
    import numpy as np

    def relu_backward(Z1, dA1):
        dZ1 = np.zeros_like(Z1)
        try:
            for m in range(len(Z1)):
                dZ1[m] = np.tan(dA1[m]) * np.exp(Z1[m])
        except Exception:
            os._exit(1)
        return dZ1
    """
    assert repaired(tmp_path, code, timeout=1).verdict == "FAIL"


@pytest.mark.slow
def test_a_constant_that_never_gets_ready_is_passed_over(tmp_path: Path) -> None:
    code = """
    def fill(step):
        x, steps = 0.0, []
        while x < 1:
            x += step
            steps.append(x)
        return steps

    STEPS = fill(0.25)

    def relu_backward(Z1, dA1):
        return dA1 * (Z1 < 0) * (STEPS[0] > 0)
    """
    assert repaired(tmp_path, code).repair is not None


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"\xef\xbb\xbf" + WRONG.encode(), 4, id="a byte order mark", marks=pytest.mark.slow),
        pytest.param(WRONG.replace("\n", "\r\n").encode(), 4, id="CRLF"),
        pytest.param(WRONG.replace("    ", "\t").encode(), 4, id="tabs", marks=pytest.mark.slow),
        pytest.param(("# coding: latin-1\nassert ord('é') == 233\n" + WRONG).encode("latin-1"), 6, id="Latin-1"),
        pytest.param(
            ("# coding: latin-1\nassert len('Ã©') == 2\n" + WRONG).encode("latin-1"),
            6,
            id="like UTF-8",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ("\f\ntext = 'a\x1cb\u2028c'\n\f\n" + WRONG).encode(), 7, id="a form feed", marks=pytest.mark.slow
        ),
        pytest.param(
            b"from __future__ import annotations\n" + WRONG.replace("Z1, dA1)", "Z1: Array, dA1: Array)").encode(),
            5,
            id="annotations of later",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            b"import re\nkept = {'re': re}\n" + WRONG.encode(), 6, id="a module that is kept", marks=pytest.mark.slow
        ),
    ],
)
def test_the_line_is_that_of_the_file_however_it_is_written(tmp_path: Path, content: bytes, line: int) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(content)
    (result,) = check_file(path, 0, "complex-step")
    assert result.repair is not None
    (change,) = result.repair.changes
    assert (change.line, change.after[0].strip()) == (line, "return dA1 * (Z1 > 0)")
    assert path.read_bytes() == content


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edited", "right"),
    [
        ("return dA1 * (Z1 > 0)", True),
        ("assert Z1.shape[1] < 4, 'few channels'\n    return dA1 * (Z1 > 0)", False),
        ("return dA1 * (Z1 > 0) if Z1.shape[1] < 4 else None", False),
        ("return (dA1 * (Z1 > 0),) if Z1.shape[1] < 4 else (None,)", False),
    ],
)
def test_what_is_not_answered_any_more_is_not_right(tmp_path: Path, edited: str, right: bool) -> None:
    path = tmp_path / "mine.py"
    path.write_text(WRONG, encoding="utf-8")
    situations = make_situations(0, 0)
    function = next(function for function in FUNCTIONS if function.name == "relu_backward")
    process = UserProcess(path, 10.0)
    run = Run(path, process, function, Layout.stated({}, path), "complex-step", 0, 10.0, ())
    try:
        run.call_all(situations)
        faults = list_faults(run.list_results())
        left = find_faults(run, situations, faults, WRONG.replace("return dA1 * (Z1 < 0)", edited))
        assert (left is not None and not left.left) is right
    finally:
        run.process.stop()


@pytest.mark.slow
def test_of_one_case_a_repair_must_be_right_in_the_others_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(WRONG.replace("Z1 < 0)", "Z1 < 0) * (2 if len(Z1) == 1 else np.sin(dA1))"), encoding="utf-8")
    (result,) = check_file(path, 0, "complex-step", only="the-notes-example", timeout=2)
    assert result.verdict == "FAIL"
    assert result.repair is None or "np.sin" not in result.repair.changes[0].after[0]


@pytest.mark.slow
def test_what_never_ends_in_other_cases_is_not_right(tmp_path: Path) -> None:
    """It is right in those of the check, whose sizes it knows."""
    path = tmp_path / "mine.py"
    situations = make_situations(0, 0)
    function = next(function for function in FUNCTIONS if function.name == "relu_backward")
    path.write_text(WRONG, encoding="utf-8")
    process = UserProcess(path, 10.0)
    run = Run(path, process, function, Layout.stated({}, path), "complex-step", 0, 10.0, ())
    try:
        run.call_all(situations)
        sizes = {case.gradient.shape for case in run.cases}
        assert any(case.gradient.shape not in sizes for case, _ in run.call_fresh(0))
        edited = WRONG.replace("    return dA1 * (Z1 < 0)", f"    while dA1.shape not in {sizes!r}:\n        pass\n")
        edited += "    return dA1 * (Z1 > 0)\n"
        run.timeout = 2.0
        assert find_faults(run, situations, list_faults(run.list_results()), edited)
    finally:
        run.process.stop()


def test_of_a_function_that_is_very_long_fewer_edits_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"    if s > {i}:\n        s = s * {i} - {i}\n" for i in range(20))
    source = Source(f"def relu_backward(Z1, dA1):\n    s = 0\n{lines}    return dA1 * (Z1 < 0) + s\n")
    complete = list_edits(source)
    monkeypatch.setattr("cnncli.checking.repair.edits.list.MOST_WRITTEN", 200_000)
    limited = list_edits(source)
    assert limited == complete[: len(limited)]
    assert 0 < len(limited) < len(complete)
