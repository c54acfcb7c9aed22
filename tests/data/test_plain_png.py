"""The quick way into plain PNG files: the pixels and the answers of Pillow's own reader, whatever the file is."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cnncli.data import decoding
from cnncli.data.decoding import Pixels, Size, decode, decode_any, decode_plain
from cnncli.data.plain_png import MOST_PIXELS, read_plain_pngs
from cnncli.errors import ImageError
from tests.conftest import write_image


def is_read_quickly(path: Path, size: tuple[int, int] | None = None) -> bool:
    (found,) = read_plain_pngs([path], size)
    return found is not None


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


@given(st.lists(st.tuples(images(), st.integers(0, 9)), max_size=5))
def test_the_pixels_are_those_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[Pixels, int]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    paths = [folder / f"plain{number}.png" for number in range(len(written))]
    for path, (pixels, level) in zip(paths, written, strict=True):
        path.write_bytes(encode(pixels, compress_level=level))
    for found, (pixels, _) in zip(read_plain_pngs(paths, None), written, strict=True):
        assert found is not None
        np.testing.assert_array_equal(found, pixels)


@st.composite
def filtered(draw: st.DrawFn) -> tuple[tuple[int, int, int], list[bytes]]:
    """Height, width and channels, and rows of noise with a filter each, mostly one of those that there are."""
    height, width, channels = (draw(st.integers(1, most)) for most in (12, 12, 3))
    kinds = draw(st.lists(st.sampled_from([0, 1, 2, 3, 4] * 8 + [5]), min_size=height, max_size=height))
    noise = np.random.default_rng(draw(st.integers(0, 1000))).integers(0, 256, (height, width * channels), np.uint8)
    return (height, width, channels), [bytes([kind]) + row.tobytes() for kind, row in zip(kinds, noise, strict=True)]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A PNG file of any kind of pixels, with its data in parts, perhaps with more or less of them than it says."""
    (height, width, channels), rows = draw(filtered())
    kind = {1: draw(st.sampled_from([0, 0, 0, 3])), 2: 4, 3: 2}[channels]
    stream = b"".join(rows) + draw(st.sampled_from([b""] * 6 + [b"x", bytes(1 + width * channels)]))
    stream = stream[: len(stream) - draw(st.sampled_from([0] * 6 + [1, 5]))]
    data = zlib.compress(stream, draw(st.integers(0, 9))) + draw(st.sampled_from([b""] * 6 + [b"more"]))
    cut = draw(st.integers(0, len(data)))
    interlaced = draw(st.sampled_from([0] * 9 + [1]))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, interlaced))
    more = chunk(*draw(st.sampled_from(MORE)))
    before, between, after = (draw(st.sampled_from([b""] * 6 + [more, header])) for _ in range(3))
    colours = chunk(b"PLTE", bytes(range(256)) * 3) if kind == 3 else b""
    parts = chunk(b"IDAT", data[:cut]) + between + chunk(b"IDAT", data[cut:])
    content = bytearray(PLAIN[:8] + header + before + colours + parts + after + chunk(b"IEND", b""))
    for _ in range(draw(st.sampled_from([0] * 6 + [1, 2]))):
        content[draw(st.integers(0, len(content) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(content[: draw(st.sampled_from([len(content)] * 9 + [len(content) // 2]))])


@given(st.lists(files(), min_size=1, max_size=6), st.booleans())
def test_what_many_files_answer_is_what_the_usual_reader_answers(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], sized: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    paths = [folder / f"file{number}.png" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    for path, found in zip(paths, decode_plain(paths, Size(5, 6) if sized else None), strict=True):
        if found is not None:
            assert not sized or found.shape[1:] == (5, 6)
            np.testing.assert_array_equal(found, decode_any(path))


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


GRAY = np.arange(30, dtype=np.uint8).reshape(5, 6)
PLAIN = encode(GRAY)
HEAD, DATA = PLAIN[:33], PLAIN[33:]
MORE = [(b"tEXt", b"a\0b"), (b"tRNS", b"\0\1"), (b"gAMA", bytes(4)), (b"eXIf", b"anything"), (b"pHYs", bytes(9))]


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
    assert is_read_quickly(path) == quick


def test_a_row_with_a_filter_that_is_not_there(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path, kind in zip(paths, (0, 5, 0), strict=True):
        path.write_bytes(HEAD + chunk(b"IDAT", zlib.compress((bytes([kind]) + bytes(6)) * 5)) + chunk(b"IEND", b""))
    assert read_plain_pngs(paths, None) == [None] * 3
    with pytest.raises(ImageError):
        decode(paths[1])


def test_too_many_pixels_and_too_many_bytes_and_another_size_do_not(tmp_path: Path) -> None:
    side = int(MOST_PIXELS**0.5)
    for height, width, quick in ((side, side, True), (side + 1, side, False)):
        path = tmp_path / "black.png"
        path.write_bytes(encode(np.zeros((height, width), np.uint8)))
        assert is_read_quickly(path) == quick
    assert not is_read_quickly(write_image(tmp_path / "large.png", 300, 300))  # 90,000 bytes of noise
    path = write_image(tmp_path / "image.png", 6, 7)
    assert [is_read_quickly(path, size) for size in ((6, 7), (7, 6))] == [True, False]


def test_what_unpacks_to_more_than_its_size_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(HEAD + chunk(b"IDAT", zlib.compress(bytes(60_000_000), 9)) + chunk(b"IEND", b""))
    tracemalloc.start()
    assert read_plain_pngs([path], None) == [None]
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


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
            patch.setattr(decoding, "read_plain_pngs", lambda paths, _: [None] * len(paths))
            assert outcome(path) == quick
        outcomes.append(quick)
    assert sum(isinstance(each, list) for each in outcomes) > 20
    assert sum(isinstance(each, str) for each in outcomes) > 20
