"""The report in a real browser: what it shows, how it is used, and that it loads nothing."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from cnncli.pages.document import read_text, write_document
from cnncli.pages.markup import element, render
from cnncli.reports.report.charts import Chart, ticks
from tests.browser import Browser
from tests.conftest import SAMPLE_DATA, Cli


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from cnncli import api

    run = api.train(SAMPLE_DATA / "fashion", out=tmp_path_factory.mktemp("runs") / "shoes", epochs=3).run
    return run / "report.html"


@pytest.fixture(scope="module")
def figures(report: Path) -> Any:
    from cnncli import api
    from cnncli.reports.evaluation import evaluation_document

    return evaluation_document(api.evaluate(SAMPLE_DATA / "fashion", report.parent, split="val"))


def test_it_shows_what_evaluate_says(browser: Browser, report: Path, figures: Any) -> None:
    page = browser.open(report)
    assert page.inner_text("h1") == "Report: shoes"
    assert f"{figures['accuracy']:.1%}" in page.inner_text(".figures")
    assert f"{figures['roc_auc']:.4f}" in page.inner_text(".figures")
    counts = [cell.inner_text() for cell in page.locator(".confusion tbody td").all()]
    assert [int(count) for count in counts] == [count for row in figures["confusion_matrix"] for count in row]
    answers = [card.inner_text() for card in page.locator(".mistakes article").all()]
    assert len(answers) == len(figures["mistakes"])
    for text, mistake in zip(answers, figures["mistakes"], strict=True):
        assert f"{mistake['true_class']} taken for {mistake['answer']}" in text
        assert f"{mistake['probability']:.4f}" in text
        assert Path(mistake["path"]).name in text
    assert page.locator("#curves svg").count() == 2
    assert page.locator("#filters img").count() == 8
    assert "filters 8, kernel 3, pool 2; 1,433 parameters" in page.inner_text("#settings")
    sizes = page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert min(sizes) > 0  # every picture can be drawn
    browser.check(report)


def test_no_label_of_a_chart_is_clipped(browser: Browser, tmp_path: Path) -> None:
    chart = Chart("probability", (0.0, 1.0), (0.0, 1.0), percent_x=True, percent_y=True)
    path = tmp_path / "chart.html"
    style = read_text("cnncli.reports.report", "report.css")
    path.write_text(write_document("chart", render([chart.draw("")]), style=style), "utf-8")
    outside = """() => {
        const box = document.querySelector("svg").getBoundingClientRect();
        return [...document.querySelectorAll("text")].map((text) => {
            const { left, top, right, bottom } = text.getBoundingClientRect();
            return Math.min(left - box.left, top - box.top, box.right - right, box.bottom - bottom);
        });
    }"""
    room = browser.open(path).evaluate(outside)
    assert len(room) == 13
    assert min(room) >= 0


def test_a_number_of_the_matrix_opens_its_images(browser: Browser, report: Path) -> None:
    page = browser.open(report)
    link = page.locator(".confusion tbody td a").first
    target = page.locator(link.get_attribute("href") or "")
    assert target.get_attribute("open") is None
    link.click()
    page.wait_for_selector("details[open] .pictures img")
    assert target.get_attribute("open") is not None
    assert target.locator("img").count() == 12


def test_the_arrow_keys_go_through_the_matrix(browser: Browser, report: Path) -> None:
    page = browser.open(report)
    links = page.locator(".confusion tbody td a")
    links.first.focus()
    page.keyboard.press("ArrowDown")
    below = page.evaluate(
        "[document.activeElement.closest('tr').rowIndex, document.activeElement.closest('td').cellIndex]"
    )
    assert below == [2, 1]
    page.keyboard.press("ArrowDown")  # there is no further row
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    page.keyboard.press("Enter")
    page.wait_for_selector("details[open] .pictures img")


def test_it_can_be_read_without_javascript(browser: Browser, report: Path) -> None:
    page = browser.open(report, java_script_enabled=False)
    page.locator(".cells summary").first.click()
    assert page.locator(".cells details").first.locator("img").first.is_visible()
    assert page.locator(".mistakes img").first.is_visible()


@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 28)")])
def test_it_fits_a_phone_in_light_and_dark(browser: Browser, report: Path, scheme: str, background: str) -> None:
    page = browser.open(report, viewport={"width": 375, "height": 700}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background


def test_evaluate_writes_it_for_any_images(cli: Cli, report: Path, tmp_path: Path, browser: Browser) -> None:
    odd = tmp_path / "data" / "sneaker" / "<img src=x onerror=alert(1)>.png"
    odd.parent.mkdir(parents=True)
    shutil.copy(next((SAMPLE_DATA / "fashion" / "val" / "ankle-boot").glob("*.png")), odd)
    model = report.parent / "model.safetensors"
    result = cli("evaluate", tmp_path / "data", "-m", model, "-o", tmp_path / "report.html")
    assert (result.code, result.out) == (0, "")
    page = browser.open(tmp_path / "report.html")
    assert odd.name in page.inner_text(".mistakes")
    assert page.locator("img[onerror]").count() == 0
    assert page.locator("#curves").count() == 0  # a model file tells no history
    browser.check(tmp_path / "report.html")
    taken = cli("evaluate", tmp_path / "data", "-m", model, "-o", tmp_path / "report.html")
    assert taken.sentence.endswith("report.html exists: name another file, or replace it with --force")
    for name in ("a.json", "a.csv", "a.txt"):
        assert cli("evaluate", tmp_path / "data", "-m", model, "-o", tmp_path / name).code == 0
    assert json.loads((tmp_path / "a.json").read_text())["images"] == 1
    assert "1 images of" in (tmp_path / "a.txt").read_text("utf-8") or "1 image of" in (tmp_path / "a.txt").read_text(
        "utf-8"
    )


def test_the_best_epoch_is_the_one_that_is_kept_and_a_damaged_history_is_left_out(cli: Cli, tmp_path: Path) -> None:
    run, report = tmp_path / "run", tmp_path / "report.html"
    assert cli("train", SAMPLE_DATA / "fashion", "--epochs", 3, "--out", run, "-q").code == 0
    history = run / "history.csv"
    rows = list(csv.DictReader(history.read_text().splitlines()))
    for number, row in enumerate(rows):  # the second has the best recall, the third the most right answers
        row |= {"judged_accuracy": str([0.5, 0.9, 0.6][number]), "val_accuracy": str([0.5, 0.6, 0.9][number])}
    with history.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    evaluate = ("evaluate", SAMPLE_DATA / "fashion", "--split", "val", "-m", run, "-o", report, "--force")
    assert cli(*evaluate).code == 0
    assert set(re.findall(r"best epoch (\d+)", report.read_text("utf-8"))) == {"2"}
    for text in ("epoch,judged_accuracy\n1,2\n3,4\n", history.read_text().replace("0.9", "many")):
        history.write_text(text)
        assert cli(*evaluate).code == 0
        assert "best epoch" not in report.read_text("utf-8")


def test_text_never_becomes_markup() -> None:
    made = element("p", "<b>&\x1b", element("i", "x"), " > y", title='"&', class_="a", aria_label="b", hidden=None)
    assert render([made]) == '<p title="&quot;&amp;" class="a" aria-label="b">&lt;b&gt;&amp;\\x1b<i>x</i> &gt; y</p>'


def test_ticks_are_round_numbers_within_the_axis() -> None:
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert ticks(0.031, 0.42) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert ticks(1, 3, least=1.0) == [1, 2, 3]
