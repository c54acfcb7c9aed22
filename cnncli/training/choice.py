"""Which settings a training has: what was chosen wins over a file, a file over a recipe, a recipe over the defaults."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, get_args

from cnncli.errors import UsageError
from cnncli.training.checkpoint import LAST, read_checkpoint
from cnncli.training.config import NAMES, NETWORK, read_config
from cnncli.training.recipes import RECIPES
from cnncli.training.run_folder import latest_run_folder
from cnncli.training.settings import OF_THE_CALL, RecipeName, TrainingSettings


def choose_settings(data: Path, given: Mapping[str, Any], config: Path | None = None) -> TrainingSettings:
    """The settings of a training on `data`; those of the run where one is resumed.

    Raises UsageError for a name that is no setting, a value out of range, and what contradicts the run.
    """
    chosen = {**(read_config(config) if config else {}), **given}
    if unknown := sorted(chosen.keys() - {*NAMES, "out", "force", "resume"}):
        raise UsageError(f"is no setting of a training: there are {', '.join(NAMES)}", argument=unknown[0])
    chosen = {name: _normalise(name, value) for name, value in chosen.items()}
    run = (chosen.get("out") or latest_run_folder(data)) if chosen.get("resume") else None
    if run is not None and (run / LAST).is_file():
        chosen = _resume(run, chosen)
    else:
        recipe = chosen.get("recipe", TrainingSettings.recipe)
        chosen = {**(RECIPES[recipe] if recipe in get_args(RecipeName) else {}), **chosen}
    network = {name: chosen.pop(name) for name in NETWORK if name in chosen}
    return TrainingSettings(data, network=network, **chosen)


def _resume(run: Path, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the run, with those of the call."""
    stored = {name: _normalise(name, value) for name, value in read_checkpoint(run / LAST).settings.items()}
    longer = stored["schedule"] == "constant" and chosen.get("epochs", 0) > stored["epochs"]  # changes no step so far
    free = {*OF_THE_CALL, *(["epochs"] if longer else [])}
    for name, value in chosen.items():
        if name not in free and value != stored[name]:
            scheduled = name == "epochs" and stored["schedule"] != "constant"
            why = f", for which its {stored['schedule']} schedule was made" if scheduled else ""
            raise UsageError(
                f"is {_show(value)}, but the run in {run} has {_show(stored[name])}{why}: "
                "leave it out, or begin a new run",
                argument=name,
            )
    kept = {name: value for name, value in stored.items() if name in NAMES and value is not None}
    return {**kept, **{name: value for name, value in chosen.items() if name in free}}


def _normalise(name: str, value: Any) -> Any:
    """The form that settings have, whoever brings them: tuples, paths, 1.0 for a 1 that is no count."""
    if name in ("filters", "augment"):
        return tuple(value) if isinstance(value, tuple | list) else (value,)
    if name in ("out", "init") and value is not None:
        if not isinstance(value, str | PathLike):
            raise UsageError(f"is {value!r}, not a path", argument=name)
        return Path(value)
    kind = TrainingSettings.__annotations__.get(name)
    return float(value) if type(value) is int and kind in (float, float | None) else value


def _show(value: Any) -> str:
    return (",".join(map(str, value)) or "none") if isinstance(value, tuple) else str(value)
