"""A training while it runs, and its summary.

A bar on stderr, where that is a terminal; the rows of the epochs on stdout where that is none: a log holds them.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cnncli.errors import ImageError
from cnncli.model import Model
from cnncli.network.engine import Engine
from cnncli.network.engines import tell_engine
from cnncli.reports.console import stderr, stdout
from cnncli.text import printable
from cnncli.training.run import Summary
from cnncli.training.state import Epoch, State
from cnncli.training.symptoms import Symptom, describe_symptoms

SEEN = 0.1  # seconds between two looks of the bar: with each batch it would take a third of a small network's time


class TrainingReport:
    """A progress bar on a terminal, and one line an epoch everywhere; nothing at all where `quiet`.

    `written` tells how the reader writes an argument; with `details` each epoch is followed by what moves.
    """

    def __init__(
        self, written: Callable[[str], str], *, quiet: bool, details: bool = False, rows_to_stdout: bool = True
    ) -> None:
        self._written, self._details = written, details
        self._console = stderr()
        self._rows = stdout() if rows_to_stdout and not stdout().is_terminal else self._console
        self._console.quiet = self._rows.quiet = quiet
        self._shift = 0.0  # when the bar last did
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]} images/s  loss {task.fields[loss]:.4f}  ETA"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )

        self._reading = Progress(
            TextColumn("reading images"),
            BarColumn(),
            MofNCompleteColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> "TrainingReport":
        self._reading.start()
        self._task = self._reading.add_task("", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._reading.stop()
        self._progress.stop()

    def reading(self, done: int, total: int) -> None:
        """Move the bar of the images that are read, a hundred times in all."""
        if done % (total // 100 + 1) == 0 or done == total:
            self._reading.update(self._task, completed=done, total=total)

    def left_out(self, errors: Sequence[ImageError]) -> None:
        """One line for each image that is left out."""
        for error in errors:
            self._console.print(printable(f"left out: {error}"), soft_wrap=True)

    def started(self, model: Model, engine: Engine, training: int, validation: int, epochs: int, run: Path) -> None:
        """What is trained on what, and the head of the rows."""
        self._reading.stop()
        architecture = model.architecture
        self._rows.print(
            f"{training} training and {validation} validation images, {architecture.height}×{architecture.width} "
            f"{'gray' if architecture.channels == 1 else 'RGB'}\n"
            f"{len(model.classes)} classes: {', '.join(model.classes)}\n"
            f"{architecture.summary}: "
            f"{model.chain.parameter_count:,} parameters → {printable(run)}",
            soft_wrap=True,
        )
        self._rows.print(tell_engine(engine), soft_wrap=True)
        self._images, self._epochs = training, epochs
        self._progress.start()
        self._task = self._progress.add_task("", total=training * epochs, epoch=f"1/{epochs}", loss=0.0, speed="–")
        norms = "".join(f"{f'|dL/d{name}|':>10}" for name in model.parameters)
        self._line(f"{'epoch':>5}{'loss':>8}{'accuracy':>9}{'val loss':>9}{'val acc.':>9}", norms)

    def resumed(self, state: State) -> None:
        """Where the training goes on."""
        done, steps = len(state.history), state.tally.steps
        more = f" and {steps} steps" if steps else ""
        left = "nothing is left to do" if done == self._epochs else "goes on"
        self._rows.print(f"{left} after {done} epoch{'' if done == 1 else 's'}{more}")
        self._progress.update(self._task, completed=done * self._images + state.tally.images)

    def warn(self, symptom: Symptom) -> None:
        """One line."""
        self._console.print(f"warning: {symptom.kind}: {symptom.phrase(self._written)}", soft_wrap=True)

    def batch(self, epoch: int, images: int, loss: float) -> None:
        """Move the bar, as often as one can see it."""
        now = time.monotonic()
        if now < self._shift + SEEN and images < self._images:
            return
        self._shift = now
        task = self._progress.tasks[self._task]
        self._progress.update(
            self._task,
            completed=(epoch - 1) * self._images + images,
            epoch=f"{epoch}/{self._epochs}",
            loss=loss,
            speed=f"{task.speed:,.0f}" if task.speed else "–",
        )

    def epoch(self, epoch: Epoch) -> None:
        """One row."""
        training, validation = epoch.training, epoch.validation
        norms = "".join(f"{norm:>9.3g}" for norm in epoch.gradient_norms.values())
        self._line(
            f"{epoch.number:>5}{_write_loss(training.loss):>8}{training.accuracy:>9.1%}"
            f"{_write_loss(validation.loss):>9}{validation.accuracy:>9.1%}",
            norms,
        )
        if self._details:
            self._tell_details(epoch)

    def _tell_details(self, epoch: Epoch) -> None:
        """How far each parameter moves in a step, which units are dead, and who wins the windows."""
        ratios = "  ".join(f"{name} {ratio:.1e}" for name, ratio in epoch.update_ratios.items())
        lines = [f"update/weight of a step: {ratios}"]
        lines += [
            f"{name}: {share:.1%} of the units are 0 on every image" for name, share in epoch.activity.dead.items()
        ]
        for name, shares in epoch.activity.won.items():
            lines.append(f"{name}: windows won by each filter: {' '.join(f'{share:.0%}' for share in shares)}")
        for line in lines:
            self._rows.print(f"      {line}", soft_wrap=True)

    def _line(self, row: str, norms: str) -> None:
        """One line; on a terminal too narrow for the gradients' norms they go on a line of their own."""
        narrow = self._rows.is_terminal and len(row + norms) > self._rows.width
        self._rows.print(row + "\n     " + norms if narrow else row + norms, soft_wrap=True)


def _write_loss(loss: float) -> str:
    """In at most seven characters, a loss that has run away too."""
    return f"{loss:.4f}" if loss < 100 else f"{loss:.2g}"


def summary_document(summary: Summary, written: Callable[[str], str]) -> dict[str, Any]:
    """The summary for other programs; `written` tells how its reader writes an argument."""
    best = summary.best
    return {
        "run": str(summary.run),
        "model": str(summary.model),
        "epochs": summary.epochs,
        "best_epoch": best.number,
        "train": {"loss": best.training.loss, "accuracy": best.training.accuracy},
        "val": {"loss": best.validation.loss, "accuracy": best.validation.accuracy},
        "seconds": summary.seconds,
        "images_per_second": summary.images_per_second,
        "warnings": describe_symptoms(summary.symptoms, written),
    }


def print_summary(summary: Summary) -> None:
    """The summary for people."""
    best = summary.best
    stdout().print(
        f"best epoch {best.number} of {summary.epochs}: validation accuracy {best.validation.accuracy:.1%}, "
        f"loss {_write_loss(best.validation.loss)}\n"
        f"{summary.seconds:.1f} s of training, {summary.images_per_second:,.0f} images/s in its steps\n"
        f"model: {printable(summary.model)}",
        soft_wrap=True,
    )
