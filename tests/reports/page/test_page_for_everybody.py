"""The page on a phone, on paper, in the dark, without colours, without scripts, in a notebook, for a screen reader."""

import io
import json
import re
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import cnncli
from cnncli.data.normalisation import Normalisation
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.initialisation import he_normal
from cnncli.reports.look import Look
from cnncli.reports.trace.html import render
from tests.conftest import ROOT, write_image
from tests.reports.page.conftest import Opened
from tests.reports.page.subjects import KINDS, example, fresh
from tests.reports.page.test_page_in_browser import cell, exact_values, half_a_digit

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHANGED = "#do=X.0.1.1=9&at=w1[0,0,1,2]"


def violations(page: "Page") -> list[str]:
    """What axe-core finds, in words."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document)")["violations"]
    return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:120]}" for each in found]


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm install --no-save axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["example", "large", "two blocks, colour, softmax"])
def test_axe_finds_nothing(kind: str, scheme: Any, open_page: Opened) -> None:
    page = open_page(KINDS[kind](), CHANGED, color_scheme=scheme)
    page.locator(".path-list summary").first.click()
    assert violations(page) == []
    page.locator("h1").click()
    page.keyboard.press(".")
    page.locator(".verdict summary").click()
    page.locator(".legend summary").click()
    assert violations(page) == []


@pytest.mark.parametrize(("width", "height"), [(375, 812), (640, 450)], ids=["phone", "zoomed to 200 %"])
@pytest.mark.parametrize("kind", ["example", "large", "wide numbers"])
def test_nothing_runs_out_of_a_narrow_window(kind: str, width: int, height: int, open_page: Opened) -> None:
    page = open_page(KINDS[kind](), width=width, height=height)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    page.locator('[data-tensor="dL/dZ1"] td').first.click()
    assert page.locator(".inspector h2").is_visible()


def test_on_a_phone_the_side_does_not_hide_what_has_the_focus(open_page: Opened) -> None:
    page = open_page(example(), "#at=A1[0,0,2]", width=375, height=812)
    covered = """() => {
        const cell = document.querySelector('[data-tensor="A1"] td[data-lit="here"]').getBoundingClientRect();
        return cell.bottom > document.querySelector(".side").getBoundingClientRect().top;
    }"""
    assert not page.evaluate(covered)
    page.evaluate("scrollTo(0, 0)")
    cell(page, "A1", 0, 2).focus()
    assert not page.evaluate(covered)


def test_dark_is_dark(open_page: Opened) -> None:
    page = open_page(example(), color_scheme="dark")
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert max(map(int, re.findall(r"\d+", paper))) < 64


@pytest.mark.parametrize("kind", ["deuteranopia", "protanopia", "tritanopia", "achromatopsia"])
def test_positive_and_negative_differ_for_every_eye(kind: str, open_page: Opened) -> None:
    page = open_page(example())
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setEmulatedVisionDeficiency", {"type": kind})
    colours = []
    for place in ((0, 0), (0, 2)):  # 1 and −1 of w1
        picture = Image.open(io.BytesIO(cell(page, "w1", *place).screenshot())).convert("RGB")
        colours.append(np.array(picture.getpixel((4, 4)), float))
        assert cell(page, "w1", *place).inner_text() == ("1" if place == (0, 0) else "−1")
    if kind != "achromatopsia":  # where only the number's own sign tells
        assert np.abs(colours[0] - colours[1]).max() > 60


def test_the_systems_own_colours_leave_the_marks(open_page: Opened) -> None:
    page = open_page(example(), forced_colors="active")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    winner = cell(page, "A1", 0, 2)
    assert winner.evaluate("(cell) => getComputedStyle(cell).boxShadow") != "none"
    contrast = "(cell) => [getComputedStyle(cell).color, getComputedStyle(cell).backgroundColor]"
    assert winner.evaluate(contrast) == ["rgb(20, 22, 27)", "rgb(255, 255, 255)"]


def test_without_scripts_all_values_are_there_to_read(open_page: Opened) -> None:
    for kind in ("example", "two blocks, colour, softmax", "large"):
        trace = KINDS[kind]()
        page = open_page(trace, java_script_enabled=False)
        body = page.content()
        for step in trace.steps:
            part = body.partition(f'<h3 data-name="{step.name}">')[2].partition("<h3")[0]
            texts = re.findall(r"<td[^>]*>([^<\n]+)", part)
            assert len(texts) == step.value.size, step.name
            for text, value in zip(texts, step.value.ravel().tolist(), strict=True):
                assert abs(float(text) - value) <= half_a_digit(text), (step.name, text, value)
        assert page.locator("h3").first.is_visible()


def test_on_paper_it_is_a_worksheet_and_its_answers(open_page: Opened) -> None:
    page = open_page(example())
    paper = page.pdf()
    assert paper.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) >= 2
    page.evaluate("cnncli.page.sheets.build()")
    page.emulate_media(media="print")
    worksheet, answers = page.locator(".sheets article").all()
    assert worksheet.is_visible()
    assert not page.locator(".stage").is_visible()
    filled = [[bool(td) for td in each.locator("td").all_inner_texts()] for each in (worksheet, answers)]
    given = sum(
        tensor.kind in ("input", "parameter") and tensor.role != "label" for tensor in example().chain.tensors.values()
    )
    assert given == 5
    assert sum(filled[0]) == 36 + 9 + 1 + 4 + 1
    assert all(filled[1])
    assert len(filled[0]) == len(filled[1]) == 36 + 15 + 157


def test_a_colour_photo_is_seen_as_the_photo(open_page: Opened, tmp_path: Path) -> None:
    photo = write_image(tmp_path / "dark" / "photo.png", 20, 20, colour=True)
    architecture = Architecture(20, 20, 3, (2,))
    normalisation = Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.25))
    model = Model(architecture, ("dark", "light"), normalisation, he_normal(architecture, 0))
    page = open_page(cnncli.trace(photo, model=model))
    pixels = page.evaluate("""() => {
        const canvas = document.querySelector('[data-tensor="X"] canvas');
        return Array.from(canvas.getContext("2d").getImageData(0, 0, 20, 20).data);
    }""")
    seen = np.array(pixels).reshape(20, 20, 4)[..., :3]
    np.testing.assert_array_equal(seen, np.asarray(Image.open(photo).convert("RGB")))
    page.locator(".photo input").uncheck()
    page.locator('[aria-label="channel of X"] button').nth(2).click()
    assert page.locator('[data-tensor="X"] .name').inner_text() == "X[2]"


def test_a_notebook_shows_the_same_page_apart_from_its_own_styles(open_page: Opened, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    hostile = "<style>* { color: red !important; display: block !important }</style>"
    notebook.write_text(f"<!doctype html>{hostile}{cnncli.trace()._repr_html_()}", encoding="utf-8")
    page = open_page.visit(notebook.as_uri())
    inside = page.frame_locator("iframe")
    assert "Python and this page agree" in inside.locator(".verdict").inner_text()
    inside.locator('[data-tensor="Z1"] td').first.click()
    assert "Z1[0,0,0]" in inside.locator(".inspector h2").inner_text()
    colour = inside.locator("h1").evaluate("(heading) => getComputedStyle(heading).color")
    assert colour != "rgb(255, 0, 0)"


def test_what_it_weighs_and_how_quick_it_is(open_page: Opened, record_property: Any) -> None:
    """Sizes are asserted; times are reported: they are the machine's."""
    assert len(render(example(), Look()).encode()) <= 150_000
    large = KINDS["large"]()
    assert len(render(large, Look()).encode()) <= 1_000_000
    page = open_page(large)
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    took = page.evaluate("""() => {
        const { page } = cnncli;
        const X = page.chain.tensors.get("X");
        const times = [];
        for (let at = 0; at < 11; at++) {
            const start = performance.now();
            page.state.do({ set: X, i: 300 + at, to: at });
            document.body.getBoundingClientRect();
            times.push(performance.now() - start);
        }
        return times.sort((a, b) => a - b)[5];
    }""")
    record_property("first contentful paint, 28×28, ms", paint)
    record_property("an edit followed, 28×28, ms", took)
    print(f"28×28, 8 filters: first paint {paint:.0f} ms, an edit {took:.1f} ms")  # noqa: T201


