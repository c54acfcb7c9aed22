"""Arrays of numbers from files that a person or another program wrote: the one reader for all of them.

Such a file may be damaged, or made to do harm. It is read whole, up to a limit; the sizes that it declares are believed
only where they agree with the bytes that are there; nothing in it is ever run; and whatever a parser raises becomes
one sentence.
"""

import io
import json
import re
import warnings
import zipfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from cnncli.data.regular_file import read_regular_file
from cnncli.errors import DataError
from cnncli.network.arrays import Array, Parameters
from cnncli.text import count, shorten

MOST_BYTES = 256 << 20  # of a file, of what it unpacks to, and of its numbers in float64
MOST_TEXT = 8 << 20  # bytes of a file of text, whose numbers take many times as much while they are read
MOST_ARRAYS = 10_000
MOST_AXES = 8  # of an array in JSON
NUMERIC = "biuf"  # kinds of dtypes; a complex number would lose its imaginary part
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_array(path: Path, fault: str) -> Array:
    """The one array of a .npy, .csv or .txt file, in its own dtype.

    Raises DataError, "PATH FAULT (REASON)", for anything else than numbers.
    """
    binary = path.suffix.lower() == ".npy"
    content = read_regular_file(path, MOST_BYTES if binary else MOST_TEXT)
    with _failing_with(f"{path} {fault}"):
        (numbers,) = _require_numbers({"it": _parse_npy(content) if binary else _parse_rows(content)}).values()
    return numbers


def read_arrays(path: Path, fault: str) -> Parameters:
    """The arrays by name of a .npz, .safetensors or .json file, each in its own dtype; another suffix is read as .npz.

    Raises DataError, "PATH FAULT (REASON)", for anything else than numbers.
    """
    parse = PARSERS.get(path.suffix.lower(), _parse_npz)
    content = read_regular_file(path, MOST_TEXT if parse is _parse_json else MOST_BYTES)
    with _failing_with(f"{path} {fault}"):
        return _require_numbers(parse(content))


@contextmanager
def _failing_with(fault: str) -> Iterator[None]:
    """Make one DataError of whatever is raised inside, and no noise."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except RecursionError:
        raise DataError(f"{fault} (it is nested too deeply)") from None
    except MemoryError:
        raise DataError(f"{fault} (it needs more memory than there is)") from None
    except Exception as error:  # noqa: BLE001  a damaged file can raise anything in a parser
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{fault} ({shorten(reason, 200)})") from None


def _require_numbers(arrays: Parameters) -> Parameters:
    """The same, if all of it are numbers, and not too many."""
    for name, numbers in arrays.items():
        if numbers.dtype.kind not in NUMERIC:
            raise ValueError(f"{shorten(name, 50)} holds {numbers.dtype}, which are no real numbers")
    if sum(numbers.size for numbers in arrays.values()) * 8 > MOST_BYTES:
        raise ValueError(f"it holds more than {MOST_BYTES // 8:,} numbers")
    return arrays


def _parse_npy(content: bytes) -> Array:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"version {version} of the format is not for plain numbers")
    shape, columns_first, dtype = HEADERS[version](file)
    if dtype.kind not in NUMERIC:
        raise ValueError(f"it holds {dtype}, which are no real numbers")
    follow = len(content) - file.tell()
    if min(shape, default=1) < 0 or prod(shape) * dtype.itemsize != follow:
        raise ValueError(f"it says that it holds {dtype} {shape}, but {follow:,} bytes follow")
    numbers: Array = np.frombuffer(content, dtype, offset=file.tell())
    return numbers.reshape(shape, order="F" if columns_first else "C")


def _parse_npz(content: bytes) -> Parameters:
    if content.startswith(np.lib.format.MAGIC_PREFIX):
        raise ValueError("it holds one array without a name: save with numpy.savez(path, **{'w1': …})")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if len(entries) > MOST_ARRAYS:
            raise ValueError(f"it holds more than {MOST_ARRAYS:,} arrays")
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise ValueError(f"it unpacks to more than {MOST_BYTES >> 20} MB")
        for entry in entries:
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{shorten(entry.filename, 50)} is compressed in a way that NumPy never does")
        return {entry.filename.removesuffix(".npy"): _parse_npy(archive.read(entry)) for entry in entries}


def _parse_safetensors(content: bytes) -> Parameters:
    from safetensors.numpy import load  # imported here so that commands without such a file start faster

    return load(content)


def _parse_json(content: bytes) -> Parameters:
    document = json.loads(content.decode("utf-8-sig"), parse_int=float)  # a float takes an integer of any length
    if not isinstance(document, dict):
        raise ValueError("it is no object of arrays by name")
    for value in document.values():
        _require_json_numbers(value, 0)
    return {name: np.array(value, np.float64) for name, value in document.items()}


def _require_json_numbers(value: Any, depth: int) -> None:
    """NumPy itself would take "1.5" and null for numbers."""
    if isinstance(value, list):
        if depth == MOST_AXES:
            raise ValueError(f"it is nested more than {MOST_AXES} deep")
        for each in value:
            _require_json_numbers(each, depth + 1)
    elif not isinstance(value, float):
        raise ValueError(f"{shorten(json.dumps(value), 50)} is no number")


def _parse_rows(content: bytes) -> Array:
    """A line a row, its numbers apart by commas, semicolons or blanks; what follows a # is no number."""
    numbers, width = array("d"), 0
    for number, line in enumerate(io.StringIO(content.decode("utf-8-sig"), newline=None), 1):
        if written := line.partition("#")[0].strip():
            try:
                row = [float(each) for each in re.split(r"\s*[,;]\s*|\s+", written)]
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
            width = width or len(row)
            if len(row) != width:
                has = count(len(row), "number", "numbers")
                raise ValueError(f"line {number} has {has}, the first row has {width}")
            numbers.extend(row)
    if not width:
        raise ValueError("it is empty")
    return np.array(numbers).reshape(-1, width)


PARSERS: dict[str, Callable[[bytes], Parameters]] = {
    ".npz": _parse_npz,
    ".safetensors": _parse_safetensors,
    ".json": _parse_json,
}
