"""The page in a real browser: what it shows, says and does, as a person meets it."""

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cnncli.network.architecture import Architecture
from cnncli.subject.subject import Subject
from cnncli.tracing.trace import Trace, trace_image
from tests.reports.page.conftest import Opened
from tests.reports.page.subjects import KINDS, example, fresh, unlabelled
from tests.reports.test_true_as_printed import calculate

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PANEL_TEXTS = """(name) => {
    // Every cell of a tensor's panel, in all of its filters and channels: [index, text, label].
    const { page } = window.cnncli;
    const tensor = page.chain.tensors.get(name);
    const panel = page.stage.panels.get(tensor);
    const cells = new Map();
    for (let i = 0; i < tensor.size; i++) {
        if (cells.has(i)) continue;
        page.choice.show(tensor, i);
        if (panel.grid.open) panel.grid.open(i);
        for (const cell of panel.element.querySelectorAll("td")) {
            cells.set(cell.entry.i, [cell.textContent, cell.getAttribute("aria-label")]);
        }
    }
    return [...cells].sort((a, b) => a[0] - b[0]).map(([, seen]) => seen);
}"""


def as_number(text: str) -> float:
    return float({"∞": "inf", "−∞": "-inf", "NaN": "nan"}.get(text, text.replace("−", "-")))


def half_a_digit(text: str) -> float:
    """How far a number may be from what is written of it."""
    digits, _, exponent = text.replace("−", "-").partition("e")
    decimals = len(digits.partition(".")[2])
    return 0.501 * 10.0 ** (int(exponent or 0) - decimals) if decimals or exponent else 1e-12


def exact_values(page: "Page", trace: Trace) -> dict[str, Any]:
    """What the page works with."""
    names = [step.name for step in trace.steps]
    texts = page.evaluate("(names) => names.map((name) => cnncli.values(name).map(String))", names)
    return {
        name: np.array([float(text.replace("Infinity", "inf")) for text in values]).reshape(trace[name].shape)
        for name, values in zip(names, texts, strict=True)
    }


def cell(page: "Page", tensor: str, *place: int) -> "Locator":
    """The cell of an entry in its panel; the place is row and column."""
    row, column = place if place else (0, 0)
    panel = page.locator(f'[data-tensor="{tensor}"]')
    return panel.locator(f'td[aria-rowindex="{row + 1}"][aria-colindex="{column + 1}"]')


def inspected(page: "Page") -> str:
    return str(page.locator(".inspector .body").inner_text())


def changed(trace: Trace, label: int | None = None, **arrays: Any) -> Trace:
    """The trace with other numbers, by Python."""
    subject = trace.subject
    parameters = {name: arrays.get(name, value) for name, value in subject.parameters.items()}
    y = subject.y if label is None else np.array([label])
    X = arrays.get("X", subject.X)
    return trace_image(Subject(subject.architecture, parameters, subject.classes, X, y, subject.images, ""))


def assert_same(page: "Page", trace: Trace) -> None:
    for name, values in exact_values(page, trace).items():
        np.testing.assert_allclose(values, trace[name], rtol=1e-11, atol=1e-13, err_msg=name)


def test_it_opens_without_a_request_or_a_word_and_agrees_with_python(open_page: Opened) -> None:
    page = open_page(example())
    verdict = page.locator(".verdict").inner_text()
    assert re.search(r"157 numbers computed again here: Python and this page agree, (all|15\d) to the bit", verdict)
    assert "the network says 1 with probability 0.5498" in page.locator(".answer").inner_text()
    assert page.title() == "cnncli trace · the note's 6×6 example"


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_of_every_panel_is_that_of_the_trace(kind: str, open_page: Opened) -> None:
    trace = KINDS[kind]()
    page = open_page(trace)
    verdict = page.locator(".verdict").inner_text()
    assert "Python and this page agree" in verdict, verdict
    values = exact_values(page, trace)
    for name, tensor in trace.chain.tensors.items():
        np.testing.assert_array_equal(values[name], trace[name], err_msg=name)
        seen = page.evaluate(PANEL_TEXTS, name)
        assert len(seen) == trace[name].size, name
        for i, ((text, label), value) in enumerate(zip(seen, trace[name].ravel().tolist(), strict=True)):
            if np.isfinite(value):
                assert abs(as_number(text) - value) <= half_a_digit(text), (name, i, text, value)
                assert (text == "0") == (value == 0), (name, i)
            else:
                np.testing.assert_equal(as_number(text), value)
            assert label.startswith(f"{name}"), label
            assert f": {text}" in label
        if tensor.kind in ("forward", "gradient") and kind != "large":
            assert name in page.locator("section.panel .name").all_inner_texts() or tensor.axes[0] in "NC"


