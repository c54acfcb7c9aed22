"""Which option goes with what, where each is declared, and how the help shows them."""

import importlib
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cnncli.cli import modes
from cnncli.cli.app import COMMANDS, load
from cnncli.cli.flags import flag
from cnncli.cli.options import FRESH_OPTIONS, NETWORK_OPTIONS
from cnncli.errors import CnncliError, UsageError
from cnncli.network.architecture import Architecture
from cnncli.subject.fresh import FreshNetwork
from cnncli.training.settings import TrainingSettings
from tests.conftest import ROOT, Cli


def parameters(command: str) -> set[str]:
    return {parameter.name for parameter in load(command).params if parameter.name != "help"}


@pytest.mark.parametrize(("command", "table"), [("trace", modes.TRACE), ("gradcheck", modes.GRADCHECK)])
def test_every_option_stands_in_the_table(command: str, table: modes.Modes) -> None:
    used = set(table.uses).union(*table.uses.values())
    assert used == parameters(command)


VALUES = {each.name: str(each.default) for each in NETWORK_OPTIONS} | {
    "image": "a.png", "images": "a.png", "model": "m", "weights": "w.json", "label": "1", "only": "L", "filter": "0",
    "channel": "0", "precision": "3", "image_size": "9", "channels": "rgb", "classes": "2", "seed": "0",
    "format": "json", "output": "o.json", "method": "central", "sample": "3", "show": "dL/dw1", "expand": "L",
    "follow": "w1[0,0]", "picture": "p.png", "against": "g.npz", "code": "c.py", "template": "t.py",
    "theme": "dark", "pool_stride": "1", "stride": "1", "dilation": "1", "case": "1", "cases": "3", "timeout": "9",
    "function": "m:f", "vjp": "m:g", "gradient": "m:h", "inputs": "x.npz", "shape": "2,3", "junit": "j.xml",
    "convention": "first-max",
}  # fmt: skip


def arguments(name: str) -> list[str]:
    if name in ("image", "images"):
        return [VALUES[name]]
    return [flag(name), VALUES[name]] if name in VALUES else [flag(name)]


def combinations() -> list[tuple[str, str, str]]:
    return [
        (command, mode, name)
        for command, table in (("trace", modes.TRACE), ("gradcheck", modes.GRADCHECK))
        for mode, used in table.uses.items()
        for name in sorted(parameters(command) - set(used) - {mode})
    ]


@pytest.mark.parametrize(("command", "mode", "name"), combinations())
def test_what_a_mode_has_no_use_for_is_refused(command: str, mode: str, name: str, cli: Cli) -> None:
    result = cli(command, *arguments(mode), *arguments(name))
    assert result.code == 2
    table = modes.TRACE if command == "trace" else modes.GRADCHECK
    if name in table.uses:
        first, second = sorted((mode, name), key=[parameter.name for parameter in load(command).params].index)
        noun = "views" if command == "trace" else "modes"
        assert result.sentence == f"Error: {flag(first)} and {flag(second)} are two {noun}: choose one"
    else:
        written = "IMAGE" if name in ("image", "images") else flag(name)
        assert result.sentence == f"Error: {flag(mode)} has no use for {written}: leave it out"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("gradcheck --self-test --show x --sample 3", "--self-test has no use for --sample, --show: leave them out"),
        ("trace --symbolic --full --seed 0", "--symbolic has no use for --full, --seed: leave them out"),
        ("trace --symbolic --force", "--force has nothing to replace: name a file with -o, or leave it out"),
        ("trace --force", "--force has nothing to replace: name a file with -o, or leave it out"),
        ("predict x.png -m run --format csv --top-k 2", "--format csv has no use for --top-k: leave it out"),
        ("gradcheck --format json --show dL/dw1", "--format json has no use for --show: leave it out"),
        ("trace --expand L --expand A2", "--expand is given 2 times: give it once"),
        ("trace --format json --format json --format csv", "--format is given 3 times: give it once"),
        ("train DATA --lr 1 --lr 2", "--lr is given 2 times: give it once"),
        ("predict x.png -m a --model b", "--model is given 2 times: give it once"),
        ("frob", "No such command 'frob': there are train, predict, evaluate, export, gradcheck, trace, info"),
        ("tran", "No such command 'tran': there are train, predict, evaluate, export, gradcheck, trace, info; "
         "did you mean train?"),
    ],
)  # fmt: skip
def test_what_is_refused_by_itself(arguments: str, sentence: str, cli: Cli) -> None:
    result = cli(*arguments.split())
    assert (result.code, result.sentence) == (2, f"Error: {sentence}")


