"""Both ways in which ranks add up their lanes are the sum in the order of the lanes, bit by bit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PATIENCE
from tests.distributed.ranks import ENVIRONMENT, find_mpiexec, needs_mpiexec

# Every rank makes the lanes of all, brings its own, and compares with the sum that NumPy makes of all.
PROGRAM = """
import os, sys
import numpy as np
from mpi4py import MPI
from cnncli.distributed import sums
from cnncli.distributed.communicator import Communicator
from cnncli.network.architecture import Architecture
from cnncli.network.engine import MOST_LANES, LaneSums
from cnncli.network.engines import choose_engine
from cnncli.network.initialisation import he_normal

engine_of_rank, way = sys.argv[1].split(","), sys.argv[2]
comm = MPI.COMM_WORLD
architecture = Architecture(12, 11, 1, (3, 5), classes=3)
parameters = {name: value.astype(np.float32) for name, value in he_normal(architecture, 0).items()}
random = np.random.default_rng(1)
X = random.standard_normal((40, 1, 12, 11)).astype(np.float32)
engine = choose_engine(architecture, 1, engine_of_rank[comm.rank % len(engine_of_rank)])
if way == "no room":
    sums._has_room = lambda lane: False
lanes = [range(MOST_LANES * rank // comm.size, MOST_LANES * (rank + 1) // comm.size) for rank in range(comm.size)]
of_all = sums.make_sums(comm, lanes, engine, parameters)
assert isinstance(of_all, sums.SharedSums) == (way == "shared"), of_all
numbers = sum(value.size for value in parameters.values())
kept = []
for step in range(5):
    labels = random.integers(0, 3, 40)
    bounds = np.concatenate([[0], np.sort(random.integers(0, 41, MOST_LANES - 1)), [40]])
    def sum_lanes(of, which, into=None):
        ends = bounds[which.start : which.stop + 1]
        part = slice(ends[0], ends[-1])
        return of.lane_sums(parameters, X[part], labels[part], m=40, bounds=ends - ends[0], into=into)
    own = lanes[comm.rank]
    found = of_all.add(engine, sum_lanes(engine, own, of_all.own))
    kept.append((found, {name: value.copy() for name, value in found.items()}))
    total = None
    for lane in range(MOST_LANES):
        owner = next(rank for rank, of in enumerate(lanes) if lane in of)
        of_owner = choose_engine(architecture, 1, engine_of_rank[owner % len(engine_of_rank)])
        more = of_owner.name_sums(sum_lanes(of_owner, range(lane, lane + 1)).numbers[0])
        total = more if total is None else {name: total[name] + more[name] for name in total}
    for name, value in total.items():
        assert np.array_equal(found[name], value), name
for now, then in kept:  # what was given out stays as it is
    assert all(np.array_equal(now[name], then[name]) for name in then)
print("right")
"""


# One engine after the other, as in a program that trains several times.
ENGINES = """
from pathlib import Path
import numpy as np
from cnncli.distributed.communicator import Part
from cnncli.distributed.launch import join_world
from cnncli.network.architecture import Architecture
from cnncli.network.engine import MOST_LANES
from cnncli.network.engines import choose_engine
from cnncli.network.initialisation import he_normal

ranks = join_world()
architecture = Architecture(28, 28, filters=(64,))
parameters = {name: value.astype(np.float32) for name, value in he_normal(architecture, 0).items()}
own = len(ranks.share(MOST_LANES))
part = Part(np.ones((own, 1, 28, 28), np.float32), np.zeros(own, np.intp), None, np.arange(own + 1), MOST_LANES)

def count_shared():
    maps = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    edges = [each[0].split("-") for each in maps if each[1].endswith("s")]
    return sum(int(end, 16) - int(start, 16) for start, end in edges)

shared, losses = [], set()
for _ in range(4):
    engine = choose_engine(architecture, 1)
    losses.add(ranks.add_up(engine, parameters, part, 0.0).loss)
    shared.append(count_shared())
if ranks.leads:
    window = MOST_LANES * engine.numbers * 4
    print(len(losses), shared[-1] - shared[0] < window < shared[0], shared)
"""


@needs_mpiexec
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads what is shared in /proc")
def test_memory_that_is_shared_goes_with_its_engine() -> None:
    done = run_ranks(2, ENGINES)
    assert done.stdout.startswith("1 True "), done


@needs_mpiexec
@pytest.mark.parametrize("ranks", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 5, 16))])
@pytest.mark.parametrize(
    ("engines", "way"),
    [
        ("compiled", "shared"),
        pytest.param("numpy", "shared", marks=pytest.mark.slow),
        ("compiled,numpy", "sent"),
        pytest.param("compiled", "no room", marks=pytest.mark.slow),
    ],
)
def test_ranks_add_up_lanes_in_their_order(ranks: int, engines: str, way: str) -> None:
    done = run_ranks(ranks, PROGRAM, engines, way)
    assert done.stdout.count("right") == ranks, done.stderr


def run_ranks(ranks: int, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(find_mpiexec()), "-n", str(ranks), sys.executable, "-c", program, *arguments]
    environment = os.environ | ENVIRONMENT
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=False)
