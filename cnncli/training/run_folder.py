"""The run folder: what a training leaves behind.

model.safetensors (the best epoch), last.safetensors (what a resume needs), history.csv (one row an epoch), split.csv
(which file was in which split, its class, its pixels' fingerprint), settings.json, report.html (the best epoch on the
validation images).
"""

import csv
import io
import json
import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from cnncli.data.regular_file import read_regular_file
from cnncli.errors import DataError, UsageError
from cnncli.files import write_atomically
from cnncli.model import FILE_NAME, Model
from cnncli.training.checkpoint import LAST, Checkpoint
from cnncli.training.split_table import table_text
from cnncli.training.state import Epoch

HISTORY, SPLIT, SETTINGS, REPORT = "history.csv", "split.csv", "settings.json", "report.html"
MOST_SETTINGS, MOST_TABLE = 16 << 20, 1 << 30  # bytes


def free_run_folder(data: Path) -> Path:
    """Where a run goes that was given no place: runs/NAME, runs/NAME-2, … the first that does not exist."""
    name = data.resolve().name or "run"
    candidates = (Path("runs", name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(path for path in candidates if not os.path.lexists(path))


def choose_place(out: Path | None, data: Path, force: bool) -> Path:
    """Where a run goes: `out`, or the first free place, for which no more is promised than that nothing was there.

    Raises UsageError where no run can go: `data` is around, or something is there that `force` does not give away.
    """
    path = out or free_run_folder(data)
    place, around = os.path.realpath(path), os.path.realpath(data)
    if Path(place).is_relative_to(around):
        where = "is" if place == around else "lies in"
        raise UsageError(
            f"{path} {where} {data}, where the next training would take it for images: name a folder elsewhere",
            argument="out",
        )
    if out is not None:
        _refuse_taken(out, force)
    return path


def _refuse_taken(path: Path, force: bool) -> None:
    try:
        there, empty = path.is_dir(), path.is_dir() and not any(path.iterdir())
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name another folder", remedy="out") from None
    if os.path.lexists(path) and not there:
        raise UsageError(f"{path} is a file: name a folder that does not exist yet", argument="out")
    if there and not empty and not is_run(path):
        raise UsageError(f"{path} exists and holds no run: name a folder that does not exist yet", argument="out")
    if there and not force:
        raise UsageError(
            f"{path} exists: name another folder, or replace the run in it", argument="out", remedy="force"
        )


def latest_run_folder(data: Path) -> Path:
    """The run that was begun last of those that were given no place, or where the first one would go."""
    free = free_run_folder(data)
    name, _, number = free.name.rpartition("-")
    if name != (data.resolve().name or "run"):
        return free
    return free.with_name(name if number == "2" else f"{name}-{int(number) - 1}")


def list_validation_images(run: Path) -> list[Path]:
    """The files on which a run was validated, as its split names them; none where it tells of none."""
    try:
        root = Path(json.loads(read_regular_file(run / SETTINGS, MOST_SETTINGS))["data"])
        rows = read_table(run / SPLIT)
        return [root / row["file"] for row in rows if row["split"] == "validation"]
    except (DataError, ValueError, KeyError, TypeError, RecursionError):
        return []


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of one of a run's CSV files, by column. Raises DataError where it cannot be read."""
    text = read_regular_file(path, MOST_TABLE).decode("utf-8", "surrogateescape")
    try:
        return list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise DataError(f"{path} is no table ({error})") from None


def is_run(folder: Path) -> bool:
    """Whether a training made this folder: it says so in its settings, or has got no further than an empty file."""
    try:
        content = read_regular_file(folder / SETTINGS, MOST_SETTINGS)
        settings = json.loads(content) if content else None
    except (DataError, ValueError, RecursionError):
        return False
    if not content:
        return [path.name for path in folder.iterdir()] == [SETTINGS]
    return isinstance(settings, dict) and settings.keys() >= {"cnncli", "architecture", "classes", "normalisation"}


class RunFolder:
    """A run folder that is being filled. Raises DataError wherever it cannot be written."""

    def __init__(self, path: Path, *, force: bool, resume: bool = False) -> None:
        """Make the folder. With `force` it may exist: the files of the run in it go, whatever else lies there stays.

        With `resume` the run in it stays too.
        """
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            if resume:
                return
            if not force:
                (path / SETTINGS).touch(exist_ok=False)  # whoever makes it has the folder: no two trainings share one
            for name in (LAST, FILE_NAME, HISTORY, SPLIT, REPORT):
                (path / name).unlink(missing_ok=True)
        except FileExistsError:
            raise UsageError(
                f"{path} was taken by another training meanwhile: name another folder", argument="out"
            ) from None
        except OSError as error:
            raise self._cannot_write(error) from None

    @property
    def model(self) -> Path:
        """The best epoch's model file."""
        return self.path / FILE_NAME

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Everything the run was made with."""
        self._write(SETTINGS, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")

    def write_split(self, text: str) -> None:
        """Which file is where; see `split_text`."""
        self._write(SPLIT, text)

    def write_history(self, history: Sequence[Epoch]) -> None:
        """One row for each epoch."""
        if history:
            self._write(HISTORY, table_text([_history_row(epoch) for epoch in history]))

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Put the checkpoint in the place of the one before."""
        try:
            checkpoint.save(self.path / LAST)
        except OSError as error:
            raise self._cannot_write(error) from None

    def save(self, model: Model) -> None:
        """Put the model in the place of the best one before."""
        try:
            model.save(self.model)
        except OSError as error:
            raise self._cannot_write(error) from None

    def _write(self, name: str, text: str) -> None:
        try:
            write_atomically(self.path / name, text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise self._cannot_write(error) from None

    def _cannot_write(self, error: OSError) -> DataError:
        return DataError(f"{self.path} cannot be written ({error.strerror}): name another folder", remedy="out")


class FollowedRun(RunFolder):
    """The run folder as ranks see it that do not write: nothing they keep there gets there."""

    def __init__(self, path: Path, *, force: bool, resume: bool = False) -> None:  # noqa: ARG002
        self.path = path

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Leave it to rank 0."""

    def save(self, model: Model) -> None:
        """Leave it to rank 0."""

    def _write(self, name: str, text: str) -> None:
        """Leave it to rank 0."""


def _history_row(epoch: Epoch) -> dict[str, Any]:
    activity = epoch.activity
    return {
        "epoch": epoch.number,
        "train_loss": epoch.training.loss,
        "train_accuracy": epoch.training.accuracy,
        "val_loss": epoch.validation.loss,
        "val_accuracy": epoch.validation.accuracy,
        "judged_accuracy": epoch.judged.accuracy,
        "judged_loss": epoch.judged.loss,
        "learning_rate": epoch.learning_rate,
        "seconds": round(epoch.seconds, 3),
        "images_per_second": round(epoch.images_per_second, 1),
        **{f"norm dL/d{name}": norm for name, norm in epoch.gradient_norms.items()},
        **{f"update/weight {name}": ratio for name, ratio in epoch.update_ratios.items()},
        **{f"dead {name}": share for name, share in activity.dead.items()},
        **{f"won {name}": " ".join(f"{share:.4f}" for share in shares) for name, shares in activity.won.items()},
    }
