"""Right code accused, and wrong entries found: `gradcheck` on random networks whose gradients other programs computed.

    python -m benchmarks.accusations [--networks 2000] [--method complex-step] [--first 0] [--own]

Every network has sizes, a padding, strides, a dilation, a pooling and scales of its own; of three in a row one has
every tensor at a scale from 1e-8 to 1e8, and one is of whole numbers on a flat image, full of ties. Right gradients
must not FAIL. Then one entry of each is made larger by 1e-15, 1e-14, …, until the check says so. Needs PyTorch, but
with --own.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping

import numpy as np

from cnncli.checking.gradcheck import Gradcheck, engine_gradients
from cnncli.checking.methods import METHODS, Method
from cnncli.checking.run import Outcome, run_gradcheck
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject
from tests.checking.other_programs import PROGRAMS, scale_subject

LARGEST = 9  # rows of an image


def draw_architecture(random: np.random.Generator) -> Architecture:
    """One to three blocks of any kind; several are kept small."""

    def draw(low: int, high: int) -> int:
        return int(random.integers(low, high + 1))

    def seldom(low: int, high: int, usual: int) -> int:
        return draw(low, high) if draw(0, 2) == 0 else usual

    blocks = draw(1, 3)
    alone = blocks == 1
    kernel, pool = draw(1, 4 if alone else 3), draw(1, 3 if alone else 2)
    padding, most = seldom(0, kernel - 1, 0), 3 if alone else 2
    stride, dilation, apart = seldom(1, most, 1), seldom(1, most, 1), seldom(1, pool + 1, pool)
    side = 1
    for _ in range(blocks):
        pooled = (side - 1) * apart + pool
        side = max((pooled - 1) * stride + dilation * (kernel - 1) + 1 - 2 * padding, 1)
    side = max(side, draw(1, LARGEST)) if alone else side
    return Architecture(
        height=side + draw(0, 2),
        width=side + draw(0, 2),
        channels=draw(1, 3),
        filters=tuple(draw(1, 6 if alone else 3) for _ in range(blocks)),
        kernel=kernel,
        pool=pool,
        classes=draw(2, 5),
        pooling="average" if draw(0, 4) == 0 else "max",
        padding=padding,
        stride=stride,
        dilation=dilation,
        pool_stride=apart,
    )


def draw_subject(seed: int) -> Subject:
    """A network with one or two images."""
    random = np.random.default_rng([seed, 19])

    def draw(low: int, high: int) -> int:
        return int(random.integers(low, high + 1))

    while (architecture := draw_architecture(random)).height > LARGEST:
        pass
    m = draw(1, 2)
    shapes = build_chain(architecture).parameter_shapes
    parameters = {name: random.normal(size=shape) / np.prod(shape[1:]) ** 0.5 for name, shape in shapes.items()}
    X = random.normal(size=(m, architecture.channels, architecture.height, architecture.width))
    if seed % 3 == 2:
        parameters = {name: np.rint(2 * random.normal(size=shape)) for name, shape in shapes.items()}
        X = np.full_like(X, 0.1) if draw(0, 1) else np.rint(X)
    y = random.integers(0, architecture.classes, m)
    subject = Subject(architecture, parameters, tuple("01234"[: architecture.classes]), X, y, ("",) * m, "random")
    return scale_subject(subject, random) if seed % 3 == 1 else subject


def find_smallest(subject: Subject, gradients: Mapping[str, Array], method: Method, seed: int) -> tuple[str, int]:
    """The derivative that was spoiled, and the exponent of the smallest relative error that FAILs."""
    random = np.random.default_rng([seed, 23])
    name = sorted(gradients)[random.integers(len(gradients))]
    sizes = np.abs(gradients[name]).ravel()
    if not sizes.any():
        return name, 99
    which = int(random.choice(np.flatnonzero(sizes >= 1e-3 * sizes.max())))
    for exponent in range(-15, 1):
        spoiled = gradients[name].copy()
        spoiled.flat[which] *= 1 + 10.0**exponent
        if any(check.failed.any() for check in Gradcheck(subject, {name: spoiled}, method, foreign=True).checks()):
            return name, exponent
    return name, 1


def tell(outcome: Outcome) -> str:
    """What failed."""
    lines = []
    for check in (*outcome.checks, *outcome.links):
        if not check.passed:
            which = check.worst
            numbers = check.analytic[which], check.numeric[which], check.tolerance[which]
            lines.append(f"{check.label} {check.problem} {check.index(which)} {numbers}")
    return "; ".join(lines)


def write(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--method", choices=METHODS, default="complex-step")
    parser.add_argument("--own", action="store_true", help="our own gradients instead of other programs'")
    parser.add_argument("--plant", action="store_true", help="also find the smallest planted error")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    smallest: Counter[int] = Counter()
    started = time.process_time()
    for seed in range(given.first, given.first + given.networks):
        subject = draw_subject(seed)
        own = {"own": lambda subject: engine_gradients(Textbook(subject.architecture), subject)}
        for program, differentiate in (own if given.own else PROGRAMS).items():
            gradients = differentiate(subject)
            outcome = run_gradcheck(Gradcheck(subject, gradients, given.method, foreign=not given.own))
            everything = [*outcome.checks, *outcome.links]
            counts["runs"] += 1
            counts["entries"] += sum(len(check.entries) for check in everything)
            counts["kinks"] += sum(int(check.kinks.sum()) for check in everything)
            counts["entries accused"] += sum(int(check.failed.sum()) for check in everything)
            if not outcome.passed:
                counts["networks accused"] += 1
                write(f"{program}, seed {seed}: {tell(outcome)}")
        if given.plant:
            smallest[find_smallest(subject, gradients, given.method, seed)[1]] += 1
        if (seed + 1) % 100 == 0 or seed + 1 == given.first + given.networks:
            write(f"{given.method}, to seed {seed}: {dict(counts)}, {time.process_time() - started:.0f} s of computing")
            if given.plant:
                write(f"smallest relative error found, as exponent: networks: {dict(sorted(smallest.items()))}")


if __name__ == "__main__":
    main()
