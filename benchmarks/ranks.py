"""Several ranks against one process: time and memory on 60,000 images, and what becomes of ranks that are killed.

    python -m benchmarks.ranks speed FOLDER     (written on the first call: Fashion-MNIST as image files)
    python -m benchmarks.ranks memory FOLDER
    python -m benchmarks.ranks kills [--count 30] [--seed 0]

Needs cnncli[mpi], and Debian's dataset-fashion-mnist for FOLDER; keep the machine quiet. All commands run as a person
starts them.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from PIL import Image

from benchmarks.datasets import read_fashion
from benchmarks.measure import ROOT, markdown

BIN = Path(sys.executable).parent
CNNCLI, MPIEXEC = str(BIN / "cnncli"), shutil.which("mpiexec", path=f"{BIN}:{os.environ['PATH']}") or "mpiexec"
STARTS = {"1 thread": [sys.executable], "2 threads": [sys.executable], "2 ranks": [MPIEXEC, "-n", "2", sys.executable]}
THREADS = {"1 thread": 1, "2 threads": 2, "2 ranks": 1}
KINDS: dict[str, tuple[str, ...]] = {
    "`--recipe quick`": (),
    "`--filters 32 --batch-size 128`, 5 epochs": ("--epochs", "5", "--filters", "32", "--batch-size", "128"),
    "`--recipe best`, 5 epochs": ("--epochs", "5", "--recipe", "best"),
    "`--recipe best --filters 32,64`, 2 epochs": ("--epochs", "2", "--recipe", "best", "--filters", "32,64"),
}
LIMIT = 10.0  # seconds in which a job has to end
KILLED = ("--epochs", "40", "--recipe", "best", "--seed", "5")  # some seconds


def write_images(folder: Path) -> None:
    """Fashion-MNIST: 60,000 images to train on, 10,000 to validate on."""
    for split, prefix in (("train", "train"), ("val", "t10k")):
        for number, (image, label) in enumerate(zip(*read_fashion(prefix), strict=True)):
            path = folder / split / str(label)
            path.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path / f"{number:05}.png")


def measure_speed(folder: Path, kind: str, runs: int) -> dict[str, list[float]]:
    """Trainings of a kind by each start, in turn: seconds of the whole command, and of a step (lower quartile)."""
    if not folder.exists():
        write_images(folder)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in STARTS}
    models = set()
    for name in [*STARTS] * runs:
        with tempfile.TemporaryDirectory() as place:
            run, file = f"{place}/run", Path(place, "step")
            command = [*STARTS[name], "-m", "benchmarks.timed_train", str(file), "train", str(folder), "--out", run]
            command += ["--threads", str(THREADS[name]), "--quiet", *KINDS[kind]]
            begin = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True, cwd=ROOT)  # noqa: S603
            found[name].append((time.perf_counter() - begin, float(file.read_text())))
            models.add(Path(run, "model.safetensors").read_bytes())
    if len(models) != 1:
        raise AssertionError("the models differ")
    return {name: [median(values) for values in zip(*times, strict=True)] for name, times in found.items()}


def measure_memory(folder: Path) -> list[tuple[object, ...]]:
    """Rows of ranks, MB of pixels, and MB resident, of the largest rank: before the images are read, and at most."""
    if not folder.exists():
        write_images(folder)
    rows = []
    for ranks in (0, 1, 2, 4):
        with tempfile.TemporaryDirectory() as runs:
            start = [MPIEXEC, "-n", str(ranks)] if ranks else []
            command = [*start, sys.executable, "-m", "benchmarks.peak_memory", runs, "train", str(folder)]
            command += ["--out", f"{runs}/run", "--threads", "1", "--epochs", "1", "--quiet"]
            subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603
            told = [json.loads(file.read_text()) for file in Path(runs).glob("*.json")]
        most = {name: max(each[name] for each in told) / 2**20 for name in told[0]}
        rows.append((ranks or "no MPI", *(f"{most[name]:.1f}" for name in ("pixels", "start", "peak"))))
    return rows


def kill_ranks(count: int, seed: int) -> None:
    """Kill a random rank of 2, 3 or 4 at a random moment, and go on with another number of ranks."""
    dice = random.Random(seed)  # noqa: S311  nothing is to be kept secret
    data = ROOT / "sample_data" / "fashion"
    with tempfile.TemporaryDirectory() as runs:
        whole = Path(runs) / "whole"
        begin = time.monotonic()
        subprocess.run([MPIEXEC, "-n", "2", CNNCLI, "train", data, "--out", whole, "-q", *KILLED], check=True)  # noqa: S603
        length, ends, same = time.monotonic() - begin, [], 0
        for number in range(count):
            run = Path(runs) / str(number)
            ends.append(kill_once(dice, run, data, dice.uniform(0, length)))
            again = [
                MPIEXEC,
                "-n",
                str(dice.choice((1, 2, 3, 4))),
                CNNCLI,
                "train",
                data,
                "--out",
                run,
                "--resume",
                "-q",
            ]
            options = () if (run / "last.safetensors").exists() else KILLED  # killed before it began
            subprocess.run([*map(str, again), *options], check=True)  # noqa: S603
            same += (run / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
            print(f"{number + 1}: ended after {ends[-1]:.2f} s, {same} the same", flush=True)  # noqa: T201
    late = sum(end > LIMIT for end in ends)
    print(f"{count} kills: {late} ended late, the slowest after {max(ends):.2f} s; {same} of {count} the same bytes")  # noqa: T201
    sys.exit(late or same < count)


def kill_once(dice: random.Random, run: Path, data: Path, delay: float) -> float:
    """Start a training and kill one of its ranks; how long the job lived on, in seconds."""
    command = [MPIEXEC, "-n", str(dice.choice((2, 3, 4))), CNNCLI, "train", str(data), "--out", str(run), "-q", *KILLED]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:  # noqa: S603
        time.sleep(delay)
        while job.poll() is None and not (ranks := find_ranks(run)):
            time.sleep(0.01)
        if job.poll() is None:
            os.kill(dice.choice(ranks), signal.SIGKILL)
        begin = time.monotonic()
        job.wait(timeout=60)
    return time.monotonic() - begin


def find_ranks(run: Path) -> list[int]:
    """The processes that train into a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(run) in words and CNNCLI.encode() in words and os.fsencode(MPIEXEC) not in words:
            found.append(int(process.name))
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    speed = commands.add_parser("speed")
    speed.add_argument("folder", type=Path)
    speed.add_argument("--kind", choices=KINDS, action="append")
    speed.add_argument("--runs", type=int, default=3, help="of each, in turn; the medians count")
    commands.add_parser("memory").add_argument("folder", type=Path)
    kills = commands.add_parser("kills")
    kills.add_argument("--count", type=int, default=30)
    kills.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.command == "kills":
        kill_ranks(chosen.count, chosen.seed)
        return
    if chosen.command == "memory":
        head = ("ranks", "pixels, MB", "before the images, MB", "peak, MB")
        print(markdown(head, measure_memory(chosen.folder)))  # noqa: T201
        return
    rows = []
    for kind in chosen.kind or KINDS:
        (one, step_of_one), (two, step_of_two), (ranks, step_of_ranks) = measure_speed(
            chosen.folder, kind, chosen.runs
        ).values()
        seconds = (f"{whole:.1f} s" for whole in (one, two, ranks))
        gains = f"{one / ranks:.2f}", f"{two / ranks:.2f}"
        steps = f"{step_of_one / step_of_ranks:.2f}", f"{step_of_two / step_of_ranks:.2f}"
        rows.append((kind, *seconds, *gains, *steps))
    head = ("settings", *STARTS, "ranks gain on 1 thread", "on 2 threads", "in a step on 1 thread", "on 2 threads")
    print(markdown(head, rows))  # noqa: T201


if __name__ == "__main__":
    main()
