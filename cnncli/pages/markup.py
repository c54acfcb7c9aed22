"""Elements of HTML and SVG, written so that no text can become markup."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

from cnncli.text import printable

Child = Element | str


def element(tag: str, *children: Child | Iterable[Child], **attributes: object) -> Element:
    """An element. An attribute is written as Python lets it be named: `class_`, `aria_label`; None leaves it out."""
    made = Element(
        tag,
        {
            name.rstrip("_").replace("_", "-"): printable(value)
            for name, value in attributes.items()
            if value is not None
        },
    )
    for child in children:
        for each in [child] if isinstance(child, str | Element) else child:
            _append(made, each)
    return made


def render(elements: Iterable[Element]) -> str:
    """HTML."""
    return "\n".join(tostring(each, "unicode", method="html") for each in elements)


def _append(parent: Element, child: Child) -> None:
    if isinstance(child, Element):
        parent.append(child)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + printable(child)
    else:
        parent.text = (parent.text or "") + printable(child)
