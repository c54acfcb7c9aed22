"""The formulas as MathML: well formed, and nothing of a formula is lost."""

import re
from xml.etree import ElementTree

import pytest

from cnncli.network.architecture import Architecture
from cnncli.reports.trace.mathml import mathml
from tests.reports.page.subjects import KINDS, fresh

RECORDED = sorted({(step.name, step.formula) for make in KINDS.values() for step in make().steps})
OVERLAPPING = fresh(Architecture(9, 9, 1, (2,), padding=1, stride=2, dilation=2, pool_stride=1))
EXAMPLES = [*RECORDED, *((step.name, step.formula) for step in OVERLAPPING.steps)]


def letters(text: str) -> str:
    """What is written, without what MathML draws itself: d for ∂, the fraction's bar, spaces."""
    text = re.sub(r"d([A-Za-z]\d*)/d([A-Za-z]\d*)", r"∂\1∂\2", text)
    return re.sub(r"\s", "", text.replace("ᵀ", "⊤").replace("∑", "Σ"))


@pytest.mark.parametrize(("name", "formula"), EXAMPLES)
def test_every_sign_of_a_formula_is_there(name: str, formula: str) -> None:
    tree = ElementTree.fromstring(mathml(name, formula).replace("&nbsp;", " "))  # noqa: S314  our own
    written = "".join(tree.itertext())
    assert letters(written) == letters(f"{name} = {formula}" if formula else name)


def test_a_derivative_is_a_fraction_and_a_number_of_a_name_is_lowered() -> None:
    tree = ElementTree.fromstring(mathml("dL/dw2", "dL/dz2 · Fᵀ"))  # noqa: S314  our own
    assert len(tree.findall("mfrac")) == 2
    assert [name.text for name in tree.findall("mfrac/mrow/msub/mi")] == ["w", "z"]
    raised = tree.find("msup")
    assert raised is not None
    assert "".join(raised.itertext()) == "F⊤"
