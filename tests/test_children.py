"""The one way to start a child: what it may import, how it ends, and what is told of its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnncli import children
from cnncli.children import Child, ChildEnded
from tests.conftest import PATIENCE

DECODER = ("cnncli.data.decoder", "1000000")


def is_running(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(process: int) -> None:
    end = time.monotonic() + PATIENCE
    while is_running(process):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_child_answers_and_ends_with_its_input() -> None:
    child = Child(*DECODER)
    assert child.receive() == b"ready"
    child._input.close()
    assert child._process.wait(PATIENCE) == 0
    child.stop()


def test_a_child_that_is_stopped_is_gone() -> None:
    child = Child(*DECODER)
    child.receive()
    child.stop()
    assert not is_running(child._process.pid)
    with pytest.raises(ChildEnded, match="was ended by SIGKILL"):
        child.send(b"a thread that does not know it yet")
    with pytest.raises(ChildEnded, match="was ended by SIGKILL"):
        child.receive()


def test_how_a_child_ended_is_told() -> None:
    child = Child(*DECODER)
    child.receive()
    child._process.kill()
    with pytest.raises(ChildEnded, match="was ended by SIGKILL"):
        child.receive()
    child.stop()
    child = Child("cnncli.no_such_module")
    with pytest.raises(ChildEnded, match="ended with exit code 1"):
        child.receive()
    child.stop()


PARENT = """
import signal, sys, time
from cnncli.children import Child
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored
child = Child("cnncli.data.decoder", "1000000")
child.receive()
print(child._process.pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child ends when it next reads its input")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_child_ends_with_its_parent(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.send_signal(number)
        parent.wait()
        wait_for_end(child)


def test_what_is_sent_to_the_group_of_the_parent_does_not_reach_a_child() -> None:
    child = Child(*DECODER)
    child.receive()
    assert os.getpgid(child._process.pid) != os.getpgid(0)
    child.stop()


PROGRAM = Path(sys.executable).with_name("cnncli")


def test_programs_in_the_working_folder_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All names for the program; for `python -m` those that Python does not itself import before our first line."""
    others = {"numpy", "PIL", "typer", "rich", "safetensors", "threadpoolctl"}
    ours = {"json", "typing", "signal", "threading", "subprocess", "pickle", "tempfile", "inspect", "ctypes", "struct"}
    every = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    for name in others | (every if PROGRAM.exists() else ours):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'RAN')!r}, 'a').write({name!r} + ' ')")
    (tmp_path / "mine.py").write_text(
        "import json\nimport numpy as np\ndef relu_backward(Z, dL_dA):\n    return dL_dA * (Z > 0)\n"
    )
    monkeypatch.chdir(tmp_path)
    child = Child(*DECODER)
    assert child.receive() == b"ready"
    child.stop()
    if PROGRAM.exists():
        for arguments in ("gradcheck --code mine.py", "trace --only L"):
            done = subprocess.run([PROGRAM, *arguments.split()], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        for name in every - ours:
            (tmp_path / f"{name}.py").unlink()
    command = [sys.executable, "-m", "cnncli", "trace", "--only", "L"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert not (tmp_path / "RAN").exists()


def test_no_message_is_half_a_message(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    with path.open("wb") as file:
        children.write_message(file, b"whole")
        file.write((100).to_bytes(8, "little") + b"half")
    with path.open("rb") as file:
        assert children.read_message(file) == b"whole"
        assert children.read_message(file) is None
        assert children.read_message(file) is None
