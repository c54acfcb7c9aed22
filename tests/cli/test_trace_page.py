"""`cnncli trace -o page.html` and `--open`."""

import webbrowser
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest

from tests.conftest import Cli


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the browser was asked to show."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not addresses.append(address))  # type: ignore[func-returns-value]
    return addresses


def test_a_page_is_written_and_nothing_is_said(cli: Cli, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert cli("trace", "-o", page) == (0, "", "")
    assert '<script type="module">' in page.read_text("utf-8")
    assert cli("trace", "--format", "html").out == page.read_text("utf-8")


def test_open_shows_the_file_that_was_named(cli: Cli, tmp_path: Path, shown: list[str]) -> None:
    page = tmp_path / "a page.html"
    result = cli("trace", "--open", "-o", page)
    assert (result.code, result.out, result.err) == (0, "", f"the page: {page}\n")
    assert shown == [page.as_uri()]
    assert "dL/dw1" in page.read_text("utf-8")
    assert "exists" in cli("trace", "--open", "-o", page).sentence
    assert cli("trace", "--open", "--label", "0", "-o", page, "--force").code == 0


def test_open_without_a_name_is_a_temporary_file(cli: Cli, shown: list[str]) -> None:
    result = cli("trace", "--open")
    assert result.code == 0
    path = Path(url2pathname(urlparse(shown[0]).path))
    assert path.name == "trace.html"
    assert "dL/dw1" in path.read_text("utf-8")
    path.unlink()
    path.parent.rmdir()


def test_where_no_browser_starts_the_file_is_named(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    result = cli("trace", "--open", "-o", tmp_path / "page.html")
    assert result.err == f"no browser starts here: open this file in one: {tmp_path / 'page.html'}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-o", "trace.json"), "--open opens a page, which is html, not json: name its file with -o FILE.html"),
        (("--format", "csv"), "--open opens a page, which is html, not csv: name its file with -o FILE.html"),
        (("--only", "Z1"), "--open has no use for --only: leave it out"),
        (("--step",), "--step and --open are two views: choose one"),
        (("--force",), "--force has nothing to replace: name a file with -o, or leave it out"),
    ],
)
def test_what_open_refuses(
    arguments: tuple[str, ...],
    sentence: str,
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shown: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("trace", "--open", *arguments)
    assert result.code == 2
    assert sentence in result.sentence
    assert shown == []
    assert list(tmp_path.iterdir()) == []


def test_a_narrowed_trace_is_its_tables_without_a_script(cli: Cli, tmp_path: Path) -> None:
    page = tmp_path / "part.html"
    assert cli("trace", "--only", "Z1,dL/dw1", "-o", page).code == 0
    text = page.read_text("utf-8")
    assert "<script" not in text
    assert text.count("<h3") == 2
    assert ">-0.4952" in text


def test_a_trace_too_large_for_a_page_is_refused(cli: Cli, tmp_path: Path) -> None:
    result = cli("trace", "--image-size", "250", "--filters", "8", "-o", tmp_path / "page.html")
    assert result.code == 2
    assert "numbers are more than a page can hold, 1,000,000: choose a smaller image" in result.sentence
    assert list(tmp_path.iterdir()) == []
