"""How the benchmarks measure, and what they tell of the machine."""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
TRAINING_PAGE = ROOT / "docs" / "training.md"
WARM_UP = 3  # calls that are not counted
BURST = 0.06  # seconds that a contender has to itself; what begins in the first third is not counted
LEAST = 5  # calls that make a median


class Process(NamedTuple):
    """A whole process, seen from the outside."""

    seconds: float
    megabytes: float  # the peak of its resident memory, of its largest child process where that is more
    output: str


def alternately(functions: Mapping[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """The median time of each function in seconds, called in turn, so that a disturbance meets all alike."""
    for _ in range(WARM_UP):
        for function in functions.values():
            function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[next(iter(times))]) < LEAST:
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(measured) for name, measured in times.items()}


def in_bursts(functions: Mapping[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """As `alternately`, but each is called again and again before the next one's turn, as in a program of its own.

    Else one would run beside the threads of another, which go on looking for work for milliseconds after a call.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[next(iter(times))]) < LEAST:
        for name, function in functions.items():
            burst = time.perf_counter()
            function()
            counted = False
            while not counted or time.perf_counter() < burst + BURST:
                start = time.perf_counter()
                function()
                if start > burst + BURST / 3:
                    times[name].append(time.perf_counter() - start)
                    counted = True
    return {name: statistics.median(measured) for name, measured in times.items()}


def run(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Process:
    """Run a command to its end; raises CalledProcessError where it fails."""
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    done = subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert done.stdout is not None  # noqa: S101
    output = done.stdout.read()
    _, status, usage = os.wait4(done.pid, 0)
    seconds = time.perf_counter() - start
    done.returncode = os.waitstatus_to_exitcode(status)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, arguments)
    return Process(seconds, usage.ru_maxrss / 1024, output)


def machine() -> dict[str, Any]:
    """Processor, versions, and which kernels NumPy's BLAS runs."""
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    blas = [info for info in threadpool_info() if info["user_api"] == "blas"]
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": ", ".join(f"{info['internal_api']} {info['version']} ({info.get('architecture')})" for info in blas),
        "OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE"),
        "torch": version("torch"),
    }


def print_results(description: str, measure: Callable[[], dict[str, Any]], table: Callable[[Any], str]) -> None:
    """Measure and print, as a Markdown table or as JSON."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--quick", action="store_true", help="shorter, and with fewer settings of PyTorch")
    form = parser.parse_args().format
    results = {"machine": machine(), "date": date.today().isoformat(), **measure()}
    print(json.dumps(results, indent=2) if form == "json" else f"{machine_line(results)}\n\n{table(results)}")  # noqa: T201


def machine_line(results: Mapping[str, Any]) -> str:
    """The machine in one paragraph."""
    at = results["machine"]
    pinned = f" pinned by OPENBLAS_CORETYPE={at['OPENBLAS_CORETYPE']}" if at["OPENBLAS_CORETYPE"] else ""
    versions = f"Python {at['python']}, NumPy {at['numpy']} with {at['blas']}{pinned}, PyTorch {at['torch']}"
    return f"{results['date']}: {at['processor']}, {at['cores']} cores; {versions}."


def markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def write_section(page: Path, name: str, section: str) -> None:
    """Put a section into its place in a document, between the markers of its name."""
    text = page.read_text(encoding="utf-8")
    text, found = re.subn(
        rf"(<!-- {name} -->\n).*?(<!-- end -->)",
        lambda marks: f"{marks[1]}{section}\n{marks[2]}",
        text,
        flags=re.DOTALL,
    )
    assert found == 1, f"{page} has no place for {name}"  # noqa: S101
    page.write_text(text, encoding="utf-8")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
