"""The pytest plugin in a project of its own: fixture, marker, messages, xdist, Hypothesis, and no cost when unused."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

TESTS = """
import numpy as np
import pytest

x = np.random.default_rng(0).normal(size=(3, 4))

def test_right(gradcheck):
    assert gradcheck(np.sin, lambda x, g: g * np.cos(x), x).passed

def test_wrong(gradcheck):
    gradcheck(np.sin, lambda x, g: 2 * g * np.cos(x), x)

def test_scalar(gradcheck):
    gradcheck.scalar(lambda x: (x**2).sum(), lambda x: 2 * x, x)

def quarter(x, g):
    return 0.25 * g

def test_kink(gradcheck):
    assert gradcheck(np.abs, quarter, np.zeros(1)).kinks

@pytest.mark.gradcheck(strict=True, seed=3)
def test_strict(gradcheck):
    gradcheck(np.abs, quarter, np.zeros(1))
"""


def run(folder: Path, text: str, *arguments: str) -> str:
    (folder / "test_mine.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "cnncli.pytest_plugin", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_fixture_the_marker_and_the_message(tmp_path: Path) -> None:
    out = run(tmp_path, TESTS, "--strict-markers", "-W", "error")
    assert "2 failed, 3 passed" in out
    assert "FAILED test_mine.py::test_wrong" in out
    assert "FAILED test_mine.py::test_strict" in out
    assert "ratio 2, Taylor remainder of order 1.0" in out
    assert "diagnosis: input 0: it is 2 times the right one" in out
    assert "case: float64 (3, 4), seed 0" in out
    assert "case: float64 (1,), seed 3" in out


def test_a_marker_that_says_something_else_is_told_in_a_sentence(tmp_path: Path) -> None:
    out = run(tmp_path, TESTS.replace("strict=True, seed=3", "sed=3"), "--strict-markers")
    assert "the marker gradcheck is given sed: its options are seed=0 and strict=False" in out
    assert "Traceback" not in out
    assert "TypeError" not in out


def test_it_works_with_xdist(tmp_path: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    assert "2 failed, 3 passed" in run(tmp_path, TESTS, "-p", "xdist", "-n", "2")


def test_it_costs_nothing_when_unused(tmp_path: Path) -> None:
    out = run(tmp_path, "import sys\n\ndef test_it():\n    assert 'numpy' not in sys.modules\n")
    assert "1 passed" in out


def test_the_entry_point_names_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"cnncli": "cnncli.pytest_plugin"}
