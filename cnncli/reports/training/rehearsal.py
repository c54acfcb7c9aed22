"""What a training would be, for people and for other programs."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from cnncli.errors import ImageError
from cnncli.memory import available, describe_size
from cnncli.network.engines import tell_engine
from cnncli.reports.console import print_table, stdout
from cnncli.text import printable
from cnncli.training.rehearsal import Rehearsal
from cnncli.training.symptoms import describe_symptoms


def rehearsal_document(rehearsal: Rehearsal, written: Callable[[str], str]) -> dict[str, Any]:
    """The rehearsal for other programs; `written` tells how its reader writes an argument."""
    return {
        "run": str(rehearsal.run),
        "classes": {name: {"train": train, "val": val} for name, (train, val) in rehearsal.counts.items()},
        "validation_fraction": rehearsal.fraction,
        "file_sizes": rehearsal.file_sizes,
        "architecture": asdict(rehearsal.model.architecture),
        "parameters": rehearsal.model.chain.parameter_count,
        "engine": rehearsal.engine.description,
        "ranks": rehearsal.ranks,
        "bytes": {"pixels": rehearsal.pixels, "training": rehearsal.memory},
        "epochs": rehearsal.epochs,
        "seconds_per_epoch": rehearsal.seconds_per_epoch,
        "seconds": rehearsal.seconds,
        "warnings": describe_symptoms(rehearsal.symptoms, written),
        "unreadable": [{"path": str(error.path), "error": error.reason} for error in rehearsal.unreadable],
    }


def print_rehearsal(rehearsal: Rehearsal) -> None:
    """The rehearsal for people."""
    table = Table("class")
    table.add_column("training images", justify="right")
    table.add_column("validation images", justify="right")
    for name, numbers in rehearsal.counts.items():
        table.add_row(name, *(f"{number:,}" for number in numbers))
    table.add_row("all", *(f"{number:,}" for number in rehearsal.images))
    print_table(table)
    if rehearsal.unreadable:
        _print_unreadable(rehearsal.unreadable)
    architecture = rehearsal.model.architecture
    colours = "gray" if architecture.channels == 1 else "RGB"
    files = " to ".join(dict.fromkeys(f"{size.height}×{size.width}" for size in rehearsal.file_sizes))
    of_each, on_ranks = (" of each rank", f" on {rehearsal.ranks} ranks") if rehearsal.ranks > 1 else ("", "")
    own = "DATA brings its own validation images"
    lines = [
        f"split: {own if rehearsal.fraction is None else f'{rehearsal.fraction:.0%} of each class to validate on'}",
        f"images: {architecture.height}×{architecture.width} {colours}, from files of {files}",
        f"network: {architecture.summary}: {rehearsal.model.chain.parameter_count:,} parameters",
        tell_engine(rehearsal.engine),
        f"memory{of_each}: {describe_size(rehearsal.pixels)} of pixels, "
        f"at most {describe_size(rehearsal.memory)} for a step; {describe_size(available())} are free",
        f"time: about {_describe_time(rehearsal.seconds)} for {rehearsal.epochs} epochs{on_ranks}, "
        f"{_describe_step(rehearsal.seconds_per_step)} for a step of {rehearsal.batch_size} images",
        f"a dry run: nothing was kept; the training would go to {printable(rehearsal.run)}",
    ]
    stdout().print("\n".join(lines), soft_wrap=True)


def _print_unreadable(errors: Sequence[ImageError]) -> None:
    table = Table()
    table.add_column("image that cannot be read", overflow="fold")
    table.add_column("reason", overflow="fold")
    for error in errors:
        table.add_row(printable(error.path), printable(error.reason))
    print_table(table)


def _describe_step(seconds: float) -> str:
    """Seconds for people: "3.21 ms", "1.23 s"."""
    return f"{1000 * seconds:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def _describe_time(seconds: float) -> str:
    """Seconds for people: "0.4 s", "2 min 5 s", "3 h 10 min"."""
    if seconds < 60:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
