"""The report as one page: it loads nothing, and can be read without JavaScript, in light and dark, and on a phone."""

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from cnncli.pages.document import read_text, write_document
from cnncli.pages.markup import element, render
from cnncli.reports.report.confusion import confusion_section
from cnncli.reports.report.curves import curves_section
from cnncli.reports.report.filters import filters_section
from cnncli.reports.report.mistakes import mistakes_section
from cnncli.reports.report.settings import settings_section
from cnncli.reports.report.subject import ReportSubject
from cnncli.reports.report.summary import head, summary_section

Section = Callable[[ReportSubject], Iterator[Element]]

# The headings in their order; a section that has nothing to show is left out.
SECTIONS: dict[str, Section] = {
    "Curves": curves_section,
    "Classes": summary_section,
    "Confusion matrix": confusion_section,
    "Mistakes": mistakes_section,
    "Filters": filters_section,
    "Settings": settings_section,
}


def render_report(subject: ReportSubject) -> str:
    """The whole page."""
    shown = {heading: parts for heading, section in SECTIONS.items() if (parts := list(section(subject)))}
    links = [element("a", heading, href=f"#{_anchor(heading)}") for heading in shown]
    body = [*head(subject), element("nav", links, aria_label="sections")]
    body += [element("section", element("h2", heading), parts, id=_anchor(heading)) for heading, parts in shown.items()]
    return write_document(
        subject.title,
        render(body),
        style=read_text(__package__, "report.css"),
        script=read_text(__package__, "report.js"),
    )


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")
