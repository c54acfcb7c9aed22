"""What the shell offers while a value is typed: runs and models, classes, names of the chain's values.

A function here takes what was typed so far and gives whole values. It never fails: where nothing can be told it offers
nothing, and the shell completes the names of files.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cnncli.model import Model
    from cnncli.network.chain import Chain

Complete = Callable[[typer.Context, str], Iterable[str]]


def _quietly(complete: Complete) -> Callable[[typer.Context, str], list[str]]:
    """Nothing instead of an error: nobody reads one in the middle of a line."""

    @wraps(complete)
    def offered(context: typer.Context, incomplete: str) -> list[str]:
        try:
            return list(complete(context, incomplete))
        except Exception:  # noqa: BLE001  whatever a half-written command or a damaged model leads to
            return []

    return offered


@_quietly
def complete_model(context: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """The runs and model files beside what was typed; where nothing was typed, those of runs/ and of this folder."""
    from cnncli.training.run_folder import is_run

    typed = incomplete.rpartition("/")[0]
    for folder in (Path(typed or "/"),) if "/" in incomplete else (Path("runs"), Path()):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix == ".safetensors" or (path.is_dir() and is_run(path)):
                yield str(path)


@_quietly
def complete_class(context: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """The model's classes; without a model their numbers."""
    model = _find_model(context)
    return model.classes if model else map(str, range(context.params["classes"]))


@_quietly
def complete_names(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Names with commas between them: the last one."""
    before, comma, _ = incomplete.rpartition(",")
    return (before + comma + name for name in _chain(context).tensors)


@_quietly
def complete_entry(context: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """The name of anything whose entries can be explained."""
    return _chain(context).tensors


@_quietly
def complete_followed(context: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """The name of anything that L is a function of."""
    return _chain(context).gradients


@_quietly
def complete_derivative(context: typer.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """The name of a derivative that is checked."""
    return (tensor.gradient.name for tensor in _chain(context).gradients.values())


def _find_model(context: typer.Context) -> "Model | None":
    """The model of the command so far."""
    from cnncli.model import load_model

    path = context.params["model"]
    return load_model(path) if path else None


def _chain(context: typer.Context) -> "Chain":
    """A chain with the names of the one that the command so far means: they follow from the number of blocks."""
    from cnncli.network.architecture import Architecture
    from cnncli.network.chain import build_chain

    if model := _find_model(context):
        return model.chain
    return build_chain(Architecture(1, 1, filters=context.params["filters"], kernel=1, pool=1))
