"""Every format of a trace holds the same numbers: each is read back and held against the arrays themselves."""

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from cnncli.reports.trace.tex import tex
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import choose
from cnncli.tracing.trace import Trace, trace_image
from tests.conftest import Cli, write_image

Arrays = dict[str, np.ndarray[Any, Any]]
FRESH = ("--filters", "3,2", "--channels", "rgb", "--classes", "4", "--image-size", "11", "--seed", "5")
FORMULA = r"\frac{\partial L}{\partial w_{1}} = \mathrm{conv}(X, \frac{\partial L}{\partial Z_{1}})"


def arrays(*options: str) -> tuple[Trace, Arrays]:
    fresh = FreshNetwork({"filters": (3, 2)}, 11, "rgb", 4, 5) if options else FreshNetwork()
    trace = trace_image(choose([], None, None, fresh))
    return trace, {step.name: step.value for step in trace.steps}


def read_json(content: bytes, _: Arrays) -> Arrays:
    return {step["name"]: np.array(step["values"]).reshape(step["shape"]) for step in json.loads(content)["steps"]}


def read_npz(content: bytes, expected: Arrays) -> Arrays:
    with np.load(io.BytesIO(content)) as file:
        assert set(file) == {name.replace("/", "_") for name in expected}
        return {name: file[name.replace("/", "_")] for name in expected}


def read_csv(content: bytes, expected: Arrays) -> Arrays:
    read = {name: np.full(value.shape, np.nan) for name, value in expected.items()}
    for row in csv.DictReader(io.StringIO(content.decode())):
        read[row["name"]][tuple(map(int, row["index"].split(","))) if row["index"] else ()] = float(row["value"])
    return read


def in_shape(numbers: dict[str, list[float]], expected: Arrays) -> Arrays:
    return {name: np.array(numbers[name]).reshape(value.shape) for name, value in expected.items()}


def read_markdown(content: bytes, expected: Arrays) -> Arrays:
    numbers: dict[str, list[float]] = {}
    for line in content.decode().splitlines():
        if head := re.match(r"\*\*(.+?)\*\*, ", line):
            numbers[name := head[1]] = []
        elif row := re.match(r"\| \*\*\d+\*\* \|(.*)\|$", line):
            numbers[name] += [float(cell) for cell in row[1].split("|")]
    return in_shape(numbers, expected)


