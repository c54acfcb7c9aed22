"""What the model is and how it was made."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from cnncli import __version__
from cnncli.pages.markup import element
from cnncli.reports.report.subject import ReportSubject

SHOWN_ABOVE = ("architecture", "normalisation", "classes")


def settings_section(subject: ReportSubject) -> Iterator[Element]:
    """The model, and the settings of its run where there is one."""
    model = subject.model
    architecture = model.architecture
    colours = "gray" if architecture.channels == 1 else "RGB"
    facts = {
        "network": f"{architecture.summary}; {model.chain.parameter_count:,} parameters",
        "input": f"{architecture.height}×{architecture.width} {colours}, (pixel/255 − mean)/std",
        "mean": ", ".join(f"{number:.4f}" for number in model.normalisation.mean),
        "std": ", ".join(f"{number:.4f}" for number in model.normalisation.std),
        "classes": ", ".join(model.classes),
    }
    yield _table(facts)
    if subject.settings:
        chosen = {name: value for name, value in subject.settings.items() if name not in SHOWN_ABOVE}
        yield element("details", element("summary", "Every setting of the training"), _table(chosen))
    yield element("p", f"Written by cnncli {__version__}.", class_="soft")


def _table(facts: Mapping[str, Any]) -> Element:
    rows = [
        element("tr", element("th", name, scope="row"), element("td", _write(value))) for name, value in facts.items()
    ]
    return element("div", element("table", element("tbody", rows), class_="facts"), class_="scroll")


def _write(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)
