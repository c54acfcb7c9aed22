"""Many images decoded by this process and by helpers: the same answers, in order, whatever becomes of the helpers."""

import errno
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cnncli
from cnncli.children import Child
from cnncli.data import decoders
from cnncli.data.dataset import common_size, decode_all
from cnncli.data.decoders import Helpers, decode_many
from cnncli.data.decoding import AnotherSize, Size, decode
from cnncli.data.folder import Sample
from cnncli.errors import DataError, ImageError
from tests.conftest import PATIENCE, write_image

SIZE = Size(6, 5)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Helpers]]:
    """Helpers are started after the first image, and nothing else is decoded here; each has tasks of two images."""
    made: list[Helpers] = []
    start = Helpers.__init__

    def start_and_wait(self: Helpers, *arguments: Any) -> None:
        start(self, *arguments)
        made.append(self)
        while not self.ready:
            time.sleep(0.001)

    monkeypatch.setattr(Helpers, "__init__", start_and_wait)
    monkeypatch.setattr(decoders, "ALONE", 0)
    monkeypatch.setattr(decoders, "MOST_IN_TASK", 2)
    yield made
    assert all(child._process.poll() is not None for helpers in made for child in helpers._children)


def make_files(folder: Path, count: int) -> list[Path]:
    return [write_image(folder / f"{i}.png", 6 + i % 3, 5, seed=i, colour=i % 4 == 1) for i in range(count)]


def test_helpers_answer_what_this_process_answers(at_once: list[Helpers], tmp_path: Path) -> None:
    paths = make_files(tmp_path, 13)
    paths[3].write_bytes(b"no image")
    odd = tmp_path / os.fsdecode(b"odd\xff\n\x1b.png")
    paths[5] = paths[5].rename(odd)
    known = ImageError(tmp_path / "folder", "known already")
    items: list[decoders.Item] = [*paths[:7], known, *paths[7:]]
    found = list(decode_many(items, SIZE, threads=2))
    assert len(at_once) == 1
    assert [path for path, _ in found] == [str(path) for path in (*paths[:7], known.path, *paths[7:])]
    assert found[7][1] is known
    assert str(found[3][1]) == f"{paths[3]}: not an image of a kind that is read (PNG, JPEG, BMP, GIF, WebP)"
    for path, result in found:
        if not isinstance(result, ImageError):
            np.testing.assert_array_equal(result, decode(Path(path), SIZE))
    assert sum(isinstance(result, ImageError) for _, result in found) == 2


def test_one_thread_decodes_here(at_once: list[Helpers], tmp_path: Path) -> None:
    assert len(list(decode_many(make_files(tmp_path, 4), None, threads=1))) == 4
    assert at_once == []


def test_a_list_without_an_end_is_read_a_few_tasks_ahead(at_once: list[Helpers], tmp_path: Path) -> None:
    (path,) = make_files(tmp_path, 1)
    read = 0

    def endless() -> Iterator[Path]:
        nonlocal read
        while True:
            read += 1
            yield path

    with closing(decode_many(endless(), SIZE, threads=2)) as results:
        for done, (_, result) in enumerate(itertools.islice(results, 101), 1):
            assert isinstance(result, np.ndarray)
            assert read - done <= 2 * 2 * 2 + 2
    assert len(at_once) == 1


@pytest.mark.usefixtures("at_once")
def test_an_image_that_is_too_large_for_a_helper_is_decoded_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "HELPERS_BYTES", decoders.BYTES_OF_PIXEL * 2 * 30)  # 6×5 pixels, no more
    here: list[object] = []
    decode_here = decoders._decode_here

    def note(work: Sequence[decoders.Work], wanted: decoders.Wanted) -> list[decoders.Decoded]:
        here.extend(work)
        return decode_here(work, wanted)

    monkeypatch.setattr(decoders, "_decode_here", note)
    paths = make_files(tmp_path, 9)
    for path in paths:  # plain PNG files, which are small, are not counted
        with Image.open(path) as image:
            image.save(path, "BMP")
    found = list(decode_many(paths, SIZE, threads=2))
    assert all(isinstance(result, np.ndarray) for _, result in found)
    assert here == [str(path) for i, path in enumerate(paths) if i == 0 or i % 3]


