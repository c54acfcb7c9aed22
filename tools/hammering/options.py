"""Random options, from the commands' real lists of parameters, with ordinary and extreme values."""

import inspect
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cnncli.cli.app import COMMANDS
from cnncli.cli.flags import flag
from tools.hammering.frame import Outcome
from tools.hammering.inside import Case, run_inside
from tools.hammering.names import PARTS
from tools.hammering.real import CLASSES, real_images, write_model

INTEGERS = ("-1", "0", "1", "2", "3", "5", "9", "99999999999999999999", "1e3", "", "x", "２", "9" * 5000)
FLOATS = ("-1", "0", "0.5", "0.01", "1", "nan", "inf", "1e-300", "1e300", "", "0,5")
# Where every middle value is only long work: few epochs, small images.
OF_OPTION: dict[str, Sequence[str]] = {
    "--epochs": ("1", "2", "0", "-1", "x"),
    "--image-size": ("1", "3", "6", "8", "12", "12", "9999", "10000", "10001", "0"),
    "--filters": (
        "1",
        "2",
        "2,3",
        "1,1,1",
        "8",
        "0",
        "",
        "2,",
        ",".join(["1"] * 3000),
        "99999999999999999999",
        "9" * 5000,
    ),
    "--kernel": ("1", "2", "3", "3", "9", "9999", "99999999999999999999"),
    "--classes": ("2", "3", "10", "1", "99999999999"),
    "--padding": ("0", "1", "2", "99999999"),
    "--threads": ("1", "2"),
    "--label": (*CLASSES, "0", "1", "maybe", *PARTS),
    "--only": ("Z1", "L", "Z1,dL/dw1", "w1[:,0]", "nothing", "", ",", "Z1[", *PARTS),
    "--expand": ("Z1[0,0,0]", "dL/dw1[0,0,1,2]", "L", "Z1", "Z9[0]", "Z1[99]", "Z1[0", "[" * 999, "dL/dw1[-1]", *PARTS),
    "--follow": ("w1[0,0,1,2]", "X[0,0,0]", "b1[0]", "Z1", "L", "w1[9,9,9,9]", "w1[" + "9" * 99 + "]", *PARTS),
    "--show": ("dL/dw1", "dL/dX", "nothing", *PARTS),
}
PATHS = (
    *("data", "data/dark/1.png", "model", "model/model.safetensors", "there.json", "x.csv", "w.json", "g.npz"),
    *("new.json", "new.png", "new.svg", "new.npz", "new/x.png", "/dev/null", "nowhere", "", "-"),
)
USUAL = {"--model": ("model", "model/model.safetensors"), "--out": ("new",), "--output": ("new.json", "new.svg")}
OUTPUTS = ("new", "new.json", "new.png", "new.svg", "new.npz", "runs", "-", "nowhere")
REPLACING = ("--output", "--picture", "--template")  # with --force the file that they name


class Options:
    """One command line a case."""

    def __init__(self, base: Path) -> None:
        self._image = real_images()["gray.png"]
        self._model = write_model(base / "model.safetensors").read_bytes()
        self._commands = {name: getattr(import_module(f"cnncli.cli.{name}"), name) for name in COMMANDS}

    def run(self, random: Random, folder: Path) -> Outcome:
        """Draw a command line, and run it among a few small files."""
        self._make_files(folder)
        name = random.choice(list(self._commands))
        parameters = [
            each for each in inspect.signature(self._commands[name]).parameters.values() if each.name != "context"
        ]
        arguments = [name, *_draw(random, parameters)]
        given = list(pairwise(arguments))
        named = [value for option, value in given if option in REPLACING and "--force" in arguments]
        case = Case(
            " ".join(arguments),
            arguments,
            codes=(0, 1, 2, 3, 4),
            outputs=[*OUTPUTS, *filter(None, named)],
            filled=[value for option, value in given if option == "--saliency"],
            limited=True,
        )
        return run_inside(case, folder)

    def _make_files(self, folder: Path) -> None:
        for name in CLASSES:
            (folder / "data" / name).mkdir(parents=True)
            for number in range(3):
                (folder / "data" / name / f"{number}.png").write_bytes(self._image)
        (folder / "model").mkdir()
        (folder / "model" / "model.safetensors").write_bytes(self._model)
        (folder / "there.json").write_text("mine")
        (folder / "x.csv").write_text("\n".join(["1,0,2,1,0,1"] * 6))
        (folder / "w.json").write_text('{"b1": [0.5]}')
        (folder / "g.npz").write_bytes(b"PK")


def _draw(random: Random, parameters: Sequence[inspect.Parameter]) -> list[str]:
    """Some of a command's parameters with values; what it needs, nearly always."""
    drawn: list[list[str]] = []
    for parameter in parameters:
        kind, info = _read(parameter)
        is_argument = type(info).__name__ == "ArgumentInfo"
        needed = parameter.default is inspect.Parameter.empty
        if random.random() > (0.97 if needed else 0.3 if is_argument else 2 / len(parameters)):
            continue
        declared = [each for each in getattr(info, "param_decls", None) or () if each.startswith("--")]
        option = declared[0] if declared else flag(parameter.name)
        if is_argument:
            drawn.append([random.choice(PATHS[:3])] if random.random() < 0.7 else [random.choice(PATHS)])
        elif kind is bool:
            drawn.append([option])
        else:
            drawn.append([option, _value(random, option, kind)])
    random.shuffle(drawn)
    if drawn and random.random() < 0.03:
        drawn.append(random.choice(drawn))
    return [word for words in drawn for word in words]


def _read(parameter: inspect.Parameter) -> tuple[Any, Any]:
    """The type of a parameter without None, and what Typer knows of it."""
    kind, info = parameter.annotation, None
    while get_origin(kind) in (Annotated, Union, UnionType):
        if get_origin(kind) is Annotated:
            kind, info = get_args(kind)[:2]
        else:
            kind = next(each for each in get_args(kind) if each is not NoneType)
    return kind, info


def _value(random: Random, option: str, kind: Any) -> str:
    if option in OF_OPTION and random.random() < 0.95:
        return random.choice(OF_OPTION[option])
    if get_origin(kind) is Literal and random.random() < 0.95:
        return str(random.choice(get_args(kind)))
    if kind is Path:
        return random.choice(USUAL.get(option, PATHS) if random.random() < 0.7 else PATHS)
    if kind is float:
        return random.choice(FLOATS)
    return random.choice(INTEGERS if kind is int else (*PARTS, *INTEGERS))
