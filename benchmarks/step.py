"""One training step, with plain gradient descent: our engines and PyTorch take turns in one process."""

import sys
from collections.abc import Callable
from math import exp, log, prod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from benchmarks.measure import alternately, in_bursts, markdown, print_results
from benchmarks.peer import network
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.compiled.engine import CompiledEngine
from cnncli.network.engine import Engine
from cnncli.network.initialisation import he_normal
from cnncli.network.numpy_engine.engine import NumpyEngine

SECONDS = 8.0  # for each configuration, without torch.compile a third
RATE = np.float32(1e-4)
QUICK = "--quick" in sys.argv  # without torch.compile, and shorter
THREADS = (1, 2)
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Configuration(NamedTuple):
    """What is trained on random numbers."""

    batch: int
    channels: int
    side: int
    filters: tuple[int, ...]
    kernel: int
    pool: int
    outputs: int

    @property
    def architecture(self) -> Architecture:
        """The network."""
        classes = max(self.outputs, 2)
        return Architecture(self.side, self.side, self.channels, self.filters, self.kernel, self.pool, classes)

    @property
    def operations(self) -> int:
        """Multiplications and additions of a step by the plain definition; the first block needs no dL/dX."""
        a = self.architecture
        shapes = build_chain(a).shapes
        total = 0
        for block in a.blocks:
            products = 2 if block == 1 else 3  # Z, dL/dw and, but for the first, dL/dP of the block before
            _, p, q = shapes[f"P{block}"]
            total += products * prod(shapes[f"w{block}"]) * p * q * a.pool**2
        return 2 * self.batch * (total + 3 * prod(shapes[f"w{len(a.filters) + 1}"]))


CONFIGURATIONS = [
    Configuration(32, 1, 28, (8,), 3, 2, 1),
    Configuration(256, 1, 28, (8,), 3, 2, 1),
    Configuration(32, 1, 28, (32,), 3, 2, 1),
    Configuration(32, 3, 64, (16,), 3, 2, 1),
    Configuration(32, 3, 64, (32,), 5, 2, 1),
    Configuration(16, 3, 128, (32,), 3, 2, 1),
    Configuration(1, 1, 28, (8,), 3, 2, 1),
    Configuration(64, 1, 28, (16,), 5, 2, 10),
    Configuration(64, 1, 28, (16, 32), 3, 2, 10),
    Configuration(128, 3, 32, (32, 64), 3, 2, 10),
    Configuration(32, 3, 64, (16, 32, 64), 3, 2, 2),
    Configuration(32, 3, 128, (16, 32, 64), 3, 2, 10),
]

Step = Callable[[], object]


def our_step(configuration: Configuration, X: np.ndarray, y: np.ndarray, engine: Engine) -> Step:
    """A step of ours."""
    start = he_normal(configuration.architecture, 0)
    parameters = {name: value.astype(np.float32) for name, value in start.items()}

    def step() -> None:
        for name, gradient in engine.loss_and_gradients(parameters, X, y).gradients.items():
            parameters[name] -= RATE * gradient

    return step


def peer_step(
    configuration: Configuration, X: np.ndarray, y: np.ndarray, threads: int, layout: str, *, compiled: bool
) -> Step:
    """A step of PyTorch."""
    torch.manual_seed(0)
    model = network(configuration.architecture).to(memory_format=LAYOUTS[layout])
    forward = torch.compile(model) if compiled else model
    images = torch.tensor(X).contiguous(memory_format=LAYOUTS[layout])
    labels = torch.tensor(y)
    optimiser = torch.optim.SGD(model.parameters(), float(RATE))

    def step() -> None:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        optimiser.zero_grad()
        z = forward(images)
        if z.shape[1] == 1:
            loss = functional.binary_cross_entropy_with_logits(z[:, 0], labels.to(z.dtype))
        else:
            loss = functional.cross_entropy(z, labels)
        loss.backward()
        optimiser.step()

    step()  # compiles, for so many threads
    return step


