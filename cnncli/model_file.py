"""Reading a model file that may be damaged, or made to do harm: what its header says is believed only step by step.

The file must be a regular one; the header must be small; the network that it describes must be of a size that there can
be, and the arrays that it lists must be those of that network; only then are the numbers read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cnncli.data.normalisation import Normalisation
from cnncli.data.regular_file import require_regular_file
from cnncli.data.settings import LARGEST_SIDE
from cnncli.errors import ArchitectureError, DataError, ModelError
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Parameters
from cnncli.network.chain import build_chain
from cnncli.network.tensors import Shape
from cnncli.text import printable, shorten

FORMAT_VERSION = 1
METADATA_KEY = "cnncli"
MOST_HEADER = 16 << 20  # bytes; the names of 100,000 classes need less
MOST_BYTES = 1 << 40  # of the whole file: the memory is asked once the architecture is known

Header = Mapping[str, tuple[Shape, str]]  # shape and dtype by name


class Contents(NamedTuple):
    """What a model file holds, all of it checked."""

    architecture: Architecture
    classes: tuple[str, ...]
    normalisation: Normalisation
    parameters: Parameters  # float32


def read_model_file(file: Path) -> Contents:
    """The contents of a model file. Raises ModelError for anything that is not as it should be, in one sentence."""
    import safetensors  # imported here so that commands without a model start faster

    try:
        require_regular_file(file, MOST_BYTES)
        _require_small_header(file)
        with safetensors.safe_open(file, framework="numpy") as content:
            header = {name: _describe(content.get_slice(name)) for name in content.keys()}  # noqa: SIM118  no mapping
            described = _parse_settings(file, content.metadata() or {}, header)
            shapes = build_chain(described.architecture).parameter_shapes
            _check_arrays(file, shapes, header)
            parameters = {name: content.get_tensor(name) for name in shapes}
    except DataError as error:
        raise ModelError(str(error)) from None
    except PermissionError:
        raise ModelError(f"{file}: not allowed to read it") from None
    except (safetensors.SafetensorError, OSError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = shorten(" ".join(str(error).split()), 200)
        raise ModelError(f"{file} is no model file, or a damaged one ({reason})") from None
    for name, array in parameters.items():
        if not np.isfinite(array).all():
            raise ModelError(f"{file}: {name} has entries that are not finite numbers")
    return described._replace(parameters=parameters)


def _require_small_header(file: Path) -> None:
    """Before the library reads it whole."""
    with file.open("rb") as content:
        length = int.from_bytes(content.read(8), "little")
    if length > MOST_HEADER:
        raise ValueError(f"its header claims {length:,} bytes")


def _describe(array: Any) -> tuple[Shape, str]:
    return tuple(array.get_shape()), str(array.get_dtype())


def _parse_settings(file: Path, metadata: Mapping[str, str], header: Header) -> Contents:
    """The network that the header describes, without its parameters."""
    if METADATA_KEY not in metadata:
        raise ModelError(f"{file} is a safetensors file that cnncli did not write: it lacks the network's description")
    try:
        settings = json.loads(metadata[METADATA_KEY])
        version = settings["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ModelError(f"{file}: the network's description is damaged: train it again") from None
    if version != FORMAT_VERSION:
        written = shorten(printable(version), 50)
        raise ModelError(f"{file} is written in format {written}; this cnncli reads format {FORMAT_VERSION}")
    try:
        _require_types(settings["architecture"])
        _require_blocks(settings["architecture"]["filters"], header)
        architecture = Architecture(
            **(settings["architecture"] | {"filters": tuple(settings["architecture"]["filters"])})
        )
        _require_image(architecture)
        build_chain(architecture)
        normalisation = Normalisation(**{name: tuple(map(float, v)) for name, v in settings["normalisation"].items()})
        classes = tuple(map(_require_class, settings["classes"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArchitectureError) as error:
        reason = shorten(printable(error), 200)
        raise ModelError(f"{file} describes no network that can be built ({reason}): train it again") from None
    _check_description(file, architecture, classes, normalisation)
    return Contents(architecture, classes, normalisation, {})


def _require_types(architecture: dict[str, Any]) -> None:
    """Raise TypeError for values of another type than Architecture's own: JSON knows 3.0 and true as well as 3."""
    for name, value in architecture.items():
        default = getattr(Architecture, name, 0)
        expected = (
            (int,) if isinstance(default, tuple) else (type(default), int) if default is None else (type(default),)
        )
        for each in value if isinstance(default, tuple) else [value]:
            if type(each) not in expected:
                raise TypeError(f"{name} is {shorten(repr(each), 50)}")


def _require_blocks(filters: list[int], header: Header) -> None:
    """Raise ValueError for more blocks than the arrays of the file could fill: each would be built first."""
    if len(filters) > len(header):
        raise ValueError(f"{len(filters):,} blocks, but {len(header):,} arrays")


def _require_image(architecture: Architecture) -> None:
    """Raise ValueError for an image that none can be."""
    if architecture.channels not in (1, 3):
        raise ValueError(f"channels is {architecture.channels}; an image has 1 or 3")
    if max(architecture.height, architecture.width) > LARGEST_SIDE:
        size = f"{architecture.height}×{architecture.width}"
        raise ValueError(f"images of {size}; the largest side is {LARGEST_SIDE:,}")


def _require_class(name: object) -> str:
    """The name of a class; as readable as those that a training takes."""
    if not isinstance(name, str) or not name.isprintable():
        raise ValueError(f"{shorten(repr(name), 50)} is no name of a class")
    return name


def _check_description(
    file: Path, architecture: Architecture, classes: tuple[str, ...], normalisation: Normalisation
) -> None:
    """Raise ModelError where the parts of the description do not fit together."""
    if (
        len(set(classes)) != architecture.classes
        or len(classes) != architecture.classes
        or not (len(normalisation.mean) == len(normalisation.std) == architecture.channels)
    ):
        raise ModelError(f"{file}: classes or normalisation do not match the architecture: train it again")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, which is looked for
        mean, std = np.array(normalisation.mean, np.float32), np.array(normalisation.std, np.float32)
    if not (np.isfinite(mean).all() and np.isfinite(std).all() and std.min() > 0):
        raise ModelError(f"{file}: the normalisation has a mean or std that is not a usable number: train it again")


def _check_arrays(file: Path, shapes: Mapping[str, Shape], header: Header) -> None:
    """Hold every array of the header against the architecture."""
    if odd := sorted(shapes.keys() ^ header.keys()):
        what = "lacks" if odd[0] in shapes else "has an unexpected"
        raise ModelError(f"{file} {what} parameter {shorten(printable(odd[0]), 50)}")
    for name, needed in shapes.items():
        shape, dtype = header[name]
        if shape != needed:
            raise ModelError(f"{file}: {name} has the shape {shape}, the architecture needs {needed}")
        if dtype != "F32":
            raise ModelError(f"{file}: {name} has the type {dtype}, it must be F32, which is float32")
