"""The run folder: what a training leaves behind.

model.safetensors (the best epoch), last.safetensors (what a resume needs), history.csv (one row an epoch), split.csv
(which file was in which split, its class, its pixels' fingerprint), settings.json.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from cnncli.data.dataset import Dataset
from cnncli.errors import DataError, UsageError
from cnncli.files import write_atomically
from cnncli.model import FILE_NAME, Model
from cnncli.text import printable
from cnncli.training.checkpoint import LAST, Checkpoint
from cnncli.training.state import Epoch

HISTORY, SPLIT, SETTINGS = "history.csv", "split.csv", "settings.json"


def free_run_folder(data: Path) -> Path:
    """Where a run goes that was given no place: runs/NAME, runs/NAME-2, … the first that does not exist."""
    name = data.resolve().name or "run"
    candidates = (Path("runs", name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(path for path in candidates if not path.exists())


def refuse_existing(path: Path, force: bool) -> None:
    """Raise UsageError where something is already there that `force` does not give away."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file: name a folder that does not exist yet", argument="out")
    if path.is_dir() and any(path.iterdir()) and not (path / SETTINGS).exists():
        raise UsageError(f"{path} exists and holds no run: name a folder that does not exist yet", argument="out")
    if path.exists() and not force:
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


def split_text(
    root: Path,
    splits: Mapping[str, Dataset],
    fingerprints: Sequence[Sequence[str]],
    classes: Sequence[str],
) -> str:
    """split.csv, a row for each file: its path below the data folder, its split, its class, its pixels' fingerprint."""
    above = f"{root.as_posix().rstrip('/')}/"
    rows = [
        {
            "file": sample.path.as_posix().removeprefix(above),
            "split": split,
            "class": classes[sample.label],
            "pixels": mark,
        }
        for (split, dataset), marks in zip(splits.items(), fingerprints, strict=True)
        for sample, mark in zip(dataset.samples, marks, strict=True)
    ]
    return _csv_text(rows)


def describe_change(before: str, now: str) -> str:
    """How one split differs from another, in a few words: "1 image is new (a/7.png)"."""
    old, new = ({row["file"]: row for row in csv.DictReader(io.StringIO(text))} for text in (before, now))
    both = [file for file in old if file in new]
    kinds = {
        "new": [file for file in new if file not in old],
        "gone": [file for file in old if file not in new],
        "changed": [file for file in both if old[file]["pixels"] != new[file]["pixels"]],
        "in another split or class": [
            file
            for file in both
            if (old[file]["split"], old[file]["class"]) != (new[file]["split"], new[file]["class"])
        ],
    }
    told = [
        f"1 image is {kind} ({printable(files[0])})"
        if len(files) == 1
        else f"{len(files)} images are {kind} ({printable(files[0])}, …)"
        for kind, files in kinds.items()
        if files
    ]
    return ", ".join(told) or "the images are in another order"


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
            for name in (LAST, FILE_NAME, HISTORY, SPLIT):
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
            self._write(HISTORY, _csv_text([_history_row(epoch) for epoch in history]))

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


def _history_row(epoch: Epoch) -> dict[str, Any]:
    activity = epoch.activity
    return {
        "epoch": epoch.number,
        "train_loss": epoch.training.loss,
        "train_accuracy": epoch.training.accuracy,
        "val_loss": epoch.validation.loss,
        "val_accuracy": epoch.validation.accuracy,
        "learning_rate": epoch.learning_rate,
        "seconds": round(epoch.seconds, 3),
        "images_per_second": round(epoch.images_per_second, 1),
        **{f"norm dL/d{name}": norm for name, norm in epoch.gradient_norms.items()},
        **{f"update/weight {name}": ratio for name, ratio in epoch.update_ratios.items()},
        **{f"dead {name}": share for name, share in activity.dead.items()},
        **{f"won {name}": " ".join(f"{share:.4f}" for share in shares) for name, shares in activity.won.items()},
    }


def _csv_text(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
