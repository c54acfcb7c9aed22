"""Text from outside reaches no terminal, and no file, as more than text."""

import ast
import json
import os
from pathlib import Path

import numpy as np
import pytest

from cnncli.reports.console import SafeConsole, json_text, write_text
from tests.conftest import Cli, write_image

EVIL = "\x1b]0;owned\x07\x1b[31m\x9b1m\x7f"


def test_a_console_shows_codes_instead_of_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    SafeConsole().print(f"[red]{EVIL}[/red]\tand\nmore", soft_wrap=True)
    write_text(f"{EVIL}\tand\nmore\n")
    out = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\x9b", "\x7f"} & set(out)
    assert out.startswith("[red]\\x1b]0;owned")
    assert out.splitlines()[1] == "more"


def test_json_gives_exact_names_in_printable_letters() -> None:
    name = EVIL + os.fsdecode(b"\xff") + "\u202e ü"
    text = json_text({"path": name})
    assert text[:-1].isprintable()
    assert json.loads(text) == {"path": name}


@pytest.mark.parametrize("name", [EVIL, os.fsdecode(b"a\xff"), "two\nlines", "[red]x[/bold]"[:6]])
def test_no_name_of_a_file_reaches_the_terminal(
    name: str, cli: Cli, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / f"{name}.png")
    np.savez(tmp_path / "g.npz", db1=np.zeros(1))
    (tmp_path / "g.npz").rename(tmp_path / f"{name}.npz")
    for arguments in (
        ("predict", f"{name}.png", "-m", model_file),
        ("predict", f"{name}.png", "-m", model_file, "--format", "csv"),
        ("predict", f"{name}.png", "-m", model_file, "--format", "json"),
        ("trace", f"{name}.png", "-m", model_file, "--label", "dark", "--format", "markdown"),
        ("gradcheck", "--against", f"{name}.npz"),
        ("gradcheck", "--code", f"{name}.py"),
        ("gradcheck", "--template", f"{name}.py"),
    ):
        result = cli(*arguments)
        shown = (result.out + result.err).replace("\n", "").replace("\t", "")
        assert shown.encode("utf-8")
        assert shown.isprintable(), arguments
        assert "Traceback" not in shown


@pytest.mark.parametrize("suffix", ["json", "md", "tex", "html", "svg", "csv"])
def test_a_name_that_no_encoding_has_can_be_written(suffix: str, cli: Cli, model_file: Path, tmp_path: Path) -> None:
    image = write_image(tmp_path / os.fsdecode(b"a\xff.png"))
    result = cli("trace", image, "-m", model_file, "--label", "dark", "-o", tmp_path / f"x.{suffix}")
    assert result.code == 0, result.err
    (tmp_path / f"x.{suffix}").read_text("utf-8")


@pytest.mark.parametrize("name", ['a""".py', os.fsdecode(b"\xff.py"), "a\nb.py"])
def test_a_template_of_any_name_can_be_run(name: str, cli: Cli, tmp_path: Path) -> None:
    assert cli("gradcheck", "--template", tmp_path / name).code == 0
    ast.parse((tmp_path / name).read_text("utf-8"))
