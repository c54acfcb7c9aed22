"""What ranks on a network would gain: real lanes, one rank after the other, and a clock that adds what a network takes.

    python -m benchmarks.network [--steps 40]

A communicator of one process computes the lanes of every rank, and notes the time of the slowest. Nothing is sent, but
the messages and their bytes are counted, and a network's latency and bandwidth turn them into time. Up to 16 ranks the
arithmetic is measured; beyond, where there would have to be more lanes, it is the same formula. Keep the machine quiet.
"""

import argparse
import time
from math import ceil, log2
from typing import NamedTuple

import numpy as np

from benchmarks.measure import markdown
from cnncli.data.dataset import Dataset
from cnncli.data.folder import Sample
from cnncli.data.normalisation import Normalisation
from cnncli.distributed.communicator import Alone, Part, Step, count_correct
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Parameters
from cnncli.network.engine import MOST_LANES, Engine, add_in_order, join_numbers
from cnncli.network.engines import choose_engine
from cnncli.network.initialisation import he_normal
from cnncli.training.loop import Loop
from cnncli.training.optimisers import make_optimiser
from cnncli.training.settings import TrainingSettings
from cnncli.training.state import State

RANKS = (1, 2, 4, 8, 16, 64, 256, 1024)
FLOAT32, HEADER = 4, 8 * (3 + MOST_LANES)  # bytes of a number, and of what a rank tells when the ranks meet
AT_ONCE = 32  # messages of an exchange of all with all that are under way at a time


class Network(NamedTuple):
    """A message of b bytes takes latency + b/bandwidth; to begin one takes a tenth of the latency."""

    latency: float  # seconds
    bandwidth: float  # bytes a second

    def step_seconds(self, ranks: int, numbers: int, lanes: int) -> float:
        """Of the three exchanges of a step: the meeting, the lanes cut into pieces, the pieces added up."""
        if ranks == 1:
            return 0.0
        piece, others = FLOAT32 * numbers / ranks, ranks - 1
        doubling = ceil(log2(ranks)) * self.latency
        meeting = doubling + others * HEADER / self.bandwidth
        scattering = (ceil(others / AT_ONCE) + others / 10) * self.latency
        scattering += ceil(lanes / ranks) * piece * others / self.bandwidth
        return meeting + scattering + doubling + piece * others / self.bandwidth


NETWORKS = {
    "one machine (1 µs, 5 GB/s)": Network(1e-6, 5e9),
    "InfiniBand (2 µs, 10 GB/s)": Network(2e-6, 10e9),
    "10 Gbit Ethernet (30 µs, 1.1 GB/s)": Network(30e-6, 1.1e9),
    "1 Gbit Ethernet (50 µs, 0.11 GB/s)": Network(50e-6, 0.11e9),
}
NETS = {
    "8 filters, 28×28, batches of 32": (Architecture(28, 28, 1, (8,), classes=10), 32),
    "8 filters, 28×28, batches of 1024": (Architecture(28, 28, 1, (8,), classes=10), 1024),
    "16+32+64 filters, 64×64 RGB, batches of 256": (Architecture(64, 64, 3, (16, 32, 64), padding=1, classes=10), 256),
}


