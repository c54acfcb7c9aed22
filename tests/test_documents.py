"""What the documents show is what the program does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools import make_docs

NUMBER = re.compile(r"[-−]?\d[\d,.]*(e[-+]\d+)?%?")


def normalised(text: str) -> str:
    """Without digits and the spaces between columns: speed and rounding differ from machine to machine."""
    return re.sub(r"\s+", " ", NUMBER.sub("#", text))


@pytest.fixture(scope="module")
def run() -> Iterator[make_docs.Commands]:
    with make_docs.Commands() as commands:
        yield commands


@pytest.mark.parametrize("path", make_docs.documents(), ids=lambda path: path.name)
def test_the_shown_output_is_the_real_one(path: Path, tmp_path: Path, run: make_docs.Commands) -> None:
    text = path.read_text(encoding="utf-8")
    fresh = make_docs.refreshed(text, tmp_path, run)
    old_blocks, new_blocks = make_docs.BLOCK.findall(text), make_docs.BLOCK.findall(fresh)
    for old, new in zip(old_blocks, new_blocks, strict=True):
        if re.search(r"^\$ cnncli (train|predict|gradcheck|info|export|trace \S+\.png)", old, re.MULTILINE):
            old, new = normalised(old), normalised(new)
        assert new == old, "run python tools/make_docs.py"


def test_the_command_reference_is_the_help_of_every_command(run: make_docs.Commands) -> None:
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == make_docs.command_reference(run)


def test_the_picture_of_a_trace_is_drawn_from_the_real_thing() -> None:
    picture = (ROOT / "docs" / "images" / "trace.svg").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", picture).replace("&#160;", " ")
    for piece in ("dL/dw1", "conv(X, dL/dZ1)", "-0.4952", "-0.4051"):
        assert piece in text


@pytest.mark.parametrize("path", [*make_docs.documents(), ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_the_readme_gives_two_commands_and_the_check_runs_the_second() -> None:
    commands = re.findall(r"```bash\n(.*?)\n```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(commands) == 2
    assert "cnncli train sample_data/fashion" in commands[0]
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_option_is_in_the_reference_with_a_help_text() -> None:
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    # The help stands two spaces or more after the option and its kind, or alone on the next line.
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)(?: \S+)*(?: {2,}|\n {20,})(\S.*)$", reference, re.MULTILINE)
    named = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", reference, re.MULTILINE)
    assert [name for name, _ in options] == named
    assert len(named) > 30
    for source in (ROOT / "cnncli" / "cli").glob("*.py"):
        for option in re.findall(r'"(--[a-z-]+)"', source.read_text(encoding="utf-8")):
            assert option in reference, option
