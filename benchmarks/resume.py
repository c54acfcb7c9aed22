"""Trainings that are stopped at random moments, by signals and by kill -9, and resumed, against ones that never were.

    python -m benchmarks.resume [--stops 100] [--seed 0]

Every optimiser and schedule, with and without augmentation. Each training runs the command in a process of its own; the
model files, the splits and the latest weights must be the same to the last byte.
"""

import argparse
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, get_args

from cnncli.cli import main as cnncli
from cnncli.training.checkpoint import LAST, read_checkpoint
from cnncli.training.settings import OptimiserName, ScheduleName

ROOT = Path(__file__).parent.parent
AUGMENTED = ("", "flip,shift", "rotate,crop,light,erase")
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
ALLOWED = {0, 130, 143, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}  # the last two: while the process starts


def start(arguments: list[str]) -> int:
    """Run the command in a process of its own, and return the number of that."""
    child = os.fork()
    if child:
        return child
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(null, stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["cnncli", *arguments]
    code = 1
    try:
        cnncli()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0
    finally:
        os._exit(code)


def wait(child: int) -> int:
    """The exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fingerprint(run: Path) -> list[bytes]:
    """What must be the same."""
    last = read_checkpoint(run / LAST)
    memory = [row.tobytes() for row in last.state.optimiser.memory.values()]
    latest = [value.tobytes() for value in last.model.parameters.values()]
    return [
        *((run / name).read_bytes() for name in ("model.safetensors", "split.csv", "settings.json")),
        *latest,
        *memory,
    ]


def stop_and_resume(arguments: list[str], run: Path, seconds: float, dice: random.Random, stops: Counter[str]) -> None:
    """Train in pieces: each but the last is stopped after a random time of at most `seconds`."""
    left = dice.randint(1, 3)
    while True:
        child = start([*arguments, "--out", str(run), "--resume"])
        if left:
            number = dice.choice(SIGNALS)
            time.sleep(dice.uniform(0, seconds))
            os.kill(child, number)
            stops[number.name] += 1
            left -= 1
        code = wait(child)
        if code not in ALLOWED:
            raise SystemExit(f"{run}: exit code {code}")
        if code == 0:
            return


def main() -> None:
    """Stop and resume, and tell how often the bytes were the same."""
    parser = argparse.ArgumentParser(description="Stopped and resumed trainings against ones that never stopped.")
    parser.add_argument("--stops", type=int, default=100, help="trainings that are stopped")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dice = random.Random(options.seed)  # noqa: S311  nothing is to be kept secret
    data = str(ROOT / "sample_data" / "fashion")
    kinds = [*itertools.product(get_args(OptimiserName), get_args(ScheduleName), AUGMENTED)]
    same, stops = 0, Counter[str]()
    whole: dict[Any, tuple[list[bytes], float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(options.stops):
            kind = kinds[number % len(kinds)]
            optimizer, schedule, augment = kind
            arguments = ["train", data, "--epochs", "4", "--filters", "4", "--optimizer", optimizer]
            arguments += [
                "--schedule",
                schedule,
                "--augment",
                augment,
                "--checkpoint-minutes",
                "0.0005",
                "--threads",
                "1",
            ]
            if kind not in whole:
                reference = Path(temporary, "whole", str(number))
                begin = time.perf_counter()
                if wait(start([*arguments, "--out", str(reference)])) != 0:
                    raise SystemExit(f"{kind}: the training failed")
                whole[kind] = fingerprint(reference), time.perf_counter() - begin
            expected, seconds = whole[kind]
            run = Path(temporary, str(number))
            stop_and_resume(arguments, run, seconds, dice, stops)
            same += fingerprint(run) == expected
            shutil.rmtree(run)
    print(f"{same} of {options.stops} trainings are the same to the last byte; stopped by {dict(stops)}")  # noqa: T201
    sys.exit(same != options.stops)


if __name__ == "__main__":
    main()
