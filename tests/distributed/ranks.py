"""Commands that mpiexec starts as several ranks, as a person does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PATIENCE, Result

BIN = Path(sys.executable).parent
# Open MPI refuses root, and more ranks than cores, unless it is told otherwise; MPICH knows neither of these.
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}
TRAIN = ("--epochs", 3, "--batch-size", 8, "--filters", 3, "--seed", 5)


@lru_cache
def find_mpiexec() -> str | None:
    """Where it is, if it starts ranks that find each other."""
    mpiexec = shutil.which("mpiexec", path=f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    if mpiexec is None:
        return None
    told = subprocess.run(
        [mpiexec, "-n", "2", sys.executable, "-c", "from mpi4py import MPI; print(MPI.COMM_WORLD.size)"],
        capture_output=True, text=True, env=os.environ | ENVIRONMENT, timeout=PATIENCE,
    )  # fmt: skip
    return mpiexec if "".join(told.stdout.split()) == "22" else None  # two lines, in whatever order


needs_mpiexec = pytest.mark.skipif(
    "not __import__('tests.distributed.ranks').distributed.ranks.find_mpiexec()",
    reason="mpiexec or mpi4py is not installed: cnncli[mpi]",
)


def program(*arguments: object) -> list[str]:
    """The command line of cnncli."""
    return [str(BIN / "cnncli"), *map(str, arguments)]


def start(
    ranks: int,
    *arguments: object,
    segments: tuple[list[str], ...] = (),
    program: Callable[..., list[str]] = program,
    **options: Any,
) -> subprocess.Popen[str]:
    """`mpiexec -n RANKS cnncli ARGUMENTS`; each more segment is the command of one more rank."""
    command = [str(find_mpiexec()), "-n", str(ranks), *program(*arguments)]
    for segment in segments:
        command += [":", "-n", "1", *segment]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    options["env"] = options.get("env", os.environ) | ENVIRONMENT
    return subprocess.Popen(command, text=True, **pipes | options)


def run(ranks: int, *arguments: object, **options: Any) -> Result:
    """The same, to its end; 0 ranks are `cnncli` alone."""
    if ranks == 0:
        done = subprocess.run(program(*arguments), capture_output=True, text=True, timeout=PATIENCE, **options)
        return Result(done.returncode, done.stdout, done.stderr)
    return finish(start(ranks, *arguments, **options))


def finish(process: subprocess.Popen[str]) -> Result:
    """What it leaves when it ends."""
    out, err = process.communicate(timeout=PATIENCE)
    return Result(process.returncode, out, err)
