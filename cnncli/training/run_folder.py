"""The run folder: what a training leaves behind.

model.safetensors (the best epoch), history.csv (one row an epoch), split.csv (which file was in which split, its
class), settings.json, report.html (the best epoch on the validation images).
"""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from cnncli.data.folder import Sample
from cnncli.data.regular_file import read_regular_file
from cnncli.errors import DataError, UsageError
from cnncli.files import write_atomically
from cnncli.model import FILE_NAME, Model
from cnncli.training.loop import Epoch

HISTORY, SPLIT, SETTINGS, REPORT = "history.csv", "split.csv", "settings.json", "report.html"
MOST_SETTINGS, MOST_TABLE = 16 << 20, 1 << 30  # bytes


def free_run_folder(data: Path) -> Path:
    """Where a run goes that was given no place: runs/NAME, runs/NAME-2, … the first that does not exist."""
    name = data.resolve().name or "run"
    candidates = (Path("runs", name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(path for path in candidates if not path.exists())


def refuse_place(path: Path, data: Path, force: bool) -> None:
    """Raise UsageError where no run can go: something is there that `force` does not give away, or `data` is around."""
    place, around = os.path.realpath(path), os.path.realpath(data)
    if Path(place).is_relative_to(around):
        where = "is" if place == around else "lies in"
        raise UsageError(
            f"{path} {where} {data}, where the next training would take it for images: name a folder elsewhere",
            argument="out",
        )
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

    def __init__(self, path: Path, *, force: bool) -> None:
        """Make the folder. With `force` it may exist: the files of the run in it go, whatever else lies there stays."""
        self.path = path
        self._rows: list[dict[str, Any]] = []
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not force:
                (path / SETTINGS).touch(exist_ok=False)  # whoever makes it has the folder: no two trainings share one
            for name in (FILE_NAME, HISTORY, SPLIT, REPORT):
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

    def write_split(self, root: Path, splits: Mapping[str, Sequence[Sample]], classes: Sequence[str]) -> None:
        """One row a file: its path below the data folder, its split, its class."""
        above = f"{root.as_posix().rstrip('/')}/"
        self._write_csv(
            SPLIT,
            [
                {"file": sample.path.as_posix().removeprefix(above), "split": split, "class": classes[sample.label]}
                for split, samples in splits.items()
                for sample in samples
            ],
        )

    def add_epoch(self, epoch: Epoch) -> None:
        """One more row of the history."""
        self._rows.append(
            {
                "epoch": epoch.number,
                "train_loss": epoch.training.loss,
                "train_accuracy": epoch.training.accuracy,
                "val_loss": epoch.validation.loss,
                "val_accuracy": epoch.validation.accuracy,
                "seconds": round(epoch.seconds, 3),
                "images_per_second": round(epoch.images_per_second, 1),
                **{f"norm dL/d{name}": norm for name, norm in epoch.gradient_norms.items()},
            }
        )
        self._write_csv(HISTORY, self._rows)

    def save(self, model: Model) -> None:
        """Put the model in the place of the best one before."""
        try:
            model.save(self.model)
        except OSError as error:
            raise self._cannot_write(error) from None

    def _write_csv(self, name: str, rows: list[dict[str, Any]]) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self._write(name, text.getvalue())

    def _write(self, name: str, text: str) -> None:
        try:
            write_atomically(self.path / name, text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise self._cannot_write(error) from None

    def _cannot_write(self, error: OSError) -> DataError:
        return DataError(f"{self.path} cannot be written ({error.strerror}): name another folder", remedy="out")
