"""The quick way into plain PNG files: the pixels and the answers of Pillow's own reader, whatever the file is."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cnncli.data import decoding
from cnncli.data.decoding import Pixels, decode
from cnncli.data.plain_png import read_plain_png
from cnncli.errors import ImageError
from tests.conftest import write_image

MOST = 10**6


def encode(pixels: Pixels | NDArray[np.uint16], **options: object) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", **options)
    return content.getvalue()


@st.composite
def images(draw: st.DrawFn) -> Pixels:
    """A ramp with some noise: PNG has a filter for every row that suits it best."""
    shape = (draw(st.integers(1, 40)), draw(st.integers(1, 40)), *draw(st.sampled_from([(), (3,)])))
    noise = np.random.default_rng(draw(st.integers(0, 1000))).integers(0, draw(st.sampled_from([2, 30, 256])), shape)
    return np.asarray(np.indices(shape).sum(axis=0) * draw(st.integers(0, 9)) + noise, np.uint8)


@given(images(), st.integers(0, 9))
def test_the_pixels_are_those_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, pixels: Pixels, level: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "plain.png"
    path.write_bytes(encode(pixels, compress_level=level))
    found = read_plain_png(path, MOST)
    assert found is not None
    np.testing.assert_array_equal(found, pixels)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


GRAY = np.arange(30, dtype=np.uint8).reshape(5, 6)
PLAIN = encode(GRAY)
HEAD, DATA = PLAIN[:33], PLAIN[33:]


@pytest.mark.parametrize(
    ("content", "quick"),
    [
        (HEAD + chunk(b"pHYs", bytes(9)) + DATA, True),
        (HEAD + chunk(b"gAMA", bytes(4)) + DATA, True),
        (HEAD + chunk(b"eXIf", b"anything") + DATA, False),
        (HEAD + chunk(b"tRNS", b"\0\1") + DATA, False),
        (HEAD + chunk(b"tEXt", b"a\0b") + DATA, False),
        (HEAD + chunk(b"pHYs", bytes(9))[:-1] + b"x" + DATA, False),
        (PLAIN + b"more", False),
        (PLAIN[:-12], False),
        (PLAIN[:-20], False),
        (b"\x89PNG", False),
        (encode(GRAY.astype(np.uint16) * 257), False),
        (encode(np.stack([GRAY] * 4, axis=2)), False),
    ],
)
def test_only_plain_files_take_it(tmp_path: Path, content: bytes, quick: bool) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(content)
    assert (read_plain_png(path, MOST) is not None) == quick


def test_too_many_pixels_and_too_many_bytes_do_not(tmp_path: Path) -> None:
    path = write_image(tmp_path / "image.png", 10, 10)
    assert read_plain_png(path, 100) is not None
    assert read_plain_png(path, 99) is None
    assert read_plain_png(write_image(tmp_path / "large.png", 300, 300), MOST) is None  # 90,000 bytes of noise


def outcome(path: Path) -> object:
    try:
        return decode(path).tolist()
    except ImageError as error:
        return error.reason


def test_damaged_files_get_the_answer_of_the_usual_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    path = tmp_path / "image.png"
    outcomes = []
    for number in range(300):
        damaged = bytearray(encode(random.integers(0, 256, (7, 9, 3)[: 2 + number % 2], dtype=np.uint8)))
        first = len(damaged) - 20 if number % 3 == 0 else 0  # check sums that nobody looks at
        for place in random.integers(first, len(damaged), 1 + number % 3):
            damaged[place] ^= 1 << int(random.integers(0, 8))
        path.write_bytes(damaged)
        quick = outcome(path)
        with monkeypatch.context() as patch:
            patch.setattr(decoding, "read_plain_png", lambda *_: None)
            assert outcome(path) == quick
        outcomes.append(quick)
    assert sum(isinstance(each, list) for each in outcomes) > 20
    assert sum(isinstance(each, str) for each in outcomes) > 20
