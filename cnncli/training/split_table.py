"""split.csv: which file is in which split, with its class and a fingerprint of its pixels."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnncli.data.dataset import Dataset
from cnncli.data.folder import names_below
from cnncli.text import printable


def split_text(
    root: Path,
    splits: Mapping[str, Dataset],
    fingerprints: Sequence[Sequence[str]],
    classes: Sequence[str],
) -> str:
    """split.csv, a row for each file: its path below the data folder, its split, its class, its pixels' fingerprint."""
    rows = [
        {"file": file, "split": split, "class": classes[sample.label], "pixels": mark}
        for (split, dataset), marks in zip(splits.items(), fingerprints, strict=True)
        for file, sample, mark in zip(names_below(root, dataset.samples), dataset.samples, marks, strict=True)
    ]
    return table_text(rows)


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


def table_text(rows: Sequence[dict[str, Any]]) -> str:
    """Rows, by column, as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    columns = list(rows[0])
    writer.writerow(columns)
    writer.writerows([row[column] for column in columns] for row in rows)  # DictWriter takes three times as long
    return text.getvalue()
