"""Opening the page of a trace in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnncli.reports.look import Look
from cnncli.reports.trace.html import render
from cnncli.tracing.trace import Trace
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Opened:
    """The pages that a test opened, and what they said and asked for."""

    def __init__(self, chromium: Any, folder: Path) -> None:
        self.chromium, self.folder = chromium, folder
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
            self.chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **context)
        )
        page: Page = self.contexts[-1].new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(address)
        return page


@pytest.fixture
def open_page(chromium: Any, tmp_path: Path) -> Iterator[Opened]:
    """Open the page of a trace; in the end none may have said anything or asked for more than itself."""
    opened = Opened(chromium, tmp_path)
    yield opened
    for context in opened.contexts:
        context.close()
    assert opened.messages == []
    assert all(url.startswith(("file:", "about:", "data:,")) for url in opened.requests), opened.requests
    files = {url.partition("#")[0] for url in opened.requests if url.startswith("file:")}
    assert len(files) == len(opened.contexts)
