"""The program killed: at random moments and in every phase, by every signal, alone or with its group, once or twice.

From our first line on, that is: until then Python itself answers, with a traceback for SIGINT.
"""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from cnncli.children import end_with_parent
from tools.hammering.frame import CODE, FILES, HANG, PROCESSES, TRACEBACK, Outcome, Problem
from tools.hammering.real import CLASSES, write_model

IMAGES = 500  # in each class; large ones, so that helpers are started
SIDE = 900
LONGEST = 60  # seconds from the signal to the end, on a machine as busy as can be
GRACE = 6000  # hundredths of a second in which the children of a killed program must be gone: one that stays, stays
MARK = "CNNCLI_HAMMER"  # in the environment of the program and of whatever it starts
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")
ENDLESS = "def relu_backward(Z, dL_dA):\n    while True:\n        pass\n"

TRAIN = "train {data} --out run --image-size 16 --epochs 100000 --filters 4"
COMMANDS = {  # with the phases in which each can be killed
    TRAIN: ("imports", "any", "helpers", "epochs", "writing"),
    "predict {data} -m {model} --format csv": ("imports", "any", "helpers"),
    "gradcheck --code {code}": ("imports", "helpers"),
}


class Kills:
    """One killed program a case."""

    def __init__(self, base: Path) -> None:
        ramp = np.add.outer(np.arange(SIDE), np.arange(SIDE))
        for place, name in enumerate(CLASSES):
            folder = base / "data" / name
            folder.mkdir(parents=True)
            Image.fromarray((ramp * (place + 1) % 256).astype(np.uint8)).save(folder / "0.jpg")
            for number in range(1, IMAGES):
                os.link(folder / "0.jpg", folder / f"{number}.jpg")
        (base / "endless.py").write_text(ENDLESS)
        model = write_model(base / "model.safetensors")
        self._places = {"data": base / "data", "model": model, "code": base / "endless.py"}

    def run(self, random: Random, folder: Path) -> Outcome:
        """Start a command, wait for its phase and a moment, kill it, and look at what is left."""
        command = random.choices(list(COMMANDS), (4, 2, 1))[0]
        phase, name = random.choice(COMMANDS[command]), random.choice(SIGNALS)
        number, group, again = getattr(signal, name), random.random() < 0.5, random.random() < 0.4
        moment = random.uniform(0, {"imports": 0.4, "any": 3.0}.get(phase, 0.3))
        told = f"{command.split()[0]}, {phase} + {moment:.3f} s, {name} {'to the group' if group else ''}"
        program = Program(command.format(**self._places).split(), folder)
        try:
            program.wait_for(phase)
            time.sleep(moment)
            program.send(number, group=group)
            start = time.monotonic()
            if again:
                time.sleep(random.uniform(0, 0.1))
                program.send(number, group=group)
            code = program.wait(LONGEST)
            problems = list(program.judge(number))
        finally:
            program.end()
        return Outcome(told + (" twice" if again else ""), code, time.monotonic() - start, 0, problems)


class Program:
    """One run of the program, in a session of its own, with a folder for its temporary files."""

    _numbers = count()

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._folder, self._temporary = folder, folder / "temporary"
        self._temporary.mkdir()
        self._mark = f"{os.getpid()}-{next(self._numbers)}"
        self._err = (folder / "stderr").open("w+b")
        self._process = subprocess.Popen(  # noqa: S603  the program itself
            [sys.executable, "-m", "cnncli", *arguments],
            cwd=folder,
            env=os.environ | {MARK: self._mark, "TMPDIR": str(self._temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._err,
            start_new_session=True,
            preexec_fn=partial(begin, os.getpid()),
        )

    def wait_for(self, phase: str) -> None:
        """Wait until the phase has begun, or the program has ended."""
        history = self._folder / "run" / "history.csv"
        begun: dict[str, Callable[[], bool]] = {
            "helpers": lambda: len(self._find_processes()) > 1 or history.exists(),  # a fast machine needs none
            "epochs": history.exists,
            "writing": lambda: any((self._folder / "run").glob(".*.*")),
        }
        has_begun = begun.get(phase, lambda: True)
        while self._process.poll() is None and not (self._handles_signals() and has_begun()):
            time.sleep(0.0005 if phase == "writing" else 0.005)

    def send(self, number: int, *, group: bool) -> None:
        """Send a signal to the program, or to all of its group."""
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self._process.pid, number)

    def wait(self, seconds: int) -> int | None:
        """The exit code, negative for a signal, or None if it goes on for so long, with the machine running."""
        for _ in range(seconds):
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(1.0)
        return None

    def end(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.wait()
        self._err.close()
        for process in self._find_processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def judge(self, number: int) -> Iterator[Problem]:
        """What is not as it should be after such a signal."""
        code = self._process.poll()
        err = (self._folder / "stderr").read_text("utf-8", "replace")
        clean = number != signal.SIGKILL
        if code is None:
            yield Problem(HANG, f"still running after {LONGEST} s: {err[-200:]!r}")
            return
        if code not in (0, 1, 128 + number if clean else -number):  # 1: a check that failed before it was killed
            yield Problem(CODE, f"{code}: {err[-300:]!r}")
        if "Traceback" in err or "ignored" in err or "Warning" in err:
            yield Problem(TRACEBACK, err[-500:])
        if code == 128 + number and (err.count("Error: ") != 1 or not err.splitlines()[-1].startswith("Error: ")):
            yield Problem(CODE, f"not one sentence: {err[-300:]!r}")
        for _ in range(GRACE):
            if not (left := self._find_processes()):
                break
            time.sleep(0.01)
        else:
            yield Problem(PROCESSES, str(left))
        yield from self._judge_files(clean=clean)

    def _judge_files(self, *, clean: bool) -> Iterator[Problem]:
        for path in self._folder.rglob("*"):
            if path.is_dir() or path.name == "stderr":
                continue
            if path.name.startswith(".") or self._temporary in path.parents:
                if clean:
                    yield Problem(FILES, f"left: {path.relative_to(self._folder)}")
                continue
            try:
                read(path)
            except Exception as error:  # noqa: BLE001  whatever a reader says to half a file
                yield Problem(FILES, f"{path.name} cannot be read: {error!r}")
        own = re.compile(rf"(?<![0-9a-z]){self._process.pid}(?![0-9a-z])")  # and no part of somebody else's number
        if shared := [name for name in os.listdir("/dev/shm") if own.search(name)]:  # noqa: PTH208, S108
            yield Problem(FILES, f"shared memory left: {shared}")

    def _handles_signals(self) -> bool:
        """Whether our handlers are there."""
        with suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) >> (signal.SIGHUP - 1) & 1)
        return False

    def _find_processes(self) -> list[int]:
        """The program and whatever it has started, zombies left out."""
        wanted, found = f"{MARK}={self._mark}".encode(), []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found


def read(path: Path) -> Any:
    """Read a file of a run to its end. Raises whatever its reader raises."""
    from safetensors.numpy import load_file

    from cnncli.model import load_model

    if path.suffix == ".safetensors":
        return load_model(path) if path.name == "model.safetensors" else load_file(path)
    if path.suffix == ".json" and path.stat().st_size:  # empty: it was made to take the folder
        return json.loads(path.read_text("utf-8"))
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows = list(csv.reader(file))
        if len({len(row) for row in rows}) != 1:
            raise ValueError("rows of different lengths")
        return rows
    return None


def begin(parent: int) -> None:
    """In the program before it starts: it ends with the hammer, and takes the signals that the hammer may ignore."""
    end_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # as a shell's background job or nohup has it
        signal.signal(number, signal.SIG_DFL)
