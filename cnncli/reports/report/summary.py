"""How good the model is: the figures at the top, and those of each class."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from cnncli.pages.markup import element
from cnncli.reports.evaluation import count_images
from cnncli.reports.report.charts import Chart
from cnncli.reports.report.subject import ReportSubject


def head(subject: ReportSubject) -> Iterator[Element]:
    """The title and the figures of the whole."""
    evaluation = subject.evaluation
    low, high = evaluation.accuracy_interval
    figures = {
        "accuracy": (f"{evaluation.accuracy:.1%}", f"95 % interval {low:.1%} to {high:.1%}"),
        "loss": (f"{evaluation.loss:.4f}", "mean cross-entropy"),
        "calibration error": (f"{evaluation.calibration_error:.1%}", "mean distance of confidence and accuracy"),
    }
    if evaluation.roc_auc is not None:
        figures["ROC AUC"] = (f"{evaluation.roc_auc:.4f}", "of the two classes")
    yield element("h1", subject.title)
    yield element("p", f"{count_images(evaluation)} of {evaluation.data}", class_="soft")
    yield element(
        "dl",
        [
            element("div", element("dt", name), element("dd", element("b", figure), element("span", note)))
            for name, (figure, note) in figures.items()
        ],
        class_="figures",
    )
    if evaluation.left_out:
        reasons = [element("li", str(error)) for error in evaluation.left_out]
        yield element("details", element("summary", f"{len(reasons)} images are left out"), element("ul", reasons))


def summary_section(subject: ReportSubject) -> Iterator[Element]:
    """Precision, recall and F1 of each class; and how far confidence can be believed."""
    headings = ("class", "precision", "recall", "F1", "images")
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            [_share(share) for share in (score.precision, score.recall, score.f1)],
            element("td", f"{score.images:,}"),
        )
        for name, score in subject.evaluation.per_class.items()
    ]
    table = element(
        "table",
        element("thead", element("tr", [element("th", heading, scope="col") for heading in headings])),
        element("tbody", rows),
    )
    yield element("div", element("div", table, class_="scroll"), _calibration(subject), class_="pair")


def _share(share: float) -> Element:
    """A cell with a bar as long as its share."""
    if share != share:
        return element("td", "–", title="no image to count")
    bar = element("span", class_="bar", style=f"width:{share:.1%}")
    return element("td", element("span", f"{share:.1%}", class_="over"), bar, class_="share")


def _calibration(subject: ReportSubject) -> Element:
    """Confidence against accuracy: on the diagonal every answer is as sure as it should be."""
    bins = [each for each in subject.evaluation.calibration_bins if each.images]
    chart = Chart("confidence", (0.0, 1.0), (0.0, 1.0), percent_x=True, percent_y=True)
    chart.line([(0.0, 0.0), (1.0, 1.0)], "ideal")
    chart.line([(each.confidence, each.accuracy) for each in bins], "validation")
    for each in bins:
        told = f"confidence {each.confidence:.1%}: {each.accuracy:.1%} of {each.images:,} images are right"
        chart.dot(
            each.confidence,
            each.accuracy,
            "validation",
            told,
            radius=2 + 6 * (each.images / len(subject.evaluation.y)) ** 0.5,
        )
    error = subject.evaluation.calibration_error
    return element(
        "figure",
        chart.draw(f"accuracy by confidence; the mean distance to the diagonal is {error:.1%}"),
        element("figcaption", "Accuracy by confidence. On the dashed line answers are as sure as they should be."),
    )