def test_of_very_many_numbers_the_file_holds_the_bytes_once(open_page: Opened) -> None:
    trace = fresh(Architecture(64, 64, 3, (12,), padding=1))
    numbers = sum(step.value.size for step in trace.steps)
    document = render(trace, Look())
    assert numbers > 200_000
    assert len(document) < 8 * numbers + 200_000
    page = open_page(trace)
    for name, values in exact_values(page, trace).items():
        np.testing.assert_array_equal(values, trace[name], err_msg=name)


def test_names_from_outside_are_no_markup(open_page: Opened) -> None:
    trace = KINDS["two blocks, colour, softmax"]()
    page = open_page(trace)
    assert page.locator(".label option").all_inner_texts() == [f"class <{k}>" for k in range(4)]
    document = render(trace, Look())
    data = document.partition('id="data">')[2].partition("</script>")[0]
    assert "<" not in data
    assert json.loads(data)["classes"] == list(trace.subject.classes)


@pytest.mark.parametrize(
    ("known", "unknown", "said"),
    [
        ('"kind":"relu"', '"kind":"swish"', "swish"),
        ('"options":{"p":0', '"options":{"groups":2,"p":0', "groups of convolution"),
    ],
)
def test_what_the_page_cannot_compute_it_says_and_shows_pythons_numbers(
    known: str, unknown: str, said: str, open_page: Opened, tmp_path: Path
) -> None:
    text = render(example(), Look())
    assert known in text
    path = tmp_path / "unknown.html"
    path.write_text(text.replace(known, unknown), encoding="utf-8")
    page = open_page.visit(path.as_uri())
    verdict = page.locator(".verdict").inner_text()
    assert verdict == f"This page shows Python’s numbers, but cannot compute {said}: nothing can be changed here."
    for place in product(range(2), range(2)):
        cell(page, "P1", *place).click()
    assert [cell(page, "P1", *place).inner_text() for place in product(range(2), range(2))] == [
        "0.5",
        "5.5",
        "3.5",
        "0",
    ]
    for _ in range(25):
        page.keyboard.press(".")
    assert page.locator(".learning").count() == 0
    assert page.locator(".editor").is_hidden()
