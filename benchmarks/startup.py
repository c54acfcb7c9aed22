"""How long a command takes to answer, whole processes seen from the outside."""

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, alternately, markdown, print_results, run

SECONDS = 30.0
SAMPLES = ROOT / "sample_data"


def measure() -> dict[str, Any]:
    """The commands, alternating; medians."""
    python, program = [sys.executable], [sys.executable, "-m", "cnncli"]
    data = next(folder for folder in sorted(SAMPLES.iterdir()) if folder.is_dir())
    image = next(iter(sorted(data.rglob("*.*"))))
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder, "run"))
        run([*program, "train", str(data), "--out", model, "--epochs", "1", "-q"])
        commands = {
            "python -c pass": [*python, "-c", "pass"],
            "cnncli --help": [*program, "--help"],
            "cnncli --version": [*program, "--version"],
            "cnncli trace": [*program, "trace"],
            "cnncli predict IMAGE": [*program, "predict", str(image), "-m", model],
            'python -c "import numpy"': [*python, "-c", "import numpy"],
            'python -c "import torch"': [*python, "-c", "import torch"],
        }
        seconds = alternately({name: partial(run, command) for name, command in commands.items()}, SECONDS)
        return {"startup": {name: {"seconds": value} for name, value in seconds.items()}}


def table(results: Any) -> str:
    """The results as Markdown."""
    rows = [(f"`{name}`", f"{row['seconds']:.2f}") for name, row in results["startup"].items()]
    return markdown(("command", "seconds"), rows)


if __name__ == "__main__":
    print_results("How long a command takes to answer.", measure, table)
