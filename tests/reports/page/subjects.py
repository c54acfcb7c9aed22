"""Traces of seven kinds of network, for the tests of the page."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.initialisation import he_normal
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose
from cnncli.tracing.trace import Trace, trace_image


def example() -> Trace:
    """The note's."""
    return trace_image(choose([], None, None, FreshNetwork()))


def fresh(architecture: Architecture, X: Array | None = None, label: int = 1, scale: float = 1.0) -> Trace:
    """Weights of seed 3, and X or random numbers."""
    shape = (1, architecture.channels, architecture.height, architecture.width)
    image = np.random.default_rng(7).normal(size=shape) if X is None else X
    parameters = {name: scale * value for name, value in he_normal(architecture, 3).items()}
    classes = tuple(f"class <{k}>" for k in range(architecture.classes))
    return trace_image(Subject(architecture, parameters, classes, image, np.array([label]), ("numbers",), "seed 3"))


def unlabelled() -> Trace:
    """The note's, whose true class nothing tells."""
    return trace_image(replace(example().subject, classes=("ankle-boot", "sneaker"), predicted=True))


KINDS: dict[str, Callable[[], Trace]] = {
    "example": example,
    "two blocks, colour, softmax": lambda: fresh(Architecture(11, 11, 3, (3, 2), classes=4)),
    "average pooling, padding": lambda: fresh(Architecture(7, 6, 1, (2,), padding=1, pooling="average")),
    "ties everywhere": lambda: fresh(Architecture(6, 6, 1, (2,)), np.ones((1, 1, 6, 6))),
    "saturated": lambda: fresh(Architecture(6, 6, 2, (2,), classes=3), scale=40.0),
    "wide numbers": lambda: fresh(Architecture(16, 16, 1, (2,), padding=1), scale=30.0),
    "large": lambda: fresh(Architecture(28, 28, 1, (8,))),
}
