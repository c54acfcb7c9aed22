"""The engines that there are, the fastest first, and the choice among them."""

from cnncli.network.architecture import Architecture
from cnncli.network.engine import Engine
from cnncli.network.numpy_engine.engine import NumpyEngine
from cnncli.network.textbook import Textbook

FASTEST = NumpyEngine.name


def choose_engine(architecture: Architecture, threads: int | None = None) -> Engine:  # noqa: ARG001
    """The fastest engine that takes an architecture; the textbook engine takes every one."""
    return NumpyEngine(architecture) if NumpyEngine.takes(architecture) else Textbook(architecture)
