"""--expand, --follow and --symbolic as Markdown, HTML and LaTeX: the same lines as in the terminal."""

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import Cli

VIEWS = [
    ("--expand", "dL/dw1"),
    ("--expand", "P1"),
    ("--expand", "dL/dX[0,0]"),
    ("--expand", "L"),
    ("--follow", "w12"),
    ("--follow", "X[0,0,0]"),
    ("--symbolic", "--image-size", "6", "--kernel", "3"),
    ("--filters", "2", "--classes", "3", "--image-size", "6", "--expand", "A2"),
]
NUMBER = re.compile(r"\d+\.\d+")  # a sign may be a minus of the formula


def numbers(text: str) -> list[str]:
    return sorted(NUMBER.findall(text))


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
@pytest.mark.parametrize("suffix", [".md", ".html", ".tex"])
def test_a_document_holds_the_numbers_of_the_terminal(
    suffix: str, view: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    path = tmp_path / f"explanation{suffix}"
    assert cli("trace", *view, "-o", path).code == 0
    text = path.read_text("utf-8").partition("</style>")[2] if suffix == ".html" else path.read_text("utf-8")
    text = re.sub(r"width=device-width, initial-scale=1|\\setlength.*|\\setcounter.*", "", text)
    expected = numbers(cli("trace", *view).out)
    assert numbers(text) == expected


def test_html_is_well_formed_mathematics(cli: Cli) -> None:
    out = cli("trace", "--follow", "w12", "--format", "html").out
    body = out[out.index("<body>") : out.index("</html>")].replace("&nbsp;", " ")
    tree = ElementTree.fromstring(body)  # noqa: S314
    assert len(tree.findall(".//mfrac")) > 20
    assert [heading.text for heading in tree.findall("h3")] == [f"Path {n} of 3" for n in (1, 2, 3)]


def test_a_heading_keeps_its_letters(cli: Cli) -> None:
    for document in ("markdown", "html", "latex"):
        assert "The chain, from L to the weights" in cli("trace", "--symbolic", "--format", document).out


def test_a_minus_is_no_hyphen_and_stands_close_to_its_number(cli: Cli) -> None:
    out = cli("trace", "--expand", "dL/dw1[0,0,2,0]", "--format", "html").out
    assert '<mo>=</mo><mo form="prefix">−</mo><mn>0.4952</mn>' in out
    assert '<td class="number">−0.5402</td>' in out


def test_markdown_opens_and_closes_its_blocks(cli: Cli) -> None:
    out = cli("trace", "--symbolic", "--format", "markdown").out
    assert out.count("```") == 2 * out.count("```math") > 10
    assert r"\frac{\partial L}{\partial w_{12}} & = \frac{\partial L}{\partial z_{11}}\cdot x_{12}" in out


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_latex_compiles(view: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "explanation.tex"
    assert cli("trace", *view, "-o", path).code == 0
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
