"""A real browser for the pages that the program writes: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


class Browser:
    """Opens pages from files, and remembers what they request and what goes wrong in them."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium
        self.requests: list[str] = []
        self.errors: list[str] = []

    def open(self, path: Path, **context: Any) -> "Page":
        """A page in a context of its own: width, colour scheme, JavaScript or not."""
        page: Page = self._chromium.new_context(**context).new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri())
        return page

    def check(self, path: Path) -> None:
        """Nothing was loaded but the file itself, and nothing went wrong."""
        assert {url for url in self.requests if not url.startswith(("data:", "blob:"))} == {path.as_uri()}
        assert self.errors == []


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; a test that needs one is skipped where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the extra browser")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Browser]:
    """Opens pages, and closes them after the test."""
    yield Browser(chromium)
    for context in chromium.contexts:
        context.close()
