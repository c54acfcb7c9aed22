"""The compiled reader of plain PNG files: the pixels and the answers of the one in Python, whatever the file is."""

import os
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncli.data import decoders
from cnncli.data.compiled import reader
from cnncli.data.compiled.reader import load_reader, read_pngs
from cnncli.data.decoders import decode_many
from cnncli.data.decoding import Pixels, Size, decode_any, decode_plain
from cnncli.data.plain_png import MOST_PIXELS
from tests.conftest import ROOT, write_image
from tests.data.test_plain_png import DATA, GRAY, HEAD, PLAIN, chunk, encode, files, filtered, images

pytestmark = pytest.mark.skipif(load_reader() is None, reason="this installation has no compiled reader")

SIZE = Size(*GRAY.shape)
STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)


def read_one(path: Path, size: Sequence[int] = SIZE) -> Pixels | None:
    (found,) = read_pngs([str(path)], Size(*size), 1)
    return found


def write(folder: Path, content: bytes) -> Path:
    path = folder / "file.png"
    path.write_bytes(content)
    return path


def parts(data: bytes, cuts: list[int]) -> bytes:
    """Compressed data in several chunks."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return b"".join(chunk(b"IDAT", data[a:b]) for a, b in pairwise(edges))


@given(st.lists(files(), min_size=1, max_size=6))
def test_the_answers_are_those_of_the_reader_in_python(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    paths = [folder / f"compiled{number}.png" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
        size = int.from_bytes(content[20:24], "big"), int.from_bytes(content[16:20], "big")
        for asked in (Size(*size), SIZE):
            if 0 < asked.height * asked.width < MOST_PIXELS:
                (expected,) = decode_plain([path], asked)
                found = read_one(path, asked)
                assert (found is None) == (expected is None)
                if found is not None:
                    np.testing.assert_array_equal(found, expected)
                    np.testing.assert_array_equal(found, decode_any(path))


@given(
    filtered(),
    st.sampled_from(STRATEGIES),
    st.integers(0, 9),
    st.integers(9, 15),
    st.lists(st.integers(0, 1000), max_size=4),
    st.lists(st.integers(0, 1000), max_size=3),
)
def test_blocks_of_every_kind_in_chunks_cut_anywhere(
    tmp_path_factory: pytest.TempPathFactory,
    image: tuple[tuple[int, int, int], list[bytes]],
    strategy: int,
    level: int,
    window: int,
    cuts: list[int],
    flushes: list[int],
) -> None:
    (height, width, channels), rows = image
    kind = {1: 0, 3: 2}.get(channels)
    if kind is None or any(row[0] > 4 for row in rows):
        return
    stream = b"".join(rows)
    packer = zlib.compressobj(level, zlib.DEFLATED, window, 9, strategy)
    data = b""
    edges = [0, *sorted(flush % (len(stream) + 1) for flush in flushes), len(stream)]
    for first, end in pairwise(edges):
        data += packer.compress(stream[first:end]) + packer.flush(zlib.Z_FULL_FLUSH)
    data += packer.flush()
    header = b"".join(number.to_bytes(4, "big") for number in (width, height)) + bytes([8, kind, 0, 0, 0])
    content = PLAIN[:8] + chunk(b"IHDR", header) + parts(data, cuts) + chunk(b"IEND", b"")
    path = write(tmp_path_factory.getbasetemp(), content)
    np.testing.assert_array_equal(read_one(path, (height, width)), decode_any(path))


@given(images(), st.integers(1, 9))
def test_what_pillow_writes(tmp_path_factory: pytest.TempPathFactory, pixels: Pixels, level: int) -> None:
    path = write(tmp_path_factory.getbasetemp(), encode(pixels, compress_level=level))
    np.testing.assert_array_equal(read_one(path, pixels.shape[:2]), decode_any(path))


@given(st.binary(min_size=1, max_size=60), st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=3))
def test_damaged_data_with_a_right_sum_unpacks_as_it_does_in_python(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, changes: list[tuple[int, int]]
) -> None:
    """Where what is damaged still unpacks, and to the right length: the sum of what it unpacks to hides the damage."""
    length = GRAY.size + len(GRAY)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    raw = bytearray(packer.compress((start * length)[:length]) + packer.flush())
    for place, value in changes:
        raw[place % len(raw)] = value
    unpacker = zlib.decompressobj(-15)
    try:
        rows = unpacker.decompress(bytes(raw), length + 1)
    except zlib.error:
        rows = b""
    data = b"\x78\x9c" + bytes(raw) + zlib.adler32(rows).to_bytes(4, "big")
    path = write(tmp_path_factory.getbasetemp(), HEAD + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    found, (expected,) = read_one(path), decode_plain([path], SIZE)
    if found is not None:
        np.testing.assert_array_equal(found, expected)


def bits(*fields: tuple[int, int]) -> bytes:
    """Numbers of so many bits each, the first bit lowest."""
    number = place = 0
    for value, count in fields:
        number |= value << place
        place += count
    return number.to_bytes((place + 7) // 8, "little")


ROWS = b"".join(b"\0" + row.tobytes() for row in GRAY)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        bits((1, 1), (3, 2)),  # a kind of block that there is not
        bits((1, 1), (0, 2), (0, 5), (len(ROWS), 16), (len(ROWS), 16)) + ROWS,  # the length, and not its inverse
        bits((1, 1), (0, 2), (0, 5), (0xFFFF, 16), (0, 16)) + ROWS,  # longer than the data
        bits((1, 1), (1, 2), (0b0000001, 7), (0, 5)),  # a copy of what is before the beginning
        bits((1, 1), (1, 2), (0b00001100, 8), (0b0000001, 7), (0b01111, 5)),  # a distance that there is not
        bits((1, 1), (1, 2), (0b01100011, 8)),  # a length that there is not
        bits((1, 1), (2, 2), (31, 5), (0, 5), (0, 4)),  # more literals than there are
        bits((1, 1), (2, 2), (0, 5), (31, 5), (0, 4)),  # more distances
        bits((1, 1), (2, 2), (0, 5), (0, 5), (0, 4), (1, 3), (1, 3), (1, 3), (1, 3)),  # more codes than fit
        bits((1, 1), (2, 2), (0, 5), (0, 5), (0, 4), (1, 3), (0, 3), (0, 3), (0, 3)),  # an incomplete code
        bits((1, 1), (2, 2), (0, 5), (0, 5), (0, 4), (1, 3), (1, 3), (0, 3), (0, 3), (0, 1)),  # repeats nothing
        bits(
            (1, 1), (2, 2), (0, 5), (0, 5), (0, 4), (0, 3), (0, 3), (1, 3), (1, 3), *[(1, 1), (127, 7)] * 3
        ),  # too long
    ],
)
def test_compressed_data_that_cannot_be(tmp_path: Path, raw: bytes) -> None:
    data = b"\x78\x9c" + raw + zlib.adler32(ROWS).to_bytes(4, "big")
    assert read_one(write(tmp_path, HEAD + chunk(b"IDAT", data) + chunk(b"IEND", b""))) is None


PACKED = zlib.compress(ROWS)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        PLAIN[:20],
        HEAD,
        HEAD + chunk(b"IEND", b""),
        HEAD + chunk(b"IDAT", b"") + chunk(b"pHYs", bytes(9)) + chunk(b"IDAT", PACKED) + chunk(b"IEND", b""),
        HEAD + chunk(b"IDAT", PACKED[:-1] + b"x") + chunk(b"IEND", b""),  # the sum
        HEAD + chunk(b"IDAT", PACKED + b"x") + chunk(b"IEND", b""),
        HEAD + chunk(b"IDAT", b"\x79" + PACKED[1:]) + chunk(b"IEND", b""),  # the header of the data
        HEAD + b"\xff\xff\xff\xff" + DATA[4:],  # a length that lies
        HEAD + b"\x7f\xff\xff\xff" + DATA[4:],
        HEAD[:-1] + bytes([HEAD[-1] ^ 1]) + DATA,
        HEAD + chunk(b"IDAT", zlib.compress(ROWS[:-1])) + chunk(b"IEND", b""),
        HEAD + chunk(b"IDAT", zlib.compress(ROWS + b"x")) + chunk(b"IEND", b""),
        HEAD + chunk(b"IDAT", zlib.compress(bytes(60_000_000), 9)) + chunk(b"IEND", b""),
        HEAD + chunk(b"IDAT", zlib.compress(b"\5" + ROWS[1:])) + chunk(b"IEND", b""),
        PLAIN + b"more",
        PLAIN[:-1],
    ],
)
def test_what_is_not_plain(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content)
    assert read_one(path) is None
    assert decode_plain([path], SIZE) == [None]


def test_files_of_every_kind_get_the_answer_of_the_usual_reader(tmp_path: Path) -> None:
    plain = write(tmp_path, PLAIN)
    (tmp_path / "link.png").symlink_to(plain)
    (tmp_path / "broken.png").symlink_to(tmp_path / "none")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / os.fsdecode(b"odd\xff\n\x1b.png")).write_bytes(PLAIN)
    (tmp_path / "large.png").write_bytes(PLAIN + bytes(1 << 16))
    names = ["file", "link", "broken", "loop", "device", "folder", "pipe", "large", "none", "null\0", "lone\ud800"]
    paths = [tmp_path / f"{name}.png" for name in (*names, os.fsdecode(b"odd\xff\n\x1b"))]
    for batch in (paths[:-3], [paths[0], paths[-1]], [paths[-2]], [paths[-3]]):
        for (path, result), single in zip(decode_many(batch, SIZE, threads=1), batch, strict=True):
            assert path == str(single)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(decoders, "load_reader", lambda: None)
                ((_, expected),) = decode_many([path], SIZE, threads=1)
            assert str(result) == str(expected)
    assert [read_one(path) is not None for path in paths] == [True, True, *[False] * 9, True]
    assert read_pngs([*map(str, paths)], SIZE, 1) == [None] * len(
        paths
    )  # a name that cannot be one is found out with its part


def test_colours_that_are_gray_throughout_are_gray(tmp_path: Path) -> None:
    for pixels, channels in ((np.stack([GRAY] * 3, axis=2), 1), (np.stack([GRAY, GRAY, GRAY[::-1]], axis=2), 3)):
        found = read_one(write(tmp_path, encode(pixels)))
        assert found is not None
        np.testing.assert_array_equal(found, np.moveaxis(pixels, 2, 0)[:channels])


@pytest.mark.parametrize("shape", [(1, MOST_PIXELS), (MOST_PIXELS, 1), (256, 256), (256, 256, 3), (1, MOST_PIXELS, 3)])
def test_the_largest(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = np.broadcast_to(np.arange(shape[1], dtype=np.uint8).reshape(-1, *[1] * (len(shape) - 2)), shape).copy()
    path = write(tmp_path, encode(pixels))
    found = read_one(path, shape[:2])
    np.testing.assert_array_equal(found, decode_any(path))
    assert read_one(path, (shape[0] + 1, shape[1])) is None


def make_folder(folder: Path, count: int) -> list[str]:
    paths = [write_image(folder / f"{number}.png", 6, 5, seed=number) for number in range(count)]
    paths[3].write_bytes(b"no image")
    return [str(path) for path in paths]


def test_threads_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_IN_PART", 2)
    paths = make_folder(tmp_path, 17)
    alone = read_pngs(paths, (6, 5), 1)
    assert [place for place, image in enumerate(alone) if image is None] == [3]
    for one, other in zip(alone, read_pngs(paths, (6, 5), 4), strict=True):
        np.testing.assert_array_equal(one, other)


def test_threads_that_the_system_does_not_give_are_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(reader, "MOST_IN_PART", 2)
    monkeypatch.setattr(Thread, "start", refuse)
    assert sum(image is None for image in read_pngs(make_folder(tmp_path, 9), (6, 5), 4)) == 1


def test_where_it_reads_all_no_process_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "Helpers", None)
    paths = [write_image(tmp_path / f"{number}.png", 6, 5, seed=number) for number in range(9)]
    found = [result for _, result in decode_many(paths * 300, Size(6, 5), threads=2)]
    for path, first, last in zip(paths, found[:9], found[-9:], strict=True):
        np.testing.assert_array_equal(first, decode_any(path))
        np.testing.assert_array_equal(first, last)


def test_without_it_the_answers_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = make_folder(tmp_path, 9)
    with_it = list(decode_many(paths, Size(6, 5), threads=1))
    monkeypatch.setattr(decoders, "load_reader", lambda: None)
    for one, other in zip(with_it, decode_many(paths, Size(6, 5), threads=1), strict=True):
        assert one[0] == other[0]
        assert str(one[1]) == str(other[1])


@pytest.mark.slow
def test_the_sanitisers_have_nothing_to_report(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("clang")
    watch = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g", "-O1", "-std=gnu11")
    (tmp_path / "empty.c").write_text("int main(void) { return 0; }\n")
    if compiler is None or subprocess.run([compiler, *watch, tmp_path / "empty.c", "-o", tmp_path / "x"]).returncode:
        pytest.skip("there is no C compiler with sanitisers")
    driver = ROOT / "tests" / "data" / "sanitised_png.c"
    command = [compiler, *watch, f"-I{reader.FOLDER}", str(driver), "-o", str(tmp_path / "run")]
    subprocess.run(command, check=True)
    random = np.random.default_rng(1)
    paths = []
    for number, shape in enumerate([(28, 28), (5, 6), (9, 7, 3), (1, 300), (300, 1), (40, 40, 3)]):
        for level, noise in ((0, 4), (1, 256), (9, 30), (9, 256)):
            paths.append(tmp_path / f"{number}-{level}-{noise}.png")
            paths[-1].write_bytes(encode(random.integers(0, noise, shape, np.uint8), compress_level=level))
    done = subprocess.run([tmp_path / "run", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{4000 * len(paths)} damaged files\n")
