"""The answers of predict, for people and for other programs."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from cnncli.prediction import Answer, Unreadable
from cnncli.reports.console import print_json, print_table, write_text
from cnncli.text import printable

Show = Callable[[Iterable[Answer], Sequence[str], int | None], None]  # answers, all classes, how many of them to show


def show_table(answers: Iterable[Answer], _classes: Sequence[str], top_k: int | None) -> None:
    """One row an image: its most probable classes, or the reason why there are none."""
    shown = list(answers)
    table = Table(
        Column("image", overflow="fold"), Column("class", overflow="fold"), Column("probability", justify="right")
    )
    if any(isinstance(answer, Unreadable) for answer in shown):
        table.add_column("reason", overflow="fold")
    for answer in shown:
        path = Text(printable(answer.path))
        if isinstance(answer, Unreadable):
            table.add_row(path, "", "", Text(printable(answer.reason), "red"))
            continue
        ranking = list(answer.probabilities.items())[: top_k or 1]
        probabilities = "\n".join(f"{probability:.4f}" for _, probability in ranking)
        table.add_row(path, Text("\n".join(name for name, _ in ranking)), probabilities)
    print_table(table)


def show_json(answers: Iterable[Answer], classes: Sequence[str], top_k: int | None) -> None:
    """One document: a list with an entry for each image."""
    print_json([prediction_document(answer, top_k or len(classes)) for answer in answers])


def show_jsonl(answers: Iterable[Answer], classes: Sequence[str], top_k: int | None) -> None:
    """A document a line, each as soon as it is known."""
    for answer in answers:
        print_json(prediction_document(answer, top_k or len(classes)))


def prediction_document(answer: Answer, top_k: int) -> dict[str, Any]:
    """One answer for JSON; `probabilities` has the `top_k` most probable classes, the first first."""
    if isinstance(answer, Unreadable):
        return {"path": str(answer.path), "error": answer.reason}
    return {
        "path": str(answer.path),
        "class": answer.best,
        "probability": answer.probabilities[answer.best],
        "probabilities": dict(list(answer.probabilities.items())[:top_k]),
    }


def show_csv(answers: Iterable[Answer], classes: Sequence[str], _top_k: int | None) -> None:
    """A row an image, each as soon as it is known: path, class, probability, p(…) of every class, error."""
    write_text(_csv_row(["path", "class", "probability", *(f"p({name})" for name in classes), "error"]))
    for answer in answers:
        if isinstance(answer, Unreadable):
            row: list[object] = [printable(answer.path), "", "", *("" for _ in classes), answer.reason]
        else:
            every = [answer.probabilities[name] for name in classes]
            row = [printable(answer.path), answer.best, answer.probabilities[answer.best], *every, ""]
        write_text(_csv_row(row))


def _csv_row(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


SHOW: dict[str, Show] = {"table": show_table, "json": show_json, "jsonl": show_jsonl, "csv": show_csv}
