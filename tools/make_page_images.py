"""Make docs/images/page*.png again: the page in its main states, in Chromium. Needs the extra `browser`.

python tools/make_page_images.py
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cnncli
from cnncli.reports.look import Look
from cnncli.reports.trace.html import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
SHOE = ROOT / "sample_data" / "fashion" / "val" / "sneaker" / "00009.png"
STEPS = 14  # to the middle of the way back


def take(browser: "Browser", address: str, name: str, *, steps: int = 0, **context: Any) -> None:
    """One picture of a page."""
    opened = browser.new_context(reduced_motion="reduce", **context)
    page = opened.new_page()
    page.goto(address)
    for _ in range(steps):
        page.keyboard.press(".")
    page.wait_for_timeout(300)
    page.screenshot(path=IMAGES / f"{name}.png")
    opened.close()


def main() -> None:
    """All of them."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        note, shoe = folder / "note.html", folder / "shoe.html"
        note.write_text(render(cnncli.trace(), Look()), encoding="utf-8")
        run = cnncli.train(ROOT / "sample_data" / "fashion", out=folder / "shoes", epochs=8).run
        traced = cnncli.trace(SHOE.relative_to(Path.cwd()) if SHOE.is_relative_to(Path.cwd()) else SHOE, model=run)
        shoe.write_text(render(traced, Look()).replace(f"{folder}/", "runs/"), encoding="utf-8")
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", *sys.argv[1:]]
        )
        desk = {"width": 1280, "height": 1180}
        address = note.as_uri()
        take(chromium, f"{address}#at=dL/dw1[0,0,1,2]", "page", viewport=desk)
        changed = f"{address}#do=X.0.1.1=9;descend=0.1&at=X[0,1,1]"
        take(chromium, changed, "page-changed", viewport=desk, color_scheme="dark")
        take(chromium, address, "page-step", viewport=desk, steps=STEPS)
        take(chromium, f"{address}#at=A1[0,0,2]", "page-phone", viewport={"width": 375, "height": 812})
        take(
            chromium, f"{shoe.as_uri()}#at=Z1[3,10,12]&see=1.3", "page-large", viewport={"width": 1440, "height": 1100}
        )
        chromium.close()


if __name__ == "__main__":
    main()
