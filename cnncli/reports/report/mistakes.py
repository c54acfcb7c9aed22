"""The most confident mistakes, each with its image and the probabilities of the classes."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from cnncli.pages.markup import element
from cnncli.reports.report.pictures import picture
from cnncli.reports.report.subject import ReportSubject

MOST = 40  # mistakes
MOST_CLASSES = 4  # of each mistake


def mistakes_section(subject: ReportSubject) -> Iterator[Element]:
    """A card for each mistake."""
    evaluation = subject.evaluation
    wrong = np.flatnonzero(evaluation.answers != evaluation.y)
    if not len(wrong):
        yield element("p", "None: every answer is right.")
        return
    confidence = evaluation.probabilities[wrong, evaluation.answers[wrong]]
    shown = wrong[np.argsort(-confidence, kind="stable")][:MOST]
    rest = (
        f"The {len(shown)} most confident of {len(wrong):,}."
        if len(shown) < len(wrong)
        else "The most confident first."
    )
    yield element("p", rest, class_="soft")
    yield element("div", [_card(subject, int(index)) for index in shown], class_="mistakes")


def _card(subject: ReportSubject, index: int) -> Element:
    evaluation = subject.evaluation
    true, answer = (evaluation.classes[k] for k in (evaluation.y[index], evaluation.answers[index]))
    where = evaluation.name(index)
    return element(
        "article",
        picture(evaluation.picture(index), f"{true}, taken for {answer}"),
        element(
            "div",
            element("p", element("b", true), " taken for ", element("b", answer, class_="wrong")),
            element("ol", list(_ranking(subject, index))),
            element("p", where, class_="soft path"),
        ),
    )


def _ranking(subject: ReportSubject, index: int) -> Iterator[Element]:
    """The most probable classes, and the true one wherever it stands."""
    evaluation = subject.evaluation
    probabilities, true = evaluation.probabilities[index], int(evaluation.y[index])
    order = np.argsort(-probabilities, kind="stable").tolist()
    chosen = order[:MOST_CLASSES]
    if true not in chosen:
        chosen[-1] = true
    for k in chosen:
        bar = element("span", class_="bar" if k == true else "bar red", style=f"width:{probabilities[k]:.1%}")
        yield element(
            "li",
            element("span", evaluation.classes[k]),
            element("span", bar, class_="track"),
            element("span", f"{probabilities[k]:.4f}"),
        )
