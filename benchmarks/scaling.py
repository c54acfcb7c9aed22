"""How the time of the engine that trains grows with images, filters, side and blocks, as exponents.

The exponent e of time ~ size^e is the slope of a straight line through the logarithms of size and time. One thread, so
that nothing but the arithmetic and the caches is in it.
"""

import time
from typing import Any

import numpy as np

from benchmarks.measure import in_bursts, markdown, print_results
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.engines import choose_engine
from cnncli.network.initialisation import he_normal

SECONDS = 1.0  # for each size
IMAGES = (1_000, 10_000, 100_000, 1_000_000)
FILTERS = (4, 8, 16, 32, 64, 128, 256)
SIDES = (8, 16, 32, 64, 128, 256)
BLOCKS = (1, 2, 3, 4)
BATCH = 1000  # images in a batch of those that are too many for memory


def step_seconds(architecture: Architecture, m: int) -> float:
    """The median time of a step."""
    engine = choose_engine(architecture, 1)
    random = np.random.default_rng(0)
    X = random.normal(size=(m, *build_chain(architecture).image.shape)).astype(np.float32)
    y = random.integers(0, architecture.classes, m)
    parameters = {name: value.astype(np.float32) for name, value in he_normal(architecture, 0).items()}
    return in_bursts({"": lambda: engine.loss_and_gradients(parameters, X, y)}, SECONDS)[""]


def epoch_seconds(architecture: Architecture, images: int) -> float:
    """The time of so many synthetic images, batch by batch."""
    engine = choose_engine(architecture, 1)
    X = np.random.default_rng(0).normal(size=(BATCH, *build_chain(architecture).image.shape)).astype(np.float32)
    y = np.arange(BATCH) % architecture.classes
    parameters = {name: value.astype(np.float32) for name, value in he_normal(architecture, 0).items()}
    start = time.perf_counter()
    for _ in range(images // BATCH):
        engine.loss_and_gradients(parameters, X, y)
    return time.perf_counter() - start


def exponent(sizes: tuple[int, ...], seconds: list[float]) -> float:
    """The slope in logarithms, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def measure() -> dict[str, Any]:
    """Times and exponents."""
    seconds = {
        "images (28×28, 8 filters)": (IMAGES, [epoch_seconds(Architecture(28, 28), n) for n in IMAGES]),
        "filters (32 of 3×32×32)": (FILTERS, [step_seconds(Architecture(32, 32, 3, (n,)), 32) for n in FILTERS]),
        "side (8 images, 16 filters)": (SIDES, [step_seconds(Architecture(n, n, 3, (16,)), 8) for n in SIDES]),
        "blocks (8 of 3×64×64, 16 filters each)": (
            BLOCKS,
            [step_seconds(Architecture(64, 64, 3, (16,) * n), 8) for n in BLOCKS],
        ),
    }
    return {
        "scaling": {
            name: {"sizes": sizes, "seconds": times, "exponent": exponent(sizes, times)}
            for name, (sizes, times) in seconds.items()
        }
    }


def table(results: Any) -> str:
    """The results as Markdown."""
    rows = [
        (name, *(f"{n:,}: {1e3 * s:,.3g}" for n, s in zip(row["sizes"], row["seconds"], strict=True)))
        for name, row in results["scaling"].items()
    ]
    rows = [(name, ", ".join(times), f"{results['scaling'][name]['exponent']:.2f}") for name, *times in rows]
    return markdown(("what grows", "milliseconds", "exponent"), rows)


if __name__ == "__main__":
    print_results("How the time grows.", measure, table)
