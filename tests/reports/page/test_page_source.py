"""The page's source: small modules, joined without a bundler, that ask nobody for anything."""

import re
from pathlib import Path

from cnncli.reports.trace.page import source
from cnncli.reports.trace.page.source import script

SCRIPT = Path(source.__file__).parent / "script"
MODULES = sorted(SCRIPT.rglob("*.js"))
KIND = re.compile(r"(?<![a-z])(conv|relu|pool|flatten|dense|sigmoid|softmax)", re.IGNORECASE)


def test_every_module_is_used_and_none_is_too_long() -> None:
    text = script("main.js")
    for path in MODULES:
        name = "_" + re.sub(r"\W", "_", path.relative_to(SCRIPT).as_posix().removesuffix(".js"))
        assert text.count(f"const {name} = (() => {{") == 1, path
        assert path.read_text("utf-8").count("\n") <= 300, path
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)


def test_only_the_chain_and_its_kinds_know_kinds_of_steps() -> None:
    for path in MODULES:
        if path.parent.name != "kinds" and path.name != "chain.js":
            code = re.sub(r"^\s*(//|/\*\*).*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
            assert not KIND.search(code), path


def test_the_script_asks_nobody() -> None:
    text = script("main.js").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\(|WebSocket|sendBeacon|localStorage|eval\(", text)
