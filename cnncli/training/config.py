"""Settings of a training from a file: TOML as a person writes it, or the settings.json of a run."""

import json
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cnncli.data.regular_file import read_regular_file
from cnncli.errors import DataError, UsageError
from cnncli.network.architecture import Architecture
from cnncli.training.settings import TrainingSettings

# What settings.json tells beside settings.
OF_THE_RUN = ("cnncli", "data", "engine_used", "architecture", "classes", "normalisation")
OF_THE_DATA = ("height", "width", "channels", "classes")  # fields of Architecture that nobody chooses
NETWORK = tuple(name for name in Architecture.__dataclass_fields__ if name not in OF_THE_DATA)
MOST = 16 << 20  # bytes
NOT_HERE = ("data", "out", "network", "force", "resume")
NAMES = (*(name for name in TrainingSettings.__dataclass_fields__ if name not in NOT_HERE), *NETWORK)


def read_config(path: Path) -> dict[str, Any]:
    """The settings in a file, by name. Raises DataError for a damaged file and UsageError for an unknown setting."""
    try:
        text = read_regular_file(path, MOST).decode("utf-8")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no {'JSON' if path.suffix == '.json' else 'TOML'} ({error}): fix it") from None
    if not isinstance(values, dict):
        raise DataError(f"{path} holds no settings by name: fix it")
    return {name: _as_setting(value) for name, value in _known(values, path).items() if value is not None}


def _known(values: Mapping[str, Any], path: Path) -> dict[str, Any]:
    settings = {name.replace("-", "_"): value for name, value in values.items() if name not in OF_THE_RUN}
    if unknown := sorted(settings.keys() - {*NAMES}):
        near = get_close_matches(unknown[0], NAMES, 1)
        offered = f"is it {near[0]}" if near else f"there are {', '.join(NAMES)}"
        raise UsageError(f"{path}: {unknown[0]} is no setting of a training; {offered}{'?' if near else ''}")
    return settings


def _as_setting(value: Any) -> Any:
    """Lists as tuples."""
    return tuple(value) if isinstance(value, list) else value
