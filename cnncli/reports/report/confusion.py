"""The confusion matrix, and behind each of its cells the images that are counted there."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from cnncli.pages.markup import element
from cnncli.reports.report.pictures import picture
from cnncli.reports.report.subject import ReportSubject
from cnncli.reports.tints import tints

MOST_PICTURES = 800  # of all cells together
MOST_IN_A_CELL = 12


def confusion_section(subject: ReportSubject) -> Iterator[Element]:
    """The matrix, tinted row by row, and a list of images for each cell that counts any."""
    yield element(
        "p",
        "Rows are the true classes, columns the answers; blue is right, red is wrong, each row by its own shares. "
        "A number opens its images.",
    )
    yield element("div", _matrix(subject), class_="scroll", tabindex=0)
    counts = subject.evaluation.confusion
    cells = [(int(row), int(column)) for row, column in np.argwhere(counts)]
    cells.sort(key=lambda cell: (cell[0] == cell[1], -counts[cell]))  # mistakes first, the most frequent first
    most = max(1, min(MOST_IN_A_CELL, MOST_PICTURES // len(cells)))
    yield element("div", [_cell(subject, row, column, most) for row, column in cells], class_="cells")


def _matrix(subject: ReportSubject) -> Element:
    classes, counts = subject.evaluation.classes, subject.evaluation.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colours = tints(shares * np.where(np.eye(len(classes)) > 0, 1, -1), 1.0)
    rows = []
    for row, name in enumerate(classes):
        cells = [
            element("td", "0", class_="soft")
            if count == 0
            else element(
                "td",
                element("a", f"{count:,}", href=f"#{_name(row, column)}", aria_label=_told(subject, row, column)),
                style=f"background:#{bytes(colours[row, column]).hex()}",
            )
            for column, count in enumerate(counts[row].tolist())
        ]
        rows.append(element("tr", element("th", name, scope="row"), cells))
    corner = element("th", "true class ↓ answer →")
    heads = [element("th", element("span", name), scope="col") for name in classes]
    return element("table", element("thead", element("tr", corner, heads)), element("tbody", rows), class_="confusion")


def _cell(subject: ReportSubject, row: int, column: int, most: int) -> Element:
    """The images of a cell: of the wrong answers the most confident first, of the right ones the least."""
    evaluation = subject.evaluation
    inside = np.flatnonzero((evaluation.y == row) & (evaluation.answers == column))
    confidence = evaluation.probabilities[inside, column]
    shown = inside[np.argsort(confidence if row == column else -confidence, kind="stable")][:most]
    order = "least" if row == column else "most"
    note = f"the {len(shown)} {order} confident" if len(shown) < len(inside) else f"the {order} confident first"
    return element(
        "details",
        element("summary", _told(subject, row, column), element("span", f" {note}", class_="soft")),
        element("div", [_figure(subject, index, column) for index in shown], class_="pictures"),
        id=_name(row, column),
    )


def _figure(subject: ReportSubject, index: np.intp, column: int) -> Element:
    evaluation = subject.evaluation
    where = evaluation.name(int(index))
    return element(
        "figure",
        picture(evaluation.picture(int(index)), where),
        element("figcaption", f"{evaluation.probabilities[index, column]:.4f}"),
        title=where,
    )


def _told(subject: ReportSubject, row: int, column: int) -> str:
    classes = subject.evaluation.classes
    count = int(subject.evaluation.confusion[row, column])
    images = "image" if count == 1 else "images"
    answer = "answered rightly" if row == column else f"taken for {classes[column]}"
    return f"{count:,} {images} of {classes[row]} {answer}"


def _name(row: int, column: int) -> str:
    return f"cell-{row}-{column}"