class Simulated(Alone):
    """One process in the place of `ranks`; `slowest` and `adding` are the seconds of the last step's arithmetic."""

    def __init__(self, ranks: int) -> None:
        self.ranks, self.slowest, self.adding = ranks, 0.0, 0.0

    def add_up(self, engine: Engine, parameters: Parameters, part: Part, smoothing: float) -> Step:
        """The sum over all lanes, those of each rank computed for themselves."""
        X, y, weights, bounds, m = part
        sums, self.slowest = [], 0.0
        for rank in range(self.ranks):
            own = bounds[MOST_LANES * rank // self.ranks : MOST_LANES * (rank + 1) // self.ranks + 1]
            images = slice(own[0], own[-1])
            start = time.perf_counter()
            sums.append(
                engine.lane_sums(
                    parameters, X[images], y[images], m=m, bounds=own - own[0], smoothing=smoothing,
                    weights=None if weights is None else weights[images],
                )
            )  # fmt: skip
            self.slowest = max(self.slowest, time.perf_counter() - start)
        lanes = np.concatenate([each.numbers for each in sums])  # (lanes, numbers)
        start = time.perf_counter()
        if self.ranks > 1:  # what a network carries is in the order of the parameters
            join_numbers(engine.name_sums(sums[0].numbers), parameters, axes=1)
        ordering = time.perf_counter() - start
        start = time.perf_counter()
        gradients = engine.name_sums(add_in_order(lanes))
        self.adding = ordering + (time.perf_counter() - start) / self.ranks
        losses = np.concatenate([each.losses for each in sums])
        correct = count_correct(engine, np.concatenate([each.logits for each in sums]), y)
        return Step(float(add_in_order(losses)), gradients, correct)


class Seconds(NamedTuple):
    """What a step of a rank takes: the images of all ranks, what is the same for any number, and adding up."""

    images: float
    slowest: float
    fixed: float
    adding: float


def time_step(architecture: Architecture, batch: int, ranks: int, steps: int) -> Seconds:
    """Medians over some steps on images of noise."""
    random = np.random.default_rng(0)
    shape = (batch * steps, architecture.channels, architecture.height, architecture.width)
    images, labels = random.integers(0, 256, shape, np.uint8), random.integers(0, architecture.classes, shape[0])
    communicator = Simulated(ranks)
    data = Dataset(images, labels, (Sample(None, 0),) * shape[0], communicator=communicator)  # type: ignore[arg-type]
    parameters = {name: value.astype(np.float32) for name, value in he_normal(architecture, 0).items()}
    classes = tuple(map(str, range(architecture.classes)))
    model = Model(architecture, classes, Normalisation.none(architecture.channels), parameters)
    settings = TrainingSettings(None, batch_size=batch, epochs=1)  # type: ignore[arg-type]
    state = State(make_optimiser("adam", momentum=0.9, weight_decay=0.0))
    loop = Loop(model, choose_engine(architecture, 1), data, data, settings, state)
    prepare, add_up, take = loop._prepare, communicator.add_up, loop._take_step
    prepared, noted, spent = [], [], [0.0]

    def timed_prepare(*arguments):
        start = time.perf_counter()
        parts = prepare(*arguments)
        prepared.append((time.perf_counter() - start) / len(parts))
        return parts

    def timed_add_up(*arguments):
        start = time.perf_counter()
        found = add_up(*arguments)
        spent[0] = time.perf_counter() - start
        return found

    def timed_take(*arguments):
        start = time.perf_counter()
        loss = take(*arguments)
        noted.append((communicator.slowest, time.perf_counter() - start - spent[0], communicator.adding))
        return loss

    loop._prepare, communicator.add_up, loop._take_step = timed_prepare, timed_add_up, timed_take
    loop._run_epoch(1, lambda *_: None)
    return Seconds(float(np.median(prepared)), *np.median(noted, axis=0).tolist())


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    steps = parser.parse_args().steps
    for name, (architecture, batch) in NETS.items():
        numbers = sum(value.size for value in he_normal(architecture, 0).values())
        measured = {ranks: time_step(architecture, batch, ranks, steps) for ranks in RANKS if ranks <= MOST_LANES}
        alone, per_image = measured[1], measured[1].slowest / batch

        def predict(ranks: int, network: Network, measured=measured, alone=alone, per_image=per_image, batch=batch,
                    numbers=numbers) -> float:  # fmt: skip
            lanes = max(ranks, MOST_LANES)
            slowest = measured[ranks].slowest if ranks in measured else ceil(batch / lanes) * per_image
            adding = measured[min(ranks, MOST_LANES)].adding  # with a lane for each rank it is the same for all
            exchange = network.step_seconds(ranks, numbers, lanes)
            return alone.images / ranks + slowest + alone.fixed + adding + exchange

        rows = []
        for title, network in NETWORKS.items():
            times = [predict(ranks, network) for ranks in RANKS]
            rows.append((title, *(f"{times[0] / each:.1f}" for each in times)))
        print(f"\n{name}: {numbers:,} parameters, {1e3 * predict(1, NETWORKS[title]):.2f} ms a step of one rank")  # noqa: T201
        print(markdown(("speed against one rank", *(f"{ranks:,}" for ranks in RANKS)), rows))  # noqa: T201


if __name__ == "__main__":
    main()