def test_the_verdict_says_where_the_two_differ_and_how_far(open_page: Opened) -> None:
    page = open_page(KINDS["large"]())
    head = page.locator(".verdict summary").inner_text()
    numbers, same = (int(text.replace(",", "")) for text in re.findall(r"[\d,]*\d", head))
    page.locator(".verdict summary").click()
    rows = [re.split(r"\t| of ", text) for text in page.locator(".apart tr").all_inner_texts()[1:]]
    assert sum(int(row[1].replace(",", "")) for row in rows) == numbers - same
    for name, differing, size, most, allowed in rows:
        assert int(differing.replace(",", "")) <= int(size.replace(",", "")), name
        assert as_number(most) <= as_number(allowed) < 1e-9, name


def test_a_screen_reader_hears_row_and_column(open_page: Opened) -> None:
    page = open_page(example())
    label = cell(page, "dL/dw1", 1, 2).get_attribute("aria-label")
    assert label == "dL/dw1, row 1, column 2: −0.405"
    assert cell(page, "A1", 0, 2).get_attribute("aria-label") == "A1, row 0, column 2: 5.5, winner"
    assert cell(page, "Z1", 0, 0).get_attribute("aria-label") == "Z1, row 0, column 0: −2.5, gate shut"


def test_pointing_at_a_number_shows_its_formula_and_lights_its_terms(open_page: Opened) -> None:
    page = open_page(example())
    cell(page, "Z1", 0, 2).hover()
    text = inspected(page)
    assert "Z1[0,0,2]" in text
    assert "X[0,0,2]·w1[0,0,0,0]" in text
    assert "= 2·1" in text
    assert "5 more terms are 0" in text
    lit = page.locator('[data-tensor="X"] td[data-lit="term"]')
    assert lit.all_inner_texts() == ["2", "4", "3", "3"]
    assert page.locator('[data-tensor="X"] td[data-lit]').count() == 9
    assert page.locator('[data-tensor="Z1"] td[data-lit="here"]').count() == 1
    page.locator("h1").hover()
    assert "dL/dw1[0,0,2,0]" in inspected(page)  # what is looked at when nothing is pointed at


LINES = """() => {
    // Of every entry what the side says: [label, [[numbers, result] of each term], total].
    const { page } = cnncli;
    const text = (element) => element ? element.textContent.replace(/^[=≈] /, "") : "";
    const all = [];
    for (const tensor of page.chain.tensors.values()) {
        for (let i = 0; i < Math.min(tensor.size, 40); i++) {
            page.look.go({ tensor, i });
            const list = page.inspector.element.querySelectorAll(".terms > li:not(.total):not(.rest)");
            const terms = [...list].filter((line) => !line.querySelector("details"))
                .map((line) => [".with-numbers", ".result"].map((name) => text(line.querySelector(name))));
            const total = page.inspector.element.querySelector(".total")?.textContent ?? "";
            all.push([tensor.name, terms, total]);
        }
    }
    return all;
}"""


@pytest.mark.parametrize("kind", ["example", "two blocks, colour, softmax", "average pooling, padding"])
def test_what_the_side_says_is_what_a_calculator_says(kind: str, open_page: Opened) -> None:
    page = open_page(KINDS[kind]())
    calculated = added = 0
    for name, terms, total in page.evaluate(LINES):
        for numbers, result in terms:
            value = calculate(numbers.replace("−", "-")) if numbers else None
            if value is not None:
                assert abs(value - as_number(result)) <= half_a_unit(result), (name, numbers, result)
                calculated += 1
        if total and 1 < len(terms) < 12:
            value = sum(as_number(result) for _, result in terms)
            last = re.split("[=≈] ", total)[-1]
            assert abs(value - as_number(last)) <= half_a_unit(last), (name, terms, total)
            added += 1
    assert calculated > 150
    assert added > 5