def test_a_flag_may_be_repeated(cli: Cli) -> None:
    assert cli("trace", "--full", "--full", "--only", "L").code == 0


def test_the_name_of_a_derivative_is_looked_up_before_the_check_runs(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.checking.run.run_gradcheck", None)
    result = cli("gradcheck", "--show", "dL/dw7")
    assert result.code == 2
    assert result.sentence == (
        "Error: --show dL/dw7: no such derivative is checked, there are dL/dz2, dL/dw2, dL/db2, dL/dF, dL/dP1, "
        "dL/dA1, dL/dZ1, dL/dw1, dL/db1, dL/dX; did you mean dL/dw2?"
    )
    assert "no such derivative is checked" in cli("gradcheck", "--show", "dL/dA2").sentence


def test_the_options_of_a_network_are_the_fields_of_architecture_with_its_defaults() -> None:
    chosen = [each.name for each in NETWORK_OPTIONS]
    data = {"height", "width", "channels", "classes"}
    assert sorted(chosen) == sorted(each.name for each in fields(Architecture) if each.name not in data)
    for option in NETWORK_OPTIONS:
        default = getattr(Architecture, option.name)
        written = ",".join(map(str, default)) if isinstance(default, tuple) else default
        assert option.default == written
    assert {each.name for each in FRESH_OPTIONS} == {each.name for each in fields(FreshNetwork)} - {"network"}
    for command in ("train", "trace", "gradcheck"):
        assert set(chosen) <= parameters(command)


def test_every_setting_of_a_training_is_an_option() -> None:
    network = {each.name for each in NETWORK_OPTIONS}
    settings = {each.name for each in fields(TrainingSettings)} - {"network"}
    assert parameters("train") == settings | network | {"config", "details", "dry_run", "format", "quiet"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_has_their_first_sentences(name: str) -> None:
    command = getattr(importlib.import_module(f"cnncli.cli.{name}"), name)
    assert COMMANDS[name] == (command.__doc__ or "").splitlines()[0]


def test_the_help_is_as_wide_as_the_terminal_and_stands_under_headings(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for width in (60, 80, 130):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = cli("trace", "--help").out.splitlines()
        longest = max(len(line) for line in lines[: lines.index("Options:")])
        assert width - 12 <= longest <= width
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "Arguments:", "What is looked at:", "Views, one at a time:", "Which part, and how exactly:", "Fresh network:",
        "Output:", "Options:",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("cnncli tr", {"train", "trace"}),
        ("cnncli trace --fo", {"--follow", "--format", "--force"}),
        ("cnncli trace --only L --only X --sy", {"--symbolic"}),
        ("cnncli trace --format j", {"json"}),
    ],
)
def test_the_shell_completes_commands_and_options(words: str, completed: set[str]) -> None:
    environment = os.environ | {
        "_CNNCLI_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")),
    }  # fmt: skip
    command = [sys.executable, "-c", "from cnncli.cli import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert set(done.stdout.split()) == completed


@pytest.mark.parametrize(
    ("error", "inside", "outside"),
    [
        (UsageError("dark is no class", argument="label"), "label dark is no class", "--label dark is no class"),
        (
            UsageError("both bring weights", argument=("weights", "model")),
            "weights and model both bring weights",
            "--weights and --model both bring weights",
        ),
        (
            CnncliError("runs/a exists: replace it", argument="out", remedy="force"),
            "out runs/a exists: replace it with force",
            "--out runs/a exists: replace it with --force",
        ),
        (CnncliError("x: no such file"), "x: no such file", "x: no such file"),
    ],
)
def test_an_error_is_phrased_for_its_reader(error: CnncliError, inside: str, outside: str) -> None:
    assert str(error) == inside
    assert error.phrase(flag) == outside


def test_every_argument_that_an_error_names_is_an_option() -> None:
    options: set[Any] = {option for name in COMMANDS for each in load(name).params for option in each.opts}
    named: set[str] = set()
    for path in (ROOT / "cnncli").rglob("*.py"):
        for given in re.findall(r"\b(?:argument|remedy)=(\"\w+\"|\([^)]*\))", path.read_text(encoding="utf-8")):
            named.update(re.findall(r'"(\w+)"', given))
    assert {"label", "weights", "model", "out", "force", "skip_bad", "validation_fraction"} <= named
    assert {flag(name) for name in named} <= options


def test_the_same_value_on_the_command_line_as_the_default_is_given(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    sentence = cli("trace", tmp_path / "a.png", "-m", "m", "--kernel", 3).sentence
    assert sentence.startswith("Error: --kernel describes a fresh network, but the model brings its own")
