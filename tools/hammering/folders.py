"""Folders with anything in them: pipes, sockets, links to devices, loops, evil names, files in the place of folders."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from random import Random

from tools.hammering.bytes_of import damage
from tools.hammering.frame import Outcome
from tools.hammering.inside import Case, run_inside
from tools.hammering.names import any_name, hostile
from tools.hammering.real import real_images, write_model

TRAIN = "train data --epochs 1 --image-size 8 --channels gray --filters 2 --out"
COMMANDS = (
    (f"{TRAIN} run", 4),
    (f"{TRAIN} run --skip-bad -q", 2),
    (f"{TRAIN} there", 1),
    (f"{TRAIN} there --force", 2),
    ("train data --epochs 1 --out run", 1),
    ("predict data -m MODEL", 3),
    ("predict data -m MODEL --format csv", 1),
    ("evaluate data -m MODEL --skip-bad", 2),
    ("evaluate data -m there --format json", 1),
    ("info -m there", 1),
    ("trace there -m MODEL", 1),
    ("trace --weights there/settings.json", 1),
    ("gradcheck --against there", 1),
    ("gradcheck --template there", 1),
    ("trace -o there --format json", 1),
    ("trace -o there --format json --force", 2),
    ("trace --picture there/x.png --force", 1),
)


class Folders:
    """A data folder, and something in the place where a run, a model or a file goes."""

    def __init__(self, base: Path) -> None:
        self._images = list(real_images().items())
        self._model = write_model(base / "model.safetensors")

    def run(self, random: Random, folder: Path) -> Outcome:
        """Make the folders, and have a command work on them."""
        data = folder / "data"
        self._make_data(random, data)
        there = random.choice(THINGS)
        there(random, folder / "there")
        commands, weights = zip(*COMMANDS, strict=True)
        (command,) = random.choices(commands, weights)
        arguments = [str(self._model) if word == "MODEL" else word for word in command.split()]
        forced = "--force" in arguments
        known = ("model.safetensors", "last.safetensors", "history.csv", "split.csv", "settings.json", "curves.svg")
        outputs = ["run"]
        if there is _run:  # a run may be replaced, where that is permitted
            outputs += [f"there/{name}" for name in known] if forced and "train" in command else []
        if there in (_nothing, _empty_folder):
            outputs += [] if command == "info -m there" else ["there"]
        if "-o there" in command and (forced or there in (_link_to_nothing, _nothing)):
            outputs += ["there", "elsewhere"]
        if command.startswith(TRAIN) and there is _link_to_nothing:
            outputs += ["there", "elsewhere"]
        if "--picture" in command:
            outputs += ["there/x.png"]
        if "--template" in command and there is _link_to_nothing:
            outputs += ["there", "elsewhere"]
        case = Case(f"there is {there.__name__}: {command}", arguments, codes=(0, 2, 3), outputs=outputs)
        return run_inside(case, folder)

    def _make_data(self, random: Random, data: Path) -> None:
        """Two classes or so, with good images and with other things, sometimes split."""
        roots = [data]
        if random.random() < 0.3:
            names = random.choice((["train"], ["train", "val"], ["train", "val", "test"], ["train", "valid", "val"]))
            roots = [data / name for name in names]
        classes = ["dark", "light"]
        if random.random() < 0.3:
            classes[0] = hostile(random)
        if random.random() < 0.2:
            classes.append(random.choice(("middle", "train", ".hidden", hostile(random))))
        for root in roots:
            root.mkdir(parents=True, exist_ok=True)
            for name in classes:
                self._fill(random, root / name)
        if random.random() < 0.3:
            path = random.choice(roots) / hostile(random, random.choice(("", ".png")))
            if not os.path.lexists(path):
                random.choice(THINGS)(random, path)

    def _fill(self, random: Random, folder: Path) -> None:
        """One class."""
        if os.path.lexists(folder) or random.random() < 0.05:
            return
        folder.mkdir()
        for number in range(random.choice((0, 1, 2, 3, 3, 3, 3, 5))):
            name, content = random.choice(self._images)
            if random.random() < 0.1:
                _, content = damage(random, content)
            (folder / f"{number}{Path(name).suffix}").write_bytes(content)
        if random.random() < 0.15:
            random.choice(THINGS)(random, folder / any_name(random, ".png", 0.5))


def _nothing(_: Random, path: Path) -> None:
    """Nothing is there."""


def _empty_folder(_: Random, path: Path) -> None:
    path.mkdir()


def _full_folder(random: Random, path: Path) -> None:
    path.mkdir()
    for name in ("settings.json", "model.safetensors", "history.csv", "x.png")[random.randrange(4) :]:
        (path / name).write_bytes(random.choice((b"", b"{}", b"mine", b"[" * 50_000)))


def _folder_of_pipes(_: Random, path: Path) -> None:
    path.mkdir()
    for name in ("settings.json", "model.safetensors"):
        os.mkfifo(path / name)


def _run(_: Random, path: Path) -> None:
    path.mkdir()
    write_model(path / "model.safetensors")
    settings = '{"cnncli": "1", "architecture": {}, "classes": ["a", "b"], "normalisation": {}}'
    (path / "settings.json").write_text(settings)


def _file(random: Random, path: Path) -> None:
    path.write_bytes(random.choice((b"", b"mine", b"\x89PNG\r\n\x1a\n", random.randbytes(50))))


def _pipe(_: Random, path: Path) -> None:
    os.mkfifo(path)


def _socket(_: Random, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        try:
            os.chdir(path.parent)  # the path of a socket must be short
            server.bind(path.name if len(os.fsencode(path.name)) < 100 else "short.png")
        finally:
            os.chdir(here)


def _link_to_device(random: Random, path: Path) -> None:
    path.symlink_to(random.choice(("/dev/zero", "/dev/null", "/dev/full", "/dev/tty", "/proc/self/mem")))


def _link_to_nothing(_: Random, path: Path) -> None:
    path.symlink_to("elsewhere")


def _loop(_: Random, path: Path) -> None:
    path.symlink_to(path.name)


def _link_to_parent(_: Random, path: Path) -> None:
    path.symlink_to("..")


THINGS: tuple[Callable[[Random, Path], None], ...] = (
    _nothing,
    _empty_folder,
    _full_folder,
    _folder_of_pipes,
    _run,
    _file,
    _pipe,
    _socket,
    _link_to_device,
    _link_to_nothing,
    _loop,
    _link_to_parent,
)
