"""What a command imports: nothing that it does not use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLE_DATA

PROGRAM = """
import json, sys
from cnncli.cli import main
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported(*arguments: object) -> set[str]:
    """The modules that a command has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("train", "--help"), ("predict", "--help")])
def test_help_and_version_import_neither_numpy_nor_any_other_heavy_module(arguments: tuple[str, ...]) -> None:
    heavy = {"numpy", "PIL", "safetensors", "rich", "threadpoolctl", "multiprocessing"}
    assert not heavy & imported(*arguments)


def test_a_trace_imports_nothing_of_training() -> None:
    assert not {
        "cnncli.training.loop",
        "cnncli.network.numpy_engine.engine",
        "safetensors",
        "rich.progress",
        "multiprocessing",
    } & imported("trace", "--only", "L")


def test_a_prediction_imports_nothing_of_training(tmp_path: Path) -> None:
    assert not {"cnncli.training.loop", "multiprocessing"} & imported("predict", SAMPLE_DATA, "-m", tmp_path)
