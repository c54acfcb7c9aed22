"""Model files that are damaged, or describe what cannot be: read by predict, info, trace, and as weights."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tools.hammering.bytes_of import damage
from tools.hammering.frame import Outcome
from tools.hammering.inside import Case, run_inside
from tools.hammering.names import any_name, hostile
from tools.hammering.real import real_images, write_model

Header = dict[str, Any]

SIZES: Sequence[Any] = (
    -1,
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    9,
    100,
    9_999,
    10_000,
    10_001,
    60_000,
    2**31,
    2**63,
    10**30,
    8.0,
    True,
    None,
    "8",
    [],
)
COMMANDS = (
    ("predict IMAGE -m MODEL", 4),
    ("predict IMAGE -m MODEL --format json", 1),
    ("info -m MODEL", 3),
    ("info -m MODEL --format json", 1),
    ("trace IMAGE -m MODEL --label dark --only L", 1),
    ("gradcheck IMAGE -m MODEL --label dark --sample 1 --format json", 1),
    ("trace --weights MODEL --only L", 1),
    ("evaluate data -m MODEL", 1),
)


class Models:
    """One model file a case."""

    def __init__(self, base: Path) -> None:
        paths = [
            write_model(base / "gray.safetensors"),
            write_model(base / "colour.safetensors", channels=3),
            write_model(base / "two.safetensors", filters=(2, 3), size=12),
        ]
        self._real = [path.read_bytes() for path in paths]
        self._image = base / "image.png"
        self._image.write_bytes(real_images()["colour.png"])

    def run(self, random: Random, folder: Path) -> Outcome:
        """Damage a model's bytes, or what its header says, and have it read."""
        content = random.choice(self._real)
        if random.random() < 0.6:
            ways, content = _lie(random, content)
        else:
            ways, content = damage(random, content)
        path = any_name(random, ".safetensors", 0.05)
        (folder / path).write_bytes(content)
        for name in ("dark", "light"):
            (folder / "data" / name).mkdir(parents=True)
            (folder / "data" / name / "1.png").write_bytes(self._image.read_bytes())
        commands, weights = zip(*COMMANDS, strict=True)
        (command,) = random.choices(commands, weights)
        words = {"IMAGE": str(self._image), "MODEL": f"./{path}"}
        arguments = [words.get(word, word) for word in command.split()]
        codes = (0, 2, 3) if command.startswith(("trace", "gradcheck")) else (0, 3)  # 2: no such class
        return run_inside(Case(f"{ways}: {command}", arguments, codes=codes, limited=True), folder)


def _lie(random: Random, content: bytes) -> tuple[str, bytes]:
    """Change what the header says, once or a few times; the file stays a safetensors file."""
    length = int.from_bytes(content[:8], "little")
    header: Header = json.loads(content[8 : 8 + length])
    settings = json.loads(header["__metadata__"]["cnncli"])
    body = content[8 + length :]
    names = []
    for _ in range(random.choice((1, 1, 2, 3))):
        lie = random.choice(LIES)
        names.append(lie.__name__)
        lie(random, header, settings)
    if random.random() < 0.9:
        header["__metadata__"] = {"cnncli": json.dumps(settings)}
    if random.random() < 0.1:
        body = random.choice((body[:-4], body + bytes(4), b"\xff" * len(body), bytes(len(body))))
    written = json.dumps(header).encode()
    size = len(written) if random.random() < 0.95 else random.choice((0, 1, 2**31, 2**62, 99_999_999, len(written) - 1))
    return " ".join(names), size.to_bytes(8, "little") + written + body


def _lie_about_architecture(random: Random, _: Header, settings: Header) -> None:
    architecture = settings["architecture"]
    if isinstance(architecture, dict):
        name = random.choice(("height", "width", "channels", "kernel", "pool", "classes", "padding"))
        architecture[name] = random.choice(SIZES)


def _lie_about_image(random: Random, _: Header, settings: Header) -> None:
    side = random.choice((0, 20, 100, 1_000, 9_999, 60_000))
    pool = random.choice((2, 10, side // 2, side))
    if isinstance(settings["architecture"], dict):
        settings["architecture"] |= {"height": side, "width": random.choice((side, 8)), "pool": pool}


def _lie_about_filters(random: Random, _: Header, settings: Header) -> None:
    filters: Sequence[Any] = (
        [],
        [0],
        [-1],
        [2, 3],
        [2] * 50,
        [1] * 100_000,
        [10**12],
        [2.0],
        ["2"],
        "2",
        None,
        {"a": 1},
        [[2]],
    )
    if isinstance(settings["architecture"], dict):
        settings["architecture"]["filters"] = random.choice(filters)


def _lie_about_classes(random: Random, _: Header, settings: Header) -> None:
    classes: Sequence[Any] = (
        [],
        ["dark"],
        ["dark"] * 2,
        [hostile(random), "light"],
        [1, None],
        "dark",
        {"a": 1},
        [""] * 2,
        [str(number) for number in range(50_000)],
    )
    settings["classes"] = random.choice(classes)


def _lie_about_normalisation(random: Random, _: Header, settings: Header) -> None:
    numbers: Sequence[Any] = (
        [],
        [0],
        [1e308],
        [1e-308],
        [-1],
        ["0.5"],
        [None],
        [0.1] * 3,
        [float("nan")],
        [float("inf")],
        1,
        "ab",
    )
    settings["normalisation"] = random.choice(({}, {"mean": [0.5]}, 7, {"mean": [0.0], "std": [1.0], "more": [1]}))
    if random.random() < 0.8:
        settings["normalisation"] = {"mean": random.choice(numbers), "std": random.choice(numbers)}


def _lie_about_format(random: Random, _: Header, settings: Header) -> None:
    settings["format"] = random.choice((0, 2, 10**30, "1", None, [[[[]]]], hostile(random), True))


def _lie_about_arrays(random: Random, header: Header, _: Header) -> None:
    name = random.choice([name for name in header if name != "__metadata__"] or ["w1"])
    entry = header.setdefault(name, {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]})
    if random.random() < 0.4:
        entry["shape"] = random.choice(([], [0], [2**40, 2**40], [1] * 40, [-1], [2, 1, 9], ["2"], None))
    elif random.random() < 0.5:
        entry["dtype"] = random.choice(("F64", "F16", "BF16", "I64", "BOOL", "F8_E4M3", "U8", "C64", "nonsense", 7))
    elif random.random() < 0.5:
        entry["data_offsets"] = random.choice(([0, 2**62], [4, 0], [0, 0], [0, 8], [-4, 4], [0], None))
    else:
        header[hostile(random)] = header.pop(name)


LIES: tuple[Callable[[Random, Header, Header], None], ...] = (
    _lie_about_architecture,
    _lie_about_architecture,
    _lie_about_image,
    _lie_about_filters,
    _lie_about_classes,
    _lie_about_normalisation,
    _lie_about_format,
    _lie_about_arrays,
)
