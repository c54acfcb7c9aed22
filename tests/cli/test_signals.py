"""Signals that stop the program: the exit code, and one sentence, in every phase."""

import signal
import subprocess
import sys

import pytest

from cnncli import stopping
from cnncli.errors import Stopped
from tests.conftest import PATIENCE, SAMPLE_DATA

EACH = pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])

START = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # the background job of a shell ignores it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and what nohup starts, this

def send(name):
    os.kill(os.getpid(), getattr(signal, name))

sys.argv = ["cnncli", "train", {data!r}]
"""
WHILE_IMPORTING = """
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            try:
                send({name!r})
                for _ in range(1000):
                    time.sleep(0.001)
            except BaseException:
                raise ImportError("the extension could not be initialised")

sys.meta_path.insert(0, Finder())
from cnncli.cli import main
main()
"""
WHILE_WORKING = """
from cnncli.cli import main, signals
from cnncli import api
signals.CLEANING = {cleaning}

def train(*arguments, **settings):
    try:
        send({name!r})
        time.sleep({patience})
    finally:
        {again}

api.train = train
main()
"""


def run_program(text: str, **values: object) -> "subprocess.CompletedProcess[str]":
    program = (START + text).format(data=str(SAMPLE_DATA / "fashion"), patience=PATIENCE, **values)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


@EACH
@pytest.mark.parametrize("module", ["typer", "numpy", "cnncli.training.run"])
def test_a_signal_while_modules_are_imported(module: str, name: str, code: int) -> None:
    done = run_program(WHILE_IMPORTING, module=module, name=name)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"Error: stopped by {name}\n")


@EACH
def test_further_signals_leave_the_cleaning_up_alone(name: str, code: int) -> None:
    done = run_program(WHILE_WORKING, name=name, cleaning=PATIENCE, again=f"send('SIGINT'); send({name!r})")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"Error: stopped by {name}\n")


def test_cleaning_up_that_takes_long_is_cut_short_by_another_signal() -> None:
    done = run_program(
        WHILE_WORKING, name="SIGTERM", cleaning=0, again=f"time.sleep(0.01); send('SIGINT'); time.sleep({PATIENCE})"
    )
    assert (done.returncode, done.stderr) == (130, "Error: stopped by SIGINT\n")


SWALLOWED = """
from cnncli.cli import main, signals
from cnncli import api
signals.LOST = 0.05

def train(*arguments, **settings):
    for times in range(3):
        try:
            send("SIGTERM") if times == 0 else None
            time.sleep({patience})
        except BaseException:
            pass
    time.sleep({patience})

api.train = train
main()
"""


def test_what_others_swallow_comes_again_until_it_arrives() -> None:
    done = run_program(SWALLOWED)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "Error: stopped by SIGTERM\n")


def test_a_signal_that_the_caller_has_ignored_stays_ignored() -> None:
    ignored = "signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup\n"
    done = run_program(ignored + WHILE_WORKING.replace("time.sleep", "print"), name="SIGHUP", cleaning=1, again="pass")
    assert "stopped" not in done.stderr
    assert str(PATIENCE) in done.stdout


def receive_twice() -> None:
    with stopping.deferred():
        assert stopping.pending() is None
        stopping.stop(Stopped("first", 130))
        assert str(stopping.pending()) == "first"
        stopping.stop(Stopped("second", 130))


def receive_and_fail(error: type[Exception] | None) -> None:
    with stopping.deferred():
        stopping.stop(Stopped("first", 130))
        if error:
            raise error


def test_a_deferred_signal_waits_for_the_safe_point_and_a_second_one_does_not() -> None:
    with pytest.raises(Stopped, match="first"):
        receive_and_fail(None)
    with pytest.raises(Stopped, match="second"):
        receive_twice()
    with pytest.raises(Stopped, match="outside"):
        stopping.stop(Stopped("outside", 130))


def test_an_error_within_a_deferred_block_is_not_replaced() -> None:
    with pytest.raises(ZeroDivisionError):
        receive_and_fail(ZeroDivisionError)
    assert stopping.pending() is None


def test_the_program_itself_leaves_the_handlers_of_a_library_user_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    import cnncli

    assert cnncli.trace().subject is not None
    assert signal.getsignal(signal.SIGINT) is before
