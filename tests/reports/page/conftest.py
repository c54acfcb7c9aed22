"""A real browser for the tests of the page: Debian's Chromium, or the one that Playwright brings."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnncli.reports.look import Look
from cnncli.reports.trace.html import render
from cnncli.tracing.trace import Trace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[..., "Page"]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Skips with a word where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the extra 'browser': Playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium, which is not on the path")
    arguments = ["--disable-gpu", "--disable-background-networking"]
    if os.name == "posix" and os.getuid() == 0:
        arguments.append("--no-sandbox")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


class Opened:
    """The pages that a test opened, and what they said and asked for."""

    def __init__(self, browser: "Browser", folder: Path) -> None:
        self.browser, self.folder = browser, folder
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.contexts: list[Any] = []

    def __call__(
        self, trace: Trace, fragment: str = "", *, width: int = 1280, height: int = 900, **context: Any
    ) -> "Page":
        """A page of a trace from a file; `context` goes to Playwright's new_context."""
        path = self.folder / f"trace{len(self.contexts)}.html"
        path.write_text(render(trace, Look()), encoding="utf-8")
        return self.visit(f"{path.as_uri()}{fragment}", width=width, height=height, **context)

    def visit(self, address: str, *, width: int = 1280, height: int = 900, **context: Any) -> "Page":
        """Any address."""
        self.contexts.append(
            self.browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **context)
        )
        page: Page = self.contexts[-1].new_page()
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(address)
        return page


@pytest.fixture
def open_page(browser: "Browser", tmp_path: Path) -> Iterator[Opened]:
    """Open the page of a trace; in the end none may have said anything or asked for more than itself."""
    opened = Opened(browser, tmp_path)
    yield opened
    for context in opened.contexts:
        context.close()
    assert opened.messages == []
    assert all(url.startswith(("file:", "about:", "data:,")) for url in opened.requests), opened.requests
    assert len([url for url in opened.requests if url.startswith("file:")]) <= len(opened.contexts) + 2
