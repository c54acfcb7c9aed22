"""The engines that there are, the fastest first, and the choice among them."""

from cnncli.network.architecture import Architecture
from cnncli.network.engine import Engine
from cnncli.network.fused.engine import Fused
from cnncli.network.textbook import Textbook

FASTEST = Fused.name


def choose_engine(architecture: Architecture, threads: int | None = None) -> Engine:
    """The fastest engine that takes an architecture; the textbook engine takes every one."""
    return Fused(architecture, threads) if Fused.takes(architecture) else Textbook(architecture)
