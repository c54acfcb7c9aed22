"""How loss and accuracy went, epoch by epoch."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from xml.etree.ElementTree import Element

from cnncli.pages.markup import element
from cnncli.reports.report.charts import Chart
from cnncli.reports.report.subject import ReportSubject

LINES = {"train": "training", "val": "validation"}  # the beginning of a column, and what it is called
CHARTS = {"loss": False, "accuracy": True}  # the end of a column, and whether it is a share
MOST_DOTS = 60  # epochs; with more of them the dots would hide the lines


def require_curves(history: Sequence[Mapping[str, str | None]]) -> None:
    """Raise ValueError where a history is none from which curves can be drawn."""
    names = ("epoch", *(f"{start}_{end}" for start in (*LINES, "judged") for end in CHARTS))
    for row in history:
        for name in names:
            float(row.get(name) or "")


def curves_section(subject: ReportSubject) -> Iterator[Element]:
    """A chart of the loss and one of the accuracy, with the best epoch; and the history as a table."""
    history = subject.history
    if len(history) < 2:
        return
    best = _best_epoch(history)
    yield element("div", [_figure(history, name, best) for name in CHARTS], class_="pair")
    columns = list(history[0])
    yield element(
        "details",
        element("summary", "The history as a table"),
        element(
            "div",
            element(
                "table",
                element("thead", element("tr", [element("th", column, scope="col") for column in columns])),
                element(
                    "tbody",
                    [element("tr", [element("td", _shorten(row[column])) for column in columns]) for row in history],
                ),
            ),
            class_="scroll",
            tabindex=0,
        ),
    )


def _figure(history: Sequence[Mapping[str, str]], name: str, best: float) -> Element:
    epochs = [float(row["epoch"]) for row in history]
    series = {start: [float(row[f"{start}_{name}"]) for row in history] for start in LINES}
    numbers = [number for line in series.values() for number in line if isfinite(number)] or [0.0]
    share = CHARTS[name]
    chart = Chart(
        "epoch", (epochs[0], epochs[-1]), (min(numbers) if share else 0.0, max(numbers)), percent_y=share, whole_x=True
    )
    chart.upright(best, f"the best epoch, {best:.0f}")
    write = "{:.1%}".format if share else "{:.4f}".format
    for start, line in series.items():
        points = [(epoch, number) for epoch, number in zip(epochs, line, strict=True) if isfinite(number)]
        chart.line(points, LINES[start])
        for epoch, number in points if len(points) <= MOST_DOTS else ():
            chart.dot(epoch, number, LINES[start], f"epoch {epoch:.0f}: {LINES[start]} {name} {write(number)}")
    told = "; ".join(f"{LINES[start]} from {write(line[0])} to {write(line[-1])}" for start, line in series.items())
    legend = [element("span", label, class_=f"key {label}") for label in LINES.values()]
    caption = element(
        "figcaption", f"{name.capitalize()}: ", legend, element("span", f"best epoch {best:.0f}", class_="key upright")
    )
    return element("figure", chart.draw(f"{name} by epoch: {told}"), caption)


def _best_epoch(history: Sequence[Mapping[str, str]]) -> float:
    """The epoch whose model is kept; see Epoch.merit."""
    best = max(history, key=lambda row: (float(row["judged_accuracy"]), -float(row["judged_loss"])))
    return float(best["epoch"])


def _shorten(text: str) -> str:
    """A number with four digits behind the point at most."""
    try:
        return f"{float(text):.4g}" if "." in text or "e" in text else text
    except ValueError:
        return text
