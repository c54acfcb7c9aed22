"""The exported page in a real browser: its decoding and its numbers are Python's, and it works as a person uses it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnncli.exporting.export import export_model
from cnncli.model import Model
from tests.browser import Browser
from tests.exporting.models import ARCHITECTURES, make_model, write_images, write_photos


def wait_for_count(page: Any, selector: str, count: int) -> None:
    page.locator(selector).nth(count - 1).wait_for()
    assert page.locator(selector).count() == count


def export(model: Model, folder: Path) -> Path:
    model.save(folder / "model.safetensors")
    return export_model(folder / "model.safetensors", folder / "model.html").path


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_page_gives_the_probabilities_of_predict(name: str, browser: Browser, tmp_path: Path) -> None:
    model = make_model(ARCHITECTURES[name])
    file, images = export(model, tmp_path), write_images(tmp_path / "images")
    page = browser.open(file)
    page.wait_for_selector("#check[data-state=right]")
    page.set_input_files("#files", images)
    wait_for_count(page, "article div > ol", len(images))
    assert page.locator("article h3").all_text_contents() == [path.name for path in reversed(images)]
    for number, prediction in enumerate(reversed(model.predict(images))):
        card = page.locator("article").nth(number)
        items = [item.text_content() for item in card.locator("li span:first-child").all()]
        found = [
            float(item.get_attribute("data-probability") or "") for item in card.locator("[data-probability]").all()
        ]
        assert dict(zip(items, found, strict=True)) == pytest.approx(prediction.probabilities, abs=1e-5), (
            prediction.path
        )
        assert found == sorted(found, reverse=True)
    browser.check(file)


def test_photos_are_scaled_as_pillow_scales_them(browser: Browser, tmp_path: Path) -> None:
    model = make_model(ARCHITECTURES["two blocks, softmax, RGB"])
    file = export(model, tmp_path)
    page = browser.open(file)
    page.wait_for_selector("#check[data-state=right]")
    for height, width in ((14, 17), (200, 331), (501, 77), (15, 16), (3, 1000), (7, 8), (1, 1)):
        pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "image.png")
        read = page.evaluate(
            "async (png) => Array.from(await readImage(new Blob([Uint8Array.from(png)])))",
            list((tmp_path / "image.png").read_bytes()),
        )
        assert read == model.pixels(tmp_path / "image.png").ravel().tolist(), (height, width)


def test_large_photos_are_almost_the_same(browser: Browser, tmp_path: Path) -> None:
    model = make_model(ARCHITECTURES["two blocks, softmax, RGB"])
    page = browser.open(export(model, tmp_path))
    for photo in write_photos(tmp_path / "photos"):
        read = page.evaluate(
            "async (jpeg) => Array.from(await readImage(new Blob([Uint8Array.from(jpeg)])))", list(photo.read_bytes())
        )
        difference = np.abs(np.array(read) - model.pixels(photo).ravel())
        assert difference.max() <= 2, photo
        assert difference.mean() <= 0.5, photo


def test_what_is_no_image_gets_its_reason(browser: Browser, tmp_path: Path) -> None:
    file = export(make_model(ARCHITECTURES["one block, sigmoid"]), tmp_path)
    page = browser.open(file)
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    page.set_input_files("#files", [tmp_path / "text.png", tmp_path / "broken.png"])
    wait_for_count(page, "article .wrong", 2)
    assert page.locator("article .wrong").all_text_contents() == [
        "the image is damaged",
        "not an image of a kind that is read (PNG, JPEG, BMP, GIF, WebP)",
    ]


def test_an_image_can_be_dropped(browser: Browser, tmp_path: Path) -> None:
    model = make_model(ARCHITECTURES["one block, sigmoid"])
    file = export(model, tmp_path)
    page = browser.open(file)
    (image, *_) = write_images(tmp_path / "images")
    page.evaluate(
        """(png) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(png)], "dropped.png"));
            document.getElementById("target").dispatchEvent(
                new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        list(image.read_bytes()),
    )
    page.wait_for_selector("article ol")
    best = page.locator("li").first
    (expected,) = model.predict(image)
    assert best.locator("span").first.text_content() == expected.best
    browser.check(file)


def test_a_page_whose_numbers_are_not_pythons_says_so(browser: Browser, tmp_path: Path) -> None:
    file = export(make_model(ARCHITECTURES["one block, sigmoid"]), tmp_path)
    text = file.read_text("utf-8")
    file.write_text(text.replace("Math.max(z, 0)", "Math.max(z, 0.01)"), "utf-8")
    page = browser.open(file)
    page.wait_for_selector("#check[data-state=wrong]")
    assert "Do not trust this page in this browser: a probability differs by" in page.inner_text("#check")
    file.write_text(text.replace("<< 21", "<< 20"), "utf-8")
    page = browser.open(file)
    page.wait_for_selector("#check[data-state=wrong]")
    assert "a test image is decoded otherwise" in page.inner_text("#check")


def test_the_page_fits_a_phone_and_can_be_used_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    file = export(make_model(ARCHITECTURES["one block, sigmoid"]), tmp_path)
    page = browser.open(file, viewport={"width": 375, "height": 700}, color_scheme="dark")
    page.set_input_files("#files", write_images(tmp_path / "images")[:2])
    wait_for_count(page, "article div > ol", 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "files"