def half_a_unit(text: str) -> float:
    """Of the last decimal; a number with few decimals has them all, and is as good as written."""
    digits, e, exponent = text.replace("−", "-").partition("e")
    decimals = len(digits.partition(".")[2])
    return 0.5001 * 10.0 ** (int(exponent) - decimals if e else -max(decimals, 4))


def test_every_link_of_a_path_has_the_digits_that_its_product_needs(open_page: Opened) -> None:
    page = open_page(example(), "#at=w1[0,0,1,2]")
    page.locator(".path-list summary").click()
    links = [as_number(text) for text in page.locator(".links span:not(.why)").all_inner_texts()]
    product = page.locator(".carried").inner_text()
    assert abs(np.prod(links) - as_number(product)) <= half_a_unit(product)


def test_a_number_that_is_rounded_is_told_in_double_precision(open_page: Opened) -> None:
    page = open_page(example(), "#at=z2")
    assert "z2≈ 0.2" in inspected(page).replace("\n", "")
    assert "in double precision 0.19999999999999996" in inspected(page)


def test_a_step_veils_the_way_back_at_the_side_too(open_page: Opened) -> None:
    page = open_page(example(), "#step=z2")
    assert inspected(page).startswith("z2")
    assert "its derivative" not in inspected(page)
    assert page.locator(".paths").inner_text() == ""
    page.locator("h1").click()
    page.keyboard.press("d")
    assert inspected(page).startswith("z2")
    page.locator("button", has_text="show all").click()
    assert "its derivative: dL/dz2 ≈ −0.4502" in inspected(page)
    assert "One path leads from L to z2" in page.locator(".paths").inner_text()


def test_a_click_goes_there_and_back_leads_back(open_page: Opened) -> None:
    page = open_page(example())
    cell(page, "dL/dw1", 1, 2).click()
    page.locator("h1").hover()
    assert "dL/dZ1[0,3,0]·X[0,4,2]" in inspected(page)
    page.locator(".terms .entry", has_text="X[0,4,2]").click()
    page.locator("h1").hover()
    assert inspected(page).startswith("X[0,4,2]")
    page.wait_for_function("location.hash === '#at=X[0,4,2]'")
    page.locator(".inspector .back").click()
    assert inspected(page).startswith("dL/dw1[0,0,1,2]")


def test_paths_from_L_and_why_a_zero_is_zero(open_page: Opened) -> None:
    page = open_page(example())
    cell(page, "w1", 1, 2).click()
    paths = page.locator(".paths").inner_text()
    assert "One path leads from L to w1[0,0,1,2]" in paths
    assert "−0.4051 through Z1[0,3,0]" in re.sub(r"\s+", " ", paths)
    page.locator(".path-list summary").click()
    rows = [re.sub(r"\s+", " ", text) for text in page.locator(".links li").all_inner_texts()]
    assert rows[0].startswith("dL/dA2 −1.8187")
    assert rows[-1].startswith("dZ1[0,3,0]/dw1[0,0,1,2] 3")
    assert len(rows) == 7
    cell(page, "X", 0, 0).click()
    paths = page.locator(".paths").inner_text()
    assert "0 paths lead from L to X[0,0,0]" in paths
    assert "Why it is 0: every way ends" in paths
    assert "Z1[0,0,0] ≤ 0: relu shut its gate" in paths