def read_latex(content: bytes, expected: Arrays) -> Arrays:
    text = content.decode()
    matrices = re.findall(r"\\\[ (.*?) \\quad \\text\{(?:.*?)\} \\\]((?:\s*\\\[[^\\]*\\begin\{pmatrix\}.*?\\end\{pmatrix\} \\\])+)", text, re.DOTALL)  # fmt: skip  # noqa: E501
    numbers = {}
    for name, (head, body) in zip(expected, matrices, strict=True):
        assert head.partition(" = ")[0] == tex(name)
        rows = re.findall(r"^(.*) \\\\$", body, re.MULTILINE)
        numbers[name] = [
            float(re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", cell)) for row in rows for cell in row.split(" & ")
        ]
    return in_shape(numbers, expected)


def read_text(text: str, expected: Arrays) -> Arrays:
    """A table in text: after the rule below each head stand the rows, matrices side by side under [n] labels."""
    numbers: Arrays = {}
    for name, value in expected.items():
        body = text.partition(f"\n{name} ")[2].partition("\n")[2].partition("\n")[2].partition("\n\n")[0]
        width = value.shape[-1] if value.ndim else 1
        rows = [re.findall(r"-?\d[\d.]*(?:e[+-]\d+)?", line) for line in body.splitlines() if "[" not in line]
        flat = [float(number) for row in rows for number in row]
        count = value.shape[-2] if value.ndim > 1 else 1
        read, place = [], 0
        for first in range(0, len(rows), count):  # the blocks that stand beside each other
            lines = rows[first : first + count]
            beside = len(lines[0]) // width
            block = np.array(flat[place : place + count * beside * width]).reshape(count, beside, width)
            place += block.size
            read.append(block.swapaxes(0, 1).ravel())
        numbers[name] = np.concatenate(read).reshape(value.shape)
    return numbers


def read_txt(content: bytes, expected: Arrays) -> Arrays:
    return read_text(content.decode(), expected)


def read_svg(content: bytes, expected: Arrays) -> Arrays:
    """Words of an SVG, put back into lines by their height and place."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for word in ElementTree.fromstring(content).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314  our own file
        if "clip-path" in word.attrib:
            lines.setdefault(float(word.attrib["y"]), []).append((float(word.attrib["x"]), word.text or ""))
    rows = ["".join(text for _, text in sorted(lines[y])).replace("\xa0", " ").rstrip() for y in sorted(lines)]
    return read_text("\n".join(rows), expected)


EXACT = {"json": read_json, "npz": read_npz, "csv": read_csv}
ROUNDED = {"md": read_markdown, "tex": read_latex, "txt": read_txt, "svg": read_svg}
Reader = Callable[[bytes, Arrays], Arrays]


@pytest.mark.parametrize(("suffix", "read"), EXACT.items())
@pytest.mark.parametrize("options", [(), FRESH], ids=["example", "fresh"])
def test_machine_formats_hold_every_bit(
    suffix: str, read: Reader, options: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    path = tmp_path / f"trace.{suffix}"
    result = cli("trace", *options, "-o", path)
    assert (result.code, result.out, result.err) == (0, "", "")
    _, expected = arrays(*options)
    found = read(path.read_bytes(), expected)
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize(("suffix", "read"), ROUNDED.items())
@pytest.mark.parametrize(("precision", "error"), [(None, 5.01e-5), (9, 5.01e-10)])
@pytest.mark.parametrize("options", [(), FRESH], ids=["example", "fresh"])
def test_human_formats_hold_the_same_numbers_rounded(
    suffix: str, read: Reader, precision: int | None, error: float, options: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    path = tmp_path / f"trace.{suffix}"
    digits = () if precision is None else ("--precision", precision)
    assert cli("trace", *options, "--full", *digits, "-o", path).code == 0
    _, expected = arrays(*options)
    found = read(path.read_bytes(), expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=error, err_msg=name)


@pytest.mark.parametrize("format", ["json", "csv", "markdown", "latex", "svg"])
def test_stdout_gets_what_the_file_gets(format: str, cli: Cli, tmp_path: Path) -> None:  # noqa: A002
    assert cli("trace", "--format", format, "-o", tmp_path / "file.any").code == 0
    assert cli("trace", "--format", format).out == (tmp_path / "file.any").read_text("utf-8")


def test_large_arrays_are_cut_in_documents(cli: Cli) -> None:
    options = ("--channels", "rgb", "--filters", 32, "--image-size", 32)
    assert len(cli("trace", "--format", "markdown", *options).out.splitlines()) < 400
    assert "and 31 more like it" in cli("trace", "--format", "latex", *options).out


def test_markdown_keeps_what_github_needs(cli: Cli, tmp_path: Path) -> None:
    image = write_image(tmp_path / "a*b_`$x$`.png", 6, 6)
    text = cli("trace", image, "--format", "markdown").out
    assert f"${FORMULA}$" in text
    assert r"a\*b\_\`\$x\$\`\.png" in text
    for formula in re.findall(r"\$(.+?)\$$", text, re.MULTILINE):
        # Markdown eats a backslash before a sign, and GitHub has switched \operatorname off.
        assert not re.search(r"\\[^A-Za-z ]|\\operatorname|^\s|\s$|[^\x00-\x7f]", formula), formula


@pytest.mark.parametrize("options", [(), (*FRESH, "--full"), (*FRESH, "--filter", "0", "--channel", "2")])
def test_latex_needs_amsmath_alone(options: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    image = write_image(tmp_path / "50% of_a & b{猫}~^#$.png", 11, 11, colour=True)
    path = tmp_path / "trace.tex"
    assert cli("trace", image, *options[:6], *options[8:], "-o", path).code == 0
    text = path.read_text("utf-8")
    assert re.findall(r"\\usepackage.*", text) == [r"\usepackage{amsmath}"]
    assert text.isascii()
    assert text.count(r"\begin{pmatrix}") == text.count(r"\end{pmatrix}") > 20
    assert text.count(r"\[") == text.count(r"\]")
    if program := shutil.which("pdflatex"):
        command = [program, "-interaction=nonstopmode", "-halt-on-error", path.name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        assert "LaTeX Warning" not in done.stdout


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("conv(X, w1) + b1", r"\mathrm{conv}(X, w_{1}) + b_{1}"),
        ("dL/dz2 · Fᵀ", r"\frac{\partial L}{\partial z_{2}}\cdot F^{\top}"),
        ("w2ᵀ · dL/dz2", r"w_{2}^{\top}\cdot \frac{\partial L}{\partial z_{2}}"),
        ("σ(z2)", r"\sigma(z_{2})"),
        ("1 where Z1 > 0, else 0", r"1\text{ where }Z_{1}>0, \text{ else }0"),
        ("(1/m) Σ [−log A2[y]]", r"(1/m)\sum [-\log A_{2}[y]]"),
        ("reshape(dL/dF, P1.shape)", r"\mathrm{reshape}(\frac{\partial L}{\partial F}, P_{1}\mathrm{.shape})"),
        ("Σ_u X[0,u,1]·w1[0,0,u,v]", r"\sum_{u} X[0,u,1]\cdot w_{1}[0,0,u,v]"),
        ("e^z2[1] / e^(−0.2)", r"e^{z_{2}[1]}/e^{(-0.2)}"),
        ("dL/dw1[0,0] = -1.5e-04", r"\frac{\partial L}{\partial w_{1}[0,0]} = -1.5 \cdot 10^{-4}"),
    ],
)
def test_formulas_as_tex(formula: str, written: str) -> None:
    assert tex(formula) == written


def test_numbers_that_json_lacks_are_words(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"b2": [900]}')
    result = cli("trace", "--weights", tmp_path / "w.json", "--label", 0, "--format", "json")
    steps = {step["name"]: step for step in json.loads(result.out)["steps"]}
    assert steps["dL/dA2"]["values"] == ["Infinity"]
    assert steps["dL/dz2"]["values"] == [1.0]
    assert r"\infty" in cli("trace", "--weights", tmp_path / "w.json", "--label", 0, "--format", "latex").out


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#292929")])
def test_an_svg_asks_nobody_for_anything_and_has_no_window(theme: str, ground: str, cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "trace.svg"
    assert cli("trace", "--only", "Z1", "-o", path, "--theme", theme).code == 0
    text = path.read_text("utf-8")
    assert "url(http" not in text
    assert "<circle" not in text
    assert f'fill="{ground}"' in text


def test_an_svg_is_as_wide_as_its_longest_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "page.svg"
    assert cli("trace", "--symbolic", "-o", path).code == 0
    longest = max(map(len, cli("trace", "--symbolic").out.splitlines()))
    width = float(ElementTree.parse(path).getroot().attrib["viewBox"].split()[2])  # noqa: S314  our own file
    assert width > longest * 12.2


def test_a_theme_is_for_an_svg(cli: Cli) -> None:
    done = cli("trace", "--theme", "dark")
    assert (done.code, done.err.strip()) == (2, "Error: --theme colours an svg, not table: leave it out")
