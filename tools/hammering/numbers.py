"""Files of numbers that are damaged: matrices, weights, gradients from elsewhere."""

import io
import json
import zipfile
from collections.abc import Callable
from math import prod
from pathlib import Path
from random import Random

import numpy as np

from tools.hammering.bytes_of import damage
from tools.hammering.frame import Outcome
from tools.hammering.inside import Case, run_inside
from tools.hammering.names import any_name, hostile

SHAPES = {"w1": (1, 1, 3, 3), "b1": (1,), "w2": (1, 4), "b2": (1,)}  # of the note's example
MOST = 1_000_000  # numbers of an array that the hammer itself makes
DTYPES = ("f4", "f8", "f2", "i8", "u1", "?", ">i2", "c16", "U3", "S5", "O", "M8[s]", "V7", "g")
ODD: tuple[object, ...] = (
    float("nan"),
    float("inf"),
    1e308,
    5e-324,
    -0.0,
    10**400,
    2**64,
    True,
    None,
    "1.5",
    [],
    {},
    [[1], [2, 3]],
)


class Numbers:
    """One file a case, for one of the places that take one."""

    def __init__(self, _base: Path) -> None:
        pass

    def run(self, random: Random, folder: Path) -> Outcome:
        """Make a file, damage it, and have it read."""
        kind, make = random.choice(tuple(MAKERS.items()))
        content = make(random)
        ways = "as it is"
        if random.random() < 0.7:
            ways, content = damage(random, content)
        suffix = f".{kind}" if random.random() < 0.95 else random.choice((".npz", ".npy", ".json", ".csv", ""))
        path = any_name(random, suffix)
        (folder / path).write_bytes(content)
        command = random.choice(COMMANDS[kind])
        arguments = [path if part == "FILE" else f"./{path}" if part == "./FILE" else part for part in command]
        return run_inside(Case(f"{kind}, {ways}: {' '.join(command)}", arguments, codes=(0, 1, 2, 3)), folder)


def _npy(random: Random, shape: tuple[int, ...] = (6, 6)) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, _array(random, shape), allow_pickle=True)
    content = buffer.getvalue()
    if random.random() < 0.3:  # another header
        descr = random.choice(("<f8", "|O", "<c16", "<U9", "<f8, <i4", "nonsense", "('<f8', (2,))", "<f16"))
        claimed = random.choice(("(6, 6)", "()", "(-1, -2)", "(10**9,)", "(99999999999, 8)", "(6", "[6, 6]", "(" * 900))
        header = f"{{'descr': {descr!r}, 'fortran_order': {random.choice((True, False, 7))}, 'shape': {claimed}}}"
        content = (
            b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header.encode() + b"\n" + content[128:]
        )
    return content


def _npz(random: Random) -> bytes:
    buffer = io.BytesIO()
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(buffer, "w", method if random.random() < 0.3 else zipfile.ZIP_STORED) as archive:
        for name in random.sample(list(SHAPES), random.randint(0, 4)):
            entry = random.choice((name, f"d{name}", f"dL/d{name}", hostile(random))) if random.random() < 0.4 else name
            shape = (
                SHAPES[name]
                if random.random() < 0.8
                else tuple(random.choices((0, 1, 2, 3, 40), k=random.randint(0, 6)))
            )
            while prod(shape) > MOST:
                shape = shape[1:]
            archive.writestr(entry.encode("utf-8", "replace").decode() + ".npy", _npy(random, shape))
    return buffer.getvalue()


def _json(random: Random) -> bytes:
    document = {}
    for name in random.sample(list(SHAPES), random.randint(0, 4)):
        value = np.round(np.random.default_rng(random.randrange(99)).normal(size=SHAPES[name]), 3).tolist()
        if random.random() < 0.2:
            value = random.choice(ODD)
        document[hostile(random) if random.random() < 0.1 else name] = value
    text = json.dumps(document)
    if random.random() < 0.1:
        text = text.replace("[", "[" * random.choice((2, 60, 5_000, 200_000)))
    return text.encode(random.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig")), "replace")


def _csv(random: Random) -> bytes:
    between = random.choice((",", ";", " ", "\t", ", ", ",,"))
    numbers = ("1", "-0.5", "1e5", "1e999", "nan", "0x10", "１", "1_0", "", '"1"', "9" * 400)
    rows, columns = random.choice((1, 3, 6, 6, 6, 50)), random.choice((1, 3, 6, 6, 6, 50))
    odd = random.random() < 0.4
    lines = [between.join(random.choice(numbers if odd else numbers[:3]) for _ in range(columns)) for _ in range(rows)]
    return random.choice(("\n", "\n", "\r\n", "\r", "\n\n")).join(lines).encode()


def _array(random: Random, shape: tuple[int, ...]) -> "np.ndarray[tuple[int, ...], np.dtype[np.generic]]":
    numbers = np.random.default_rng(random.randrange(99)).normal(size=shape) * 10.0 ** random.choice(
        (0, 0, 0, -300, 300)
    )
    with np.errstate(all="ignore"):
        made = numbers.astype(random.choice(DTYPES)) if random.random() < 0.3 else numbers
    return np.asfortranarray(made) if random.random() < 0.2 else made


def _safetensors(random: Random) -> bytes:
    from safetensors.numpy import save

    shapes = {name: shape for name, shape in SHAPES.items() if random.random() < 0.8}
    kinds = (np.float32, np.float64, np.float16, np.int8, np.bool_)
    return save({name: np.ones(shape, random.choice(kinds)) for name, shape in shapes.items()})


MAKERS: dict[str, Callable[[Random], bytes]] = {
    "npy": _npy,
    "npz": _npz,
    "json": _json,
    "csv": _csv,
    "safetensors": _safetensors,
}
_WEIGHTS = [["trace", "--weights", "FILE", "--format", "json"], ["trace", "--weights", "FILE", "--only", "L"]]
_MATRIX = [["trace", "./FILE", "--format", "json"], ["gradcheck", "./FILE", "--sample", "1"]]
COMMANDS: dict[str, list[list[str]]] = {
    "npy": _MATRIX,
    "csv": _MATRIX,
    "json": _WEIGHTS,
    "safetensors": _WEIGHTS,
    "npz": [*_WEIGHTS, ["gradcheck", "--against", "FILE", "--sample", "1"]],
}
