"""How good a model is, for people and for other programs."""

import csv
import io
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnncli.reports.console import print_table
from cnncli.reports.tints import tints
from cnncli.text import printable
from cnncli.training.evaluation import Evaluation

MOST_MISTAKES = 10


def evaluation_document(evaluation: Evaluation) -> dict[str, Any]:
    """Everything, for JSON; the rows of the confusion matrix are the true classes."""
    low, high = evaluation.accuracy_interval
    return {
        "data": str(evaluation.data),
        "images": len(evaluation.y),
        "loss": evaluation.loss,
        "accuracy": evaluation.accuracy,
        "accuracy_interval": [low, high],
        "classes": evaluation.classes,
        "confusion_matrix": evaluation.confusion.tolist(),
        "per_class": {name: score._asdict() for name, score in evaluation.per_class.items()},
        "roc_auc": evaluation.roc_auc,
        "calibration_error": evaluation.calibration_error,
        "mistakes": [
            mistake._asdict() | {"path": str(mistake.path)} for mistake in evaluation.list_mistakes(MOST_MISTAKES)
        ],
        "left_out": [str(error) for error in evaluation.left_out],
    }


def confusion_csv(evaluation: Evaluation) -> str:
    """The confusion matrix: a row for each true class, a column for each answer."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["true class", *evaluation.classes])
    for name, counts in zip(evaluation.classes, evaluation.confusion.tolist(), strict=True):
        writer.writerow([name, *counts])
    return text.getvalue()


def print_evaluation(out: Console, evaluation: Evaluation) -> None:
    """The figures, a row for each class, the confusion matrix and the most confident mistakes."""
    low, high = evaluation.accuracy_interval
    out.print(
        f"{count_images(evaluation)} of {printable(evaluation.data)}\n"
        f"accuracy {evaluation.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}), loss {evaluation.loss:.4f}",
        soft_wrap=True,
    )
    auc = f", ROC AUC {evaluation.roc_auc:.4f}" if evaluation.roc_auc is not None else ""
    out.print(f"calibration error {evaluation.calibration_error:.1%}{auc}", soft_wrap=True)
    print_table(_classes(evaluation), out)
    print_table(_confusion(evaluation), out)
    mistakes = evaluation.list_mistakes(MOST_MISTAKES)
    if mistakes:
        print_table(_mistakes(evaluation), out)
    for error in evaluation.left_out:
        out.print(printable(f"left out: {error}"), soft_wrap=True)


def count_images(evaluation: Evaluation) -> str:
    """How many were answered: "1 image", "1,000 images"."""
    n = len(evaluation.y)
    return f"{n:,} image{'s' if n != 1 else ''}"


def _classes(evaluation: Evaluation) -> Table:
    table = Table("class")
    for heading in ("precision", "recall", "F1", "images"):
        table.add_column(heading, justify="right")
    for name, score in evaluation.per_class.items():
        shares = ("–" if share != share else f"{share:.1%}" for share in (score.precision, score.recall, score.f1))
        table.add_row(Text(name), *shares, f"{score.images:,}")
    return table


def _confusion(evaluation: Evaluation) -> Table:
    """Each row is tinted by its own shares, so that a rare class is seen as well; mistakes are red."""
    table = Table("true class, answers →")
    for name in evaluation.classes:
        table.add_column(Text(name), justify="right")
    for row, (name, counts) in enumerate(zip(evaluation.classes, evaluation.confusion, strict=True)):
        signs = np.where(np.arange(len(counts)) == row, 1, -1)
        colours = tints(signs * counts / max(counts.sum(), 1), 1.0)
        cells = (
            Text(str(count), "dim" if count == 0 else f"#000000 on #{bytes(colour).hex()}")
            for count, colour in zip(counts.tolist(), colours.tolist(), strict=True)
        )
        table.add_row(Text(name), *cells)
    return table


def _mistakes(evaluation: Evaluation) -> Table:
    table = Table("most confident mistakes", "true class", "answer")
    table.add_column("probability", justify="right")
    for mistake in evaluation.list_mistakes(MOST_MISTAKES):
        row = (Text(printable(mistake.path)), Text(mistake.true_class), Text(mistake.answer))
        table.add_row(*row, f"{mistake.probability:.4f}")
    return table