def test_the_keyboard_alone_walks_through_the_whole_chain(open_page: Opened) -> None:
    page = open_page(example())
    page.locator("h1").click()
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        tensor = page.evaluate("document.activeElement.closest('[data-tensor]')?.dataset.tensor")
        if tensor:
            reached.append(tensor)
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
            assert outline == "3px"
            page.keyboard.press("Control+Home")
            page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowDown")
            assert inspected(page).startswith(tensor)
        if reached and page.evaluate("document.activeElement.matches('.inspector')"):
            break
    trace = example()
    assert set(reached) == set(trace.chain.tensors)
    cell(page, "X", 0, 0).focus()
    for key in ("ArrowDown", "ArrowRight", "End", "Home", "ArrowRight"):
        page.keyboard.press(key)
    assert inspected(page).startswith("X[0,1,1]")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    assert inspected(page).startswith("dL/dX[0,1,1]")
    page.keyboard.press("Backspace")
    assert inspected(page).startswith("X[0,1,1]")


def test_a_changed_pixel_weight_bias_and_label_are_followed_everywhere(open_page: Opened) -> None:
    trace = example()
    page = open_page(trace)
    cell(page, "X", 1, 1).click()
    page.keyboard.press("9")
    page.keyboard.press("Enter")
    X = trace.subject.X.copy()
    X[0, 0, 1, 1] = 9
    assert_same(page, changed(trace, X=X))
    assert "changed" in (cell(page, "X", 1, 1).get_attribute("class") or "")
    assert "Δ +9, it was 0" in inspected(page)
    assert "Δ" in page.locator(".history .loss").inner_text()
    w1, b2 = trace["w1"].copy(), np.array([0.25])
    w1[0, 0, 2, 0] = -1.5
    for tensor, place, number in (("w1", (2, 0), "-1.5"), ("b2", (), "0.25")):
        cell(page, tensor, *place).click()
        page.locator(".editor input[type=number]").fill(number)
        page.locator(".editor input[type=number]").press("Enter")
    page.locator(".label select").select_option("0")
    everything = changed(trace, label=0, X=X, w1=w1, b2=b2)
    assert_same(page, everything)
    fragment = "#do=X.0.1.1=9;w1.0.0.2.0=-1.5;b2=0.25;y=0&at=b2"
    page.wait_for_function("(fragment) => location.hash === fragment", arg=fragment)
    again = open_page(trace, fragment)
    assert_same(again, everything)
    for _ in range(3):
        page.locator("h1").click()
        page.keyboard.press("u")
    assert_same(page, changed(trace, X=X))
    page.keyboard.press("r")
    assert_same(page, changed(trace, X=X, w1=w1))
    page.locator("button", has_text="reset").click()
    for name, values in exact_values(page, trace).items():
        np.testing.assert_array_equal(values, trace[name], err_msg=name)
    assert page.locator(".stage td.changed").count() == 0


def test_ties_and_kinks_that_appear_are_named(open_page: Opened) -> None:
    page = open_page(example(), "#do=b1=-6")
    notes = page.locator(".notes").inner_text()
    assert "Z1[0,0,2] is exactly 0, on relu’s kink: its gate counts as shut" in notes
    tie = open_page(fresh(Architecture(4, 4, 1, (1,), kernel=1), np.arange(16.0).reshape(1, 1, 4, 4)), "#do=X.0.0.0=5")
    told = tie.locator(".notes").inner_text()
    assert ("is a tie of 2 equal maxima" in told) or ("became" in told)
    tie.wait_for_function("location.hash.startsWith('#do=X.0.0.0=5')")


def test_a_sign_begins_a_number_too(open_page: Opened) -> None:
    trace = example()
    page = open_page(trace)
    cell(page, "w1", 0, 1).click()
    page.keyboard.type("-2")
    page.keyboard.press("Enter")
    w1 = trace["w1"].copy()
    w1[0, 0, 0, 1] = -2
    assert_same(page, changed(trace, w1=w1))


def test_pictures_have_corners_where_something_changed(open_page: Opened) -> None:
    trace = KINDS["large"]()
    page = open_page(trace, "#do=X.0.9.9=3&at=Z1[0,9,9]")
    X = trace.subject.X.copy()
    X[0, 0, 9, 9] = 3
    after = changed(trace, X=X)
    for name in ("X", "Z1", "A1"):
        corners = page.evaluate(
            """(name) => {
                const canvas = document.querySelectorAll(`[data-tensor="${name}"] canvas`)[1];
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return data.filter((value, at) => at % 4 === 3 && value > 0).length;
            }""",
            name,
        )
        assert corners == (after[name] != trace[name])[..., 0, :, :].sum(), name


