"""A function and its inputs as a shell names them: module:f or file.py:f, an .npz file or shapes."""

import importlib
import importlib.util
import inspect
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cnncli.errors import DataError, UsageError
from cnncli.network.arrays import Array


def load_function(name: str) -> Callable[..., Any]:
    """The function of "module:f" or "path/file.py:f"; importing runs the module. Raises UsageError and DataError.

    A module is looked for where Python finds modules, and last in the working folder.
    """
    place, colon, attribute = name.rpartition(":")
    if not (colon and place and attribute):
        raise UsageError(f"{name}: name a function as module:f or file.py:f")
    try:
        module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    except DataError:
        raise
    except BaseException as error:  # whatever importing it raises is reported
        if isinstance(error, KeyboardInterrupt):
            raise
        text = f": {error}" if str(error) else ""
        raise DataError(f"{place} cannot be imported: {type(error).__name__}{text}") from None
    value: Any = module
    for part in attribute.split("."):
        value = getattr(value, part, None)
    if not callable(value):
        raise DataError(f"{place} has no function {attribute}")
    function: Callable[..., Any] = value
    return function


def _load_module(name: str) -> Any:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # last, so that no file of the folder takes the place of another module
    return importlib.import_module(name)


def _load_file(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise DataError(f"{path} is no Python file")
    sys.path.append(str(path.resolve().parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def read_inputs(path: Path, f: Callable[..., Any]) -> list[Array]:
    """The arrays of an .npz file, in the order of f's arguments if they have their names. Raises DataError.

    Names that fit none of the arguments say nothing; those of which only some fit are refused, and those with a gap.
    """
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return [content]
        with content:
            arrays = {key: content[key] for key in content.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is no .npz file of plain arrays ({error})") from None
    try:
        arguments = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):  # of a builtin
        arguments = []
    if not {*arguments} & {*arrays}:
        return list(arrays.values())
    first = arguments[: len(arrays)]
    if {*first} != {*arrays}:
        raise DataError(
            f"{path} holds {', '.join(arrays)}, and the arguments are {', '.join(arguments)}: "
            "name all arrays after the first arguments, or none"
        )
    return [arrays[name] for name in first]


def draw_inputs(shapes: str, seed: int) -> list[Array]:
    """Normal numbers in shapes such as "3x4,4x5"; "1" is a vector of one. Raises UsageError."""
    random = np.random.default_rng([seed, 1])
    inputs = []
    for shape in shapes.replace("×", "x").split(","):
        try:
            sizes = [int(size) for size in shape.split("x")]
        except ValueError:
            sizes = [-1]
        if min(sizes) < 0:
            raise UsageError(f"'{shapes}' are no shapes like 3x4,4x5", argument="shape")
        inputs.append(random.normal(size=sizes))
    return inputs
