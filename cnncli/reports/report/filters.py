"""The filters of every block as pictures: blue is positive, red negative, white zero."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from cnncli.pages.markup import element
from cnncli.reports.report.pictures import sheet, tile
from cnncli.reports.report.subject import ReportSubject
from cnncli.reports.tints import largest_of

MOST_FILTERS, MOST_CHANNELS = 64, 16


def filters_section(subject: ReportSubject) -> Iterator[Element]:
    """A tile for each filter of each block: its channels below each other."""
    yield element(
        "p", "Blue is positive, red negative, white zero; in each block the strongest colour is its largest weight."
    )
    for step in subject.model.chain.steps:
        for tensor in step.parameters:
            if tensor.axes == "NCkk":
                yield from _block(subject, tensor.name, step.parameters[-1].name)


def _block(subject: ReportSubject, weight: str, bias: str) -> Iterator[Element]:
    w, b = subject.model.parameters[weight], subject.model.parameters[bias]  # (N, C, k, k), (N,)
    N, C, k, _ = w.shape
    shown = w[:MOST_FILTERS, :MOST_CHANNELS]
    largest = largest_of(w)
    cut = []
    if N > MOST_FILTERS:
        cut.append(f"the first {MOST_FILTERS} filters")
    if C > MOST_CHANNELS:
        cut.append(f"their first {MOST_CHANNELS} channels")
    note = f"; {' and '.join(cut)}" if cut else ""
    yield element("h3", f"{weight}: {N} filters, {C} {'channel' if C == 1 else 'channels'}, {k}×{k}{note}")
    yield element(
        "div",
        [
            element(
                "figure",
                tile(sheet(shown[n : n + 1]), f"filter {n} of {weight}", largest),
                element("figcaption", f"{n}", title=f"{bias}[{n}] = {b[n]:.4f}"),
            )
            for n in range(len(shown))
        ],
        class_="filters",
    )
