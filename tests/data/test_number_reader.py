"""Files of numbers that are damaged, or made to do harm: one sentence each, and no memory for what they only claim."""

import io
import json
import os
import socket
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnncli.data import number_reader
from cnncli.data.number_reader import read_array, read_arrays
from cnncli.errors import DataError
from tests.conftest import Cli

NPY_HEADER = "{{'descr': {}, 'fortran_order': False, 'shape': {}}}"


def npy(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header.encode("latin1") + b"\n" + content


def archive(name: str, content: bytes, method: int = zipfile.ZIP_STORED) -> bytearray:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr(name, content)
    return bytearray(buffer.getvalue())


def lie(content: bytearray, declared: int) -> bytes:
    """Declare another size for the one entry, in its own header and in the directory."""
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(signature) + offset
        content[at : at + 4] = declared.to_bytes(4, "little")
    return bytes(content)


def encrypted(content: bytearray) -> bytes:
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


GOOD = npy(NPY_HEADER.format("'<f8'", "(2,)"), bytes(16))
DAMAGED_ARRAYS = {
    "a huge shape": npy(NPY_HEADER.format("'<f8'", "(9999999999, 9999999999)"), bytes(16)),
    "two negative lengths": npy(NPY_HEADER.format("'<f8'", "(-1, -2)"), bytes(16)),
    "objects": npy(NPY_HEADER.format("'|O'", "(1,)"), b"cos\nsystem\n(S'true'\ntR."),
    "complex numbers": npy(NPY_HEADER.format("'<c16'", "(1,)"), bytes(16)),
    "texts": npy(NPY_HEADER.format("'<U4'", "(1,)"), bytes(16)),
    "a dtype that is a number": npy(NPY_HEADER.format("7", "(1,)"), bytes(8)),
    "an open bracket": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,", bytes(8)),
    "an open string": npy('{"""', bytes(8)),
    "deep brackets": npy("(" * 9000, bytes(8)),
    "a header that never ends": b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{",
    "another version": b"\x93NUMPY\x09\x00\x00\x00",
    "nothing": b"",
}
DAMAGED_ARCHIVES = {
    "a huge declared size": lie(archive("w1.npy", GOOD), 0xFFFFFFF0),
    "a declared size that lies": lie(archive("w1.npy", GOOD), len(GOOD) - 8),
    "a wrong stream": b"w1.npy\xff".join(bytes(archive("w1.npy", GOOD, zipfile.ZIP_DEFLATED)).split(b"w1.npy\x9b")),
    "LZMA": bytes(archive("w1.npy", GOOD, zipfile.ZIP_LZMA)),
    "a password": encrypted(archive("w1.npy", GOOD)),
    "a text": bytes(archive("readme.txt", b"hello")),
    "an array alone": GOOD,
}
DAMAGED_JSON = {
    "deep nesting": '{"w1": ' + "[" * 100_000,
    "nine axes": json.dumps({"w1": [[[[[[[[[1]]]]]]]]]}),
    "null": '{"w1": null}',
    "a text": '{"w1": ["1.5"]}',
    "true": '{"w1": [true]}',
    "an object": '{"w1": {"a": 1}}',
    "rows of several lengths": '{"w1": [[1, 2], [3]]}',
    "half a pair": '"\\ud800"',
    "no object": "[1]",
}
CASES = [
    *(("x.npy", content, read_array) for content in DAMAGED_ARRAYS.values()),
    *(("x.npz", bytes(archive("w1.npy", content)), read_arrays) for content in DAMAGED_ARRAYS.values()),
    *(("x.npz", content, read_arrays) for content in DAMAGED_ARCHIVES.values()),
    *(("x.json", content.encode(), read_arrays) for content in DAMAGED_JSON.values()),
    ("x.json", b"\xff\xfe{", read_arrays),
    ("x.csv", b"1,\xff", read_array),
    ("x.csv", b"1," + b"x" * 100_000, read_array),
    ("x.safetensors", (1 << 62).to_bytes(8, "little") + b"{}", read_arrays),
    (
        "x.safetensors",
        b"\x41" + bytes(7) + b'{"w1":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}} \0\0',
        read_arrays,
    ),
]


@pytest.mark.parametrize(("name", "content", "read"), CASES)
def test_whatever_is_wrong_with_a_file_is_one_sentence(
    name: str, content: bytes, read: Callable[[Path, str], object], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        read(tmp_path / name, "is unusable")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{tmp_path / name} is unusable (")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert most < 20_000_000


def test_numbers_of_any_length_are_read_as_floats(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"w1": [1%s, -0.5]}' % ("0" * 20))
    np.testing.assert_array_equal(read_arrays(tmp_path / "x.json", "")["w1"], [1e20, -0.5])


@pytest.mark.parametrize(("name", "content"), [("x.json", '{"b1": [%s]}' % ("9" * 400)), ("x.npz", None)])
def test_a_number_that_no_float64_holds(name: str, content: str | None, cli: Cli, tmp_path: Path) -> None:
    if content is None:
        np.savez(tmp_path / name, b1=np.array([1e300], np.longdouble) ** 2)
    else:
        (tmp_path / name).write_text(content)
    result = cli("trace", "--weights", tmp_path / name)
    assert result.code == 3
    assert result.sentence.endswith(f"{name}: b1 has entries that are not finite numbers")


def test_complex_weights_do_not_lose_their_imaginary_part(cli: Cli, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", b1=np.array([1 + 2j]))
    result = cli("trace", "--weights", tmp_path / "w.npz")
    assert (result.code, result.sentence.endswith("(it holds complex128, which are no real numbers)")) == (3, True)


def test_columns_first_and_other_byte_orders(tmp_path: Path) -> None:
    numbers = np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3))
    np.save(tmp_path / "x.npy", numbers)
    np.testing.assert_array_equal(read_array(tmp_path / "x.npy", ""), numbers)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize("make", [make_pipe, make_link_to_device, make_loop, make_socket, Path.mkdir])
def test_only_regular_files_are_opened(
    make: Callable[[Path], None], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    for name, arguments in (
        ("x.npz", ("trace", "--weights", "x.npz")),
        ("x.csv", ("trace", "x.csv")),
        ("a.npz", ("gradcheck", "--against", "a.npz")),
        ("m.safetensors", ("info", "-m", "m.safetensors")),
    ):
        make(Path(name))
        result = cli(*arguments)
        assert result.code == 3, arguments
        assert result.sentence.startswith(f"Error: {name}"), arguments


def test_a_file_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_reader, "MOST_TEXT", 1 << 20)
    (tmp_path / "x.csv").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(DataError, match=r"larger than the 1 MB that are read"):
        read_array(tmp_path / "x.csv", "")
