"""last.safetensors: everything that a training needs to go on, written whole or not at all.

Parameters in float32 under their names, the optimiser's memory as "sum/parameter", the split as its CSV text, and in
the metadata one JSON string with the rest.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnncli.data.normalisation import Normalisation
from cnncli.errors import ArchitectureError, ModelError
from cnncli.files import write_atomically
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Parameters
from cnncli.network.engine import name_numbers
from cnncli.training.activity import Activity
from cnncli.training.optimisers import make_optimiser
from cnncli.training.state import Epoch, Score, State, Tally

LAST = "last.safetensors"
FORMAT_VERSION = 1
METADATA_KEY = "cnncli training"
SPLIT = "split"


@dataclass(frozen=True)
class Checkpoint:
    """A training between two steps."""

    model: Model  # the latest parameters, not the best
    state: State
    settings: dict[str, Any]  # as in settings.json
    split: str  # split.csv
    listed: str  # as in Data

    def save(self, path: Path) -> None:
        """Write the file. Raises OSError."""
        from safetensors.numpy import save as safetensors_bytes

        optimiser = self.state.optimiser
        description = {
            "format": FORMAT_VERSION,
            "architecture": asdict(self.model.architecture),
            "classes": self.model.classes,
            "normalisation": asdict(self.model.normalisation),
            "settings": self.settings,
            "listed": self.listed,
            "steps": optimiser.steps,
            "history": [asdict(epoch) for epoch in self.state.history],
            "tally": asdict(self.state.tally),
        }
        arrays = {
            **self.model.parameters,
            SPLIT: np.frombuffer(self.split.encode("utf-8", "surrogateescape"), np.uint8),
        }
        shapes = {name: value.shape for name, value in self.model.parameters.items()}
        for name, row in optimiser.memory.items():
            arrays |= {f"{name}/{parameter}": value for parameter, value in name_numbers(row, shapes).items()}
        # safetensors 0.8.0 writes an array that is not contiguous wrongly, without a word.
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        write_atomically(path, safetensors_bytes(whole, {METADATA_KEY: json.dumps(description, ensure_ascii=False)}))


def read_checkpoint(file: Path) -> Checkpoint:
    """Read the file. Raises ModelError for a damaged one."""
    import safetensors

    try:
        with safetensors.safe_open(file, framework="numpy") as content:
            description = json.loads((content.metadata() or {})[METADATA_KEY])
            arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118  it is no mapping
        if description["format"] != FORMAT_VERSION:
            raise ValueError(f"its format is {description['format']}, not {FORMAT_VERSION}")
        return _restore(description, arrays)
    except PermissionError:
        raise ModelError(f"{file}: not allowed to read it") from None
    except (
        *(safetensors.SafetensorError, OSError, RecursionError, ArchitectureError),
        *(KeyError, TypeError, ValueError, AttributeError),
    ) as error:
        raise ModelError(f"{file} cannot be gone on with ({error}): start again", remedy="force") from None


def _restore(description: Mapping[str, Any], arrays: Parameters) -> Checkpoint:
    shape = description["architecture"]
    architecture = Architecture(**{**shape, "filters": tuple(shape["filters"])})
    normalisation = Normalisation(**{name: tuple(values) for name, values in description["normalisation"].items()})
    settings = description["settings"]
    model = Model(architecture, tuple(description["classes"]), normalisation, {})
    optimiser = make_optimiser(
        settings["optimizer"], momentum=settings["momentum"], weight_decay=settings["weight_decay"]
    )
    optimiser.steps = description["steps"]
    shapes = model.chain.parameter_shapes
    for name, expected in shapes.items():
        model.parameters[name] = _checked(arrays, name, expected)
    for sums in optimiser.sums if optimiser.steps else ():
        optimiser.memory[sums] = np.concatenate(
            [_checked(arrays, f"{sums}/{name}", expected).reshape(-1) for name, expected in shapes.items()]
        )
    history = [_restore_epoch(epoch) for epoch in description["history"]]
    state = State(optimiser, history, Tally(**description["tally"]))
    split = arrays[SPLIT].tobytes().decode("utf-8", "surrogateescape")
    return Checkpoint(model, state, settings, split, description["listed"])


def _checked(arrays: Parameters, name: str, shape: tuple[int, ...]) -> Array:
    array = arrays[name]
    if array.shape != shape or array.dtype != np.float32:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, not float32 {shape}")
    return array.copy()


def _restore_epoch(values: Mapping[str, Any]) -> Epoch:
    scores = {split: Score(**values[split]) for split in ("training", "validation", "judged")}
    return Epoch(**{**values, **scores, "activity": Activity(**values["activity"])})