def test_another_size_than_the_expected_one_ends_it_before_the_pixels_are_decoded(
    at_once: list[Helpers], tmp_path: Path
) -> None:
    paths = [write_image(tmp_path / f"{i}.png", 6, 5) for i in range(7)]
    assert len(list(decode_many(paths, SIZE, expected=SIZE, threads=2))) == 7
    for place in (0, 6):
        other = [*paths]
        other[place] = write_image(tmp_path / "other.png", 5, 6)
        with pytest.raises(AnotherSize):
            list(decode_many(other, SIZE, expected=SIZE, threads=2))
    assert len(at_once) == 2


def test_a_helper_that_the_system_ends_is_one_sentence(at_once: list[Helpers], tmp_path: Path) -> None:
    paths = make_files(tmp_path, 30)
    results = decode_many(paths, SIZE, threads=2)
    next(results)
    next(results)
    for child in at_once[0]._children:
        child._process.kill()
    with pytest.raises(DataError, match=r"a process that decodes images was ended by SIGKILL, by the system and for "):
        list(results)


@pytest.mark.usefixtures("at_once")
def test_a_failure_beside_a_helper_reaches_whoever_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room for the pixels")

    monkeypatch.setattr(decoders, "read_answer", fail)
    with pytest.raises(MemoryError, match="no room for the pixels"):
        list(decode_many(make_files(tmp_path, 30), SIZE, threads=2))


LEFT_OPEN = """
import sys, threading
from itertools import cycle
from pathlib import Path
from cnncli.data import decoders
decoders.ALONE = 0
results = decoders.decode_many(cycle([Path(sys.argv[1])]), None, threads=2)
while not any(thread.daemon for thread in threading.enumerate()):
    next(results)
"""


def test_what_is_left_open_to_the_end_of_python_does_no_harm(tmp_path: Path) -> None:
    """Python closes the generator when its threads stand still already, one of them with the lock of a pipe."""
    command = [sys.executable, "-X", "dev", "-c", LEFT_OPEN, str(write_image(tmp_path / "x.png", 5, 6))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def refuse(number: int) -> Callable[..., None]:
    def start(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return start


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EMFILE, errno.ENOMEM])
def test_without_helpers_this_process_goes_on_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(decoders, "ALONE", 0)
    monkeypatch.setattr(decoders, "Child", refuse(number))
    assert len(list(decode_many(make_files(tmp_path, 5), SIZE, threads=2))) == 5


def test_helpers_that_do_not_come_up_are_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "ALONE", 0)
    monkeypatch.setattr(decoders, "Child", lambda *_: Child("cnncli.no_such_module"))
    endless = itertools.cycle(make_files(tmp_path, 5))
    with closing(decode_many(endless, SIZE, threads=2)) as results:
        for _, result in itertools.islice(results, 2000):
            assert isinstance(result, np.ndarray)


def test_the_length_of_a_task_follows_from_time_and_room() -> None:
    assert decoders._choose_task_length(1e-6, Size(8, 8)) == decoders.MOST_IN_TASK
    assert decoders._choose_task_length(0.01, Size(8, 8)) == 5
    assert decoders._choose_task_length(3, None) == 1
    assert decoders._choose_task_length(1e-6, Size(1000, 1000)) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process to cores")
def test_the_cores_are_those_that_the_process_may_use(at_once: list[Helpers], tmp_path: Path) -> None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert len(list(decode_many(make_files(tmp_path, 4), None))) == 4
    finally:
        os.sched_setaffinity(0, cores)
    assert at_once == []


def test_the_threads_of_a_training_are_those_of_its_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []

    def note(*arguments: Any, threads: int | None, **options: Any) -> Any:
        asked.append(threads)
        return decode_many(*arguments, threads=threads, **options)

    monkeypatch.setattr("cnncli.data.dataset.decode_many", note)
    for name in "ab":
        for number in range(3):
            write_image(tmp_path / "data" / name / f"{number}.png", seed=number)
    cnncli.train(tmp_path / "data", out=tmp_path / "run", epochs=1, threads=1)
    assert asked == [1]


def test_the_common_size_is_what_the_headers_say(at_once: list[Helpers], tmp_path: Path) -> None:
    paths = [write_image(tmp_path / f"{i}.png", 6, 5, seed=i) for i in range(6)]
    cut = write_image(tmp_path / "cut.png", 9, 9)
    cut.write_bytes(cut.read_bytes()[:60])
    samples = [Sample(str(path), 0) for path in (*paths, cut)]
    (split,) = decode_all([samples], None, "auto", tmp_path, lambda *_: None, 2)
    assert split.storage.images.shape[2:] == common_size(samples) == (64, 64)
    assert len(at_once) == 2  # once to find that the sizes differ