def medians(configuration: Configuration) -> dict[str, float]:
    """Seconds of our steps and of PyTorch's in each of its settings."""
    C, side = configuration.channels, configuration.side
    random = np.random.default_rng(0)
    X = random.normal(size=(configuration.batch, C, side, side)).astype(np.float32)
    y = random.integers(0, configuration.architecture.classes, configuration.batch)
    torch._dynamo.reset()
    steps = {"numpy": our_step(configuration, X, y, NumpyEngine(configuration.architecture))}
    ways = ("eager",) if QUICK else ("eager", "compile")
    for threads in THREADS:
        count = f"{threads} {'thread' if threads == 1 else 'threads'}"
        if CompiledEngine.takes(configuration.architecture):
            engine = CompiledEngine(configuration.architecture, threads)
            steps[f"compiled, {count}"] = our_step(configuration, X, y, engine)
        for way in ways:
            for layout in LAYOUTS:
                step = peer_step(configuration, X, y, threads, layout, compiled=way == "compile")
                steps[f"{way}, {layout}, {count}"] = step
    return in_bursts(steps, SECONDS / 3 if QUICK else SECONDS)


def measured(configuration: Configuration, sgemm: float) -> dict[str, Any]:
    """Medians of every setting, and what they amount to."""
    seconds = medians(configuration)
    compiled = [name for name in seconds if name.startswith("compiled")]
    best = min(compiled or ["numpy"], key=seconds.__getitem__)
    best_peer = min(seconds.keys() - {*compiled, "numpy"}, key=seconds.__getitem__)
    one, two = (seconds[name] for name in compiled or ["numpy", "numpy"])
    return {
        "configuration": configuration._asdict(),
        "microseconds": {name: round(1e6 * value, 1) for name, value in seconds.items()},
        "best": best,
        "best_peer": best_peer,
        "ratio": seconds[best_peer] / seconds[best],
        "numpy_over_compiled": seconds["numpy"] / seconds[best],
        "two_threads_over_one": one / two,
        "share_of_sgemm": configuration.operations / seconds[best] / sgemm,
    }


def sgemm_rate(side: int = 2048) -> float:
    """Operations a second of NumPy's own product of two large matrices, with all of BLAS's threads."""
    A = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    return 2 * side**3 / alternately({"": lambda: A @ A}, SECONDS / 4)[""]


def measure() -> dict[str, Any]:
    """Every configuration."""
    sgemm = sgemm_rate()  # before an engine holds BLAS to one thread
    rows = []
    for configuration in CONFIGURATIONS:
        print(*configuration, file=sys.stderr)  # noqa: T201
        rows.append(measured(configuration, sgemm))
    return {"sgemm_gflops": sgemm / 1e9, "steps": rows}


def table(results: Any) -> str:
    """The results as Markdown, with the mean ratios below."""
    head = (
        "batch, C, H=W, filters, k, s, outputs",
        "compiled µs",
        "NumPy µs",
        "PyTorch µs",
        "PyTorch / ours",
        "NumPy / ours",
        "2 threads / 1",
        "of SGEMM",
    )
    rows, ratios = [], {True: [], False: []}  # type: list[tuple[str, ...]], dict[bool, list[float]]
    for row in results["steps"]:
        configuration = Configuration(**row["configuration"])
        filters = ",".join(map(str, configuration.filters))
        name = ", ".join(map(str, (*configuration[:3], f"({filters})", *configuration[4:])))
        best, peer = row["best"], row["best_peer"]
        rows.append(
            (
                name,
                f"{row['microseconds'][best]:.0f} ({best.partition(', ')[2]})",
                f"{row['microseconds']['numpy']:.0f}",
                f"{row['microseconds'][peer]:.0f} ({peer})",
                f"{row['ratio']:.2f}",
                f"{row['numpy_over_compiled']:.2f}",
                f"{row['two_threads_over_one']:.2f}",
                f"{row['share_of_sgemm']:.0%}",
            )
        )
        ratios[len(configuration.filters) == 1].append(row["ratio"])
    return (
        f"SGEMM, 2048×2048: {results['sgemm_gflops']:.0f} GFLOP/s.\n\n{markdown(head, rows)}\n\n"
        f"Geometric mean of the ratios: one block {_geometric(ratios[True]):.2f}, "
        f"deeper ones {_geometric(ratios[False]):.2f}."
    )


def _geometric(values: list[float]) -> float:
    return exp(sum(map(log, values)) / len(values))


if __name__ == "__main__":
    print_results("One training step against PyTorch.", measure, table)