def test_a_class_that_is_only_assumed_is_said_to_be(open_page: Opened) -> None:
    page = open_page(unlabelled())
    label = page.locator(".label span")
    assumed = "true class not known; L is that of the predicted class, "
    assert label.text_content() == assumed
    page.evaluate("cnncli.page.sheets.build()")
    for sheet in page.locator(".sheets article p").all():
        assert (sheet.text_content() or "").endswith(f"{assumed}sneaker (y = 1)")
    cell(page, "y").click()
    assert "given: the class that counts as true" in inspected(page)
    page.locator(".label select").select_option("0")
    assert label.text_content() == "true class "
    page.locator("button", has_text="undo").click()
    assert label.text_content() == assumed
    assert open_page(example()).locator(".label span").text_content() == "true class "


def test_classes_go_by_their_names(open_page: Opened) -> None:
    trace = fresh(Architecture(11, 11, 1, (4,), classes=3))
    page = open_page(trace, "#at=dL/dz2[2]")
    assert page.locator('[aria-label="class"] button').all_inner_texts() == [f"class <{k}>" for k in range(3)]
    assert "class “class <2>”" in inspected(page)


def test_one_step_down_the_gradient_is_pythons(open_page: Opened) -> None:
    trace = example()
    page = open_page(trace)
    page.locator("button", has_text="descend").click()
    stepped: dict[str, Any] = {
        name: value - 0.1 * trace[f"dL/d{name}"] for name, value in trace.subject.parameters.items()
    }
    after = changed(trace, None, **stepped)
    assert_same(page, after)
    told = page.locator(".promise").inner_text()
    fell = f"{trace['L'] - after['L']:.4f}"
    promised = 0.1 * sum(float((trace[f"dL/d{name}"] ** 2).sum()) for name in stepped)
    assert told == f"L fell by {fell}; the slope promised −{promised:.4f}"
    page.locator(".descent input").fill("1")
    page.locator("button", has_text="descend").click()
    assert page.locator(".curve polyline").get_attribute("points")
    page.wait_for_function("location.hash.includes('descend=0.1;descend=10')")


def test_stepping_says_each_step_in_a_sentence_and_veils_what_is_to_come(open_page: Opened) -> None:
    trace = example()
    page = open_page(trace)
    page.locator("h1").click()
    sentences, veiled = [], []
    steps = [name for name, tensor in trace.chain.tensors.items() if tensor.kind in ("forward", "gradient")]
    for _ in steps:
        page.keyboard.press(".")
        sentences.append(page.locator(".sentence").inner_text())
        veiled.append(page.locator(".panel.veiled").count())
        assert page.locator(".panel.now").count() == 1
    assert len({re.sub(r"^\d+ of \d+", "", sentence) for sentence in sentences}) == len(steps)
    assert veiled == list(range(len(steps) - 1, -1, -1))
    assert "w1 is laid on X at every position" in sentences[0]
    page.keyboard.press(",")
    assert page.locator(".panel.veiled").count() == 1
    page.locator("button", has_text="show all").click()
    assert page.locator(".panel.veiled").count() == 0


def test_a_step_can_be_sent_and_another_state_of_an_open_page_is_taken(open_page: Opened) -> None:
    page = open_page(example(), "#step=dL/dZ1")
    assert page.locator(".panel.now .name").inner_text() == "dL/dZ1"
    assert inspected(page).startswith("dL/dZ1[0,3,0]")
    page.keyboard.press(".")
    page.wait_for_function("location.hash.includes('step=dL/dw1')")
    page.evaluate("location.hash = 'at=Z1[0,0,2]'")
    page.locator(".inspector h2", has_text="Z1[0,0,2]").wait_for()
    assert page.locator(".panel.now").count() == 0


def test_escape_while_typing_leaves_the_number_as_it_was(open_page: Opened) -> None:
    trace = example()
    page = open_page(trace)
    cell(page, "X", 1, 1).click()
    page.keyboard.press("7")
    page.keyboard.press("Escape")
    assert_same(page, trace)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "X, row 1, column 1: 0"
