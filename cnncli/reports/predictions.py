"""The answers of predict, for people and for other programs."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from cnncli.prediction import Answer, Unreadable
from cnncli.reports.console import print_table, write_text
from cnncli.text import printable


def prediction_table(answers: Iterable[Answer], top_k: int) -> None:
    """One row an image: its most probable classes, or the reason why there are none."""
    table = Table(Column("image", overflow="fold"), Column("class", overflow="fold"))
    table.add_column("probability", justify="right")
    for answer in answers:
        if isinstance(answer, Unreadable):
            table.add_row(Text(printable(answer.path)), Text(printable(answer.reason), "red"), "")
            continue
        ranking = list(answer.probabilities.items())[:top_k]
        table.add_row(
            Text(printable(answer.path)),
            Text("\n".join(name for name, _ in ranking)),
            "\n".join(f"{probability:.4f}" for _, probability in ranking),
        )
    print_table(table)


def prediction_documents(answers: Iterable[Answer], top_k: int) -> list[dict[str, Any]]:
    """The same for JSON; `probabilities` has the `top_k` most probable classes, the first first."""
    return [
        {"path": str(answer.path), "error": answer.reason}
        if isinstance(answer, Unreadable)
        else {
            "path": str(answer.path),
            "class": answer.best,
            "probability": answer.probabilities[answer.best],
            "probabilities": dict(list(answer.probabilities.items())[:top_k]),
        }
        for answer in answers
    ]


def print_prediction_csv(answers: Iterable[Answer], classes: Sequence[str]) -> None:
    """The same as CSV: path, class, probability, p(…) of every class in the model's order, error."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "class", "probability", *(f"p({name})" for name in classes), "error"])
    for answer in answers:
        if isinstance(answer, Unreadable):
            writer.writerow([printable(answer.path), "", "", *("" for _ in classes), answer.reason])
        else:
            every = [answer.probabilities[name] for name in classes]
            writer.writerow([printable(answer.path), answer.best, answer.probabilities[answer.best], *every, ""])
    write_text(text.getvalue())
