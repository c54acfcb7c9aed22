"""How networks and images are drawn: sizes and numbers at random, the same for the same seed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncli.errors import ArchitectureError
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.initialisation import he_normal
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject

MOST_TRIES = 1000


def draw_any(seed: int, number: int, *, unusual: bool = False) -> Subject:
    """Sizes and numbers at random, and options that only some functions take where they may be unusual."""
    random = np.random.default_rng([seed, 7, number])

    def pick(least: int, beyond: int) -> int:
        return int(random.integers(least, beyond))

    for _ in range(MOST_TRIES):
        sizes: dict[str, Any] = {
            "height": pick(4, 14),
            "width": pick(4, 14),
            "channels": pick(1, 5),
            "filters": (pick(1, 9),),
        }
        sizes |= {"kernel": pick(1, 5), "pool": pick(1, 4)}
        if unusual:
            sizes |= {"padding": pick(0, 3), "stride": pick(1, 4), "dilation": pick(1, 3), "pool_stride": pick(1, 4)}
            sizes |= {"classes": pick(2, 7), "pooling": ("max", "average")[pick(0, 2)]}
        try:
            architecture = Architecture(**sizes)
            build_chain(architecture)
        except ArchitectureError:
            continue
        return draw(architecture, pick(1, 6), seed + number)
    raise AssertionError("no sizes fit")


def draw_deep(seed: int, number: int, *, unusual: bool = False) -> Subject:
    """Two blocks, with padding and more classes than two where they may be unusual."""
    random = np.random.default_rng([seed, 11, number])
    C, N, M, m = (int(count) for count in random.integers(1, 4, 4))
    H, W = (int(side) for side in random.integers(10, 15, 2))
    options: dict[str, Any] = {"padding": 1 + number % 2, "classes": 2 + number // 2} if unusual else {}
    return draw(Architecture(H, W, channels=C, filters=(N, M), **options), m, seed + number)


def draw(architecture: Architecture, m: int, seed: int) -> Subject:
    """m images of a network, all numbers at random."""
    random = np.random.default_rng([seed, m, architecture.height, architecture.width])
    parameters = he_normal(architecture, seed)
    for name, tensor in build_chain(architecture).parameters.items():
        if tensor.role == "bias":
            parameters[name] += random.normal(size=parameters[name].shape) / 4
    X = random.normal(size=(m, architecture.channels, architecture.height, architecture.width))
    y = random.integers(0, architecture.classes, m)
    classes = tuple(map(str, range(architecture.classes)))
    subject = Subject(architecture, parameters, classes, X, y, ("",) * m, "random")
    return _enliven(subject) if len(architecture.filters) > 1 else subject


def _enliven(subject: Subject) -> Subject:
    """Biases such that half of each filter's Z are positive: behind a block of negative Z nothing is seen.

    Half way between two of them, so that none comes to lie at 0.
    """
    for block in subject.architecture.blocks:
        record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
        Z = np.sort(record[f"Z{block}"].swapaxes(0, 1).reshape(subject.architecture.filters[block - 1], -1))
        middle = Z.shape[1] // 2
        subject.parameters[f"b{block}"][:] -= (Z[:, middle - 1] + Z[:, middle]) / 2
    return subject


def stretch(subject: Subject, largest: float) -> Subject:
    """w2 so large that |z| is as large as said: from 40 on A is 0 or 1 to rounding, from 710 on e^z overflows."""
    z = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)["z2"]
    subject.parameters["w2"][:] *= largest / np.abs(z).max()
    return subject


def aim(subject: Subject, z: Sequence[Sequence[float]]) -> Subject:
    """w2 such that the logits of the images are these (m, K), where F has more entries than there are images."""
    F = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)["F"]
    subject.parameters["w2"][:] = (np.linalg.pinv(F) @ np.array(z)).T
    subject.parameters["b2"][:] = 0
    return subject
