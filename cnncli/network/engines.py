"""The engines that there are, the fastest first, and the choice among them."""

import os
from typing import get_args

from cnncli.errors import UsageError
from cnncli.network.architecture import Architecture
from cnncli.network.compiled.engine import CompiledEngine
from cnncli.network.compiled.library import NO_LIBRARY, load_library
from cnncli.network.engine import Engine
from cnncli.network.engine_names import ENGINE_VARIABLE, EngineName
from cnncli.network.numpy_engine.engine import NumpyEngine
from cnncli.network.textbook import Textbook

ENGINES: tuple[type[Engine], ...] = (CompiledEngine, NumpyEngine, Textbook)


def usable_engines(architecture: Architecture, name: EngineName = "auto") -> list[type[Engine]]:
    """The engines that take an architecture, the fastest first; one alone where a person names it.

    A name is that of the argument or, with "auto", of CNNCLI_ENGINE. Raises UsageError where it is no engine's, or the
    engine's that does not take the network.
    """
    argument, said = ("engine", "") if name != "auto" else ((), f"{ENGINE_VARIABLE} ")
    chosen = str(name) if name != "auto" else os.environ.get(ENGINE_VARIABLE, "auto")
    if chosen in ("", "auto"):
        return [engine for engine in ENGINES if engine.takes(architecture)]
    if chosen not in get_args(EngineName):
        names = ", ".join(get_args(EngineName))
        raise UsageError(f"{said}is {chosen!r}; it is one of {names}", argument=argument)
    engine = next(engine for engine in ENGINES if engine.name == chosen)
    if not engine.takes(architecture):
        raise UsageError(f"{said}{chosen} cannot be had: {tell_why_not(engine)}", argument=argument)
    return [engine]


def choose_engine(architecture: Architecture, threads: int | None = None, name: EngineName = "auto") -> Engine:
    """The fastest engine that takes an architecture, or the one that is named. Raises as `usable_engines`."""
    return usable_engines(architecture, name)[0].make(architecture, threads)


def tell_engine(engine: Engine) -> str:
    """Which engine runs, and why not a faster one if the environment asks for none."""
    asked = os.environ.get(ENGINE_VARIABLE, "auto") not in ("", "auto")
    faster = [] if asked else ENGINES[: ENGINES.index(type(engine))]
    reasons = [tell_why_not(kind) for kind in faster if not kind.takes(engine.architecture)]
    return "; ".join([f"engine: {engine.description}", *reasons])


def tell_why_not(engine: type[Engine]) -> str:
    """Why an engine does not take a network."""
    if engine is CompiledEngine and load_library() is None:
        return NO_LIBRARY
    return f"the {engine.name} engine does not take this network"
