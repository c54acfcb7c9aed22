"""`cnncli export` as a plain function: a model becomes a file that predicts without cnncli, and is held against it."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

import numpy as np

from cnncli.errors import DataError, ModelError, UsageError
from cnncli.exporting.checks import Checks, collect_checks
from cnncli.exporting.formats import format_of
from cnncli.exporting.tolerance import TOLERANCE
from cnncli.files import write_atomically
from cnncli.model import load_model
from cnncli.network.arrays import Array


@dataclass(frozen=True)
class Exported:
    """A file that was written, and how it compares."""

    path: Path
    written: str  # what it is, in a few words
    checked_by: str  # what ran it, or will
    images: int  # that it was run on
    source: str  # where they come from
    largest_difference: float | None  # of a probability from the model's own; None where nothing could run it


def export_model(model: Path, output: Path, *, force: bool = False) -> Exported:
    """Write a model (a file, or a run folder that holds one) in the format of the suffix of `output`.

    The file is run on the run's validation images before it is put in its place; where its probabilities differ from
    the model's own by more than 1e-5, nothing is written. Raises UsageError, ModelError and DataError.
    """
    format_ = format_of(output)
    if output.exists() and not force:
        raise UsageError(f"{output} exists: name another file, or replace it", remedy="force")
    loaded = load_model(model)
    checks = collect_checks(loaded, model)
    try:
        content = format_.render(loaded, checks)
        found = format_.answer(content, checks)
    except OSError as error:
        raise DataError(f"{gettempdir()} takes no temporary file ({error.strerror})") from None
    difference = None if found is None else _compare(found, checks, output)
    try:
        write_atomically(output, content, replace=force)
    except OSError as error:
        raise DataError(f"{output} cannot be written ({error.strerror})") from None
    return Exported(output, format_.WRITTEN, format_.CHECKED_BY, len(checks.pixels), checks.source, difference)


def _compare(found: Array, checks: Checks, output: Path) -> float:
    """The largest difference of a probability. Raises ModelError where it is more than rounding."""
    differences = np.abs(found - checks.probabilities).max(axis=1)  # (m,)
    worst = int(np.nan_to_num(differences, nan=np.inf).argmax())
    if not differences[worst] <= TOLERANCE:
        where = checks.paths[worst] if checks.paths else f"random image {worst}"
        raise ModelError(
            f"{output} is not written: for {where} its probabilities differ from the model's own by "
            f"{differences[worst]:.1e}, more than {TOLERANCE}; the model cannot be exported in this format"
        )
    return float(differences[worst])
