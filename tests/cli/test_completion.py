"""What the shell offers while a command is typed."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cnncli
from tests.conftest import Cli

BASH = shutil.which("bash")
Complete = Callable[..., list[str]]


@pytest.fixture
def complete(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What is offered for the last word, as bash asks for it; there must be nothing on stderr."""

    def offer(*words: object) -> list[str]:
        monkeypatch.setenv("_CNNCLI_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(map(str, ("cnncli", *words))))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        result = cli()
        assert (result.code, result.err) == (0, "")
        return [line for line in result.out.splitlines() if line]

    return offer


@pytest.fixture
def run(image_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of two blocks and the classes dark and light, in the runs/ of the current folder."""
    monkeypatch.chdir(image_folder.parent)
    cnncli.train(image_folder, out=Path("runs", "night"), epochs=1, filters=(1, 1), kernel=1)
    return Path("runs", "night")


def test_names_of_values_are_completed(complete: Complete) -> None:
    assert complete("trace", "--only", "Z") == ["Z1"]
    assert complete("trace", "--only", "Z1,dL/dw") == ["Z1,dL/dw2", "Z1,dL/dw1"]
    assert complete("trace", "--filters", "8,16", "--expand", "Z") == ["Z1", "Z2"]
    assert complete("trace", "--follow", "b") == ["b2", "b1"]
    assert complete("gradcheck", "--show", "dL/dw") == ["dL/dw2", "dL/dw1"]


def test_classes_are_those_of_the_model_or_numbers(complete: Complete, run: Path) -> None:
    assert complete("trace", "-m", run, "--label", "") == ["dark", "light"]
    assert complete("gradcheck", "--classes", "3", "--label", "") == ["0", "1", "2"]


def test_runs_and_models_are_found(complete: Complete, run: Path) -> None:
    shutil.copy(run / "model.safetensors", "alone.safetensors")
    Path("runs", "empty").mkdir()
    assert complete("info", "-m", "") == ["runs/night", "alone.safetensors"]
    assert complete("trace", "-m", "ru") == ["runs/night"]
    assert complete("predict", "-m", "runs/n") == ["runs/night"]
    assert set(complete("evaluate", "-m", "runs/night/")) == {
        "runs/night/last.safetensors",
        "runs/night/model.safetensors",
    }
    assert complete("trace", "-m", run, "--only", "P") == ["P1", "P2"]


@pytest.mark.parametrize(
    "words",
    [
        ("trace", "-m", "no-such-run", "--only", "Z"),
        ("trace", "-m", __file__, "--label", ""),
        ("trace", "-m", "no/such/folder/"),
        ("trace", "--filters", "many", "--expand", "Z"),
        ("nonsense", "--only", "Z"),
    ],
    ids=" ".join,
)
def test_where_nothing_can_be_told_nothing_is_said(words: tuple[str, ...], complete: Complete) -> None:
    assert complete(*words) == []


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_bash_completes_after_install_completion(tmp_path: Path) -> None:
    cnncli_program = Path(sys.executable).with_name("cnncli")
    script = f"""
        export PATH={cnncli_program.parent}:$PATH
        cnncli --install-completion
        source ~/.bashrc
        COMP_WORDS=(cnncli tr)
        COMP_CWORD=1
        _cnncli_completion cnncli
        echo "offered: ${{COMPREPLY[@]}}"
    """
    command = [BASH or "", "-c", script]
    done = subprocess.run(command, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "offered: train trace"
