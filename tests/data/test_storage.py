"""Pixels in memory or in a file, decoded by one process or several, and the batches made of them."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncli import memory
from cnncli.data import storage
from cnncli.data.batches import Batches
from cnncli.data.dataset import Dataset, decode_all
from cnncli.data.decoders import decode_many
from cnncli.data.decoding import Pixels, Size
from cnncli.data.folder import Sample
from cnncli.data.normalisation import Normalisation
from cnncli.data.storage import Storage
from cnncli.errors import DataError
from tests.conftest import write_image

SIZE = Size(2, 3)


def gray(value: int) -> np.ndarray:
    return np.full((1, *SIZE), value, np.uint8)


def test_the_first_image_in_colour_turns_the_gray_ones_before_it_into_colour(tmp_path: Path) -> None:
    store = Storage(4, SIZE, None, tmp_path)
    colour = np.arange(18, dtype=np.uint8).reshape(3, *SIZE)
    for pixels in (gray(7), colour, gray(9)):
        store.add(pixels)
    assert store.images.shape == (3, 3, *SIZE)
    np.testing.assert_array_equal(store.images, [np.repeat(gray(7), 3, 0), colour, np.repeat(gray(9), 3, 0)])


def test_a_wish_for_gray_is_kept(tmp_path: Path) -> None:
    store = Storage(1, SIZE, 1, tmp_path)
    store.add(np.full((3, *SIZE), 80, np.uint8))
    assert store.images.shape == (1, 1, *SIZE)


def test_too_many_pixels_go_to_a_file_that_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "physical", lambda: 4 * 5 * 6)  # a quarter is 30 bytes
    store = Storage(6, SIZE, None, tmp_path / "run")
    for value in range(6):
        store.add(gray(value))
    assert isinstance(store.images, np.memmap)
    np.testing.assert_array_equal(store.images[:, 0, 1, 2], range(6))
    assert list((tmp_path / "run").iterdir()) == []
    assert not isinstance(Storage(5, SIZE, None, tmp_path).images, np.memmap)


def test_a_file_that_cannot_be_made_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "SHARE_OF_MEMORY", 0)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"has no room for 0.0 GB of pixels .*another folder with out"):
        Storage(1, SIZE, None, tmp_path / "file" / "run")


def test_a_full_disk_is_told_before_a_pixel_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "SHARE_OF_MEMORY", 0)
    disk = tmp_path / "disk"
    disk.mkdir()
    mount, unmount = (shutil.which(name) for name in ("mount", "umount"))
    if not (mount and unmount and os.geteuid() == 0):
        pytest.skip("only root mounts a small disk")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        with pytest.raises(DataError, match=r"disk has no room for 0.0 GB of pixels \(No space left on device\)"):
            Storage(400_000, SIZE, None, disk)  # 2.4 MB
        Storage(100_000, SIZE, None, disk).images[:] = 1
    finally:
        subprocess.run([unmount, disk], check=True)


def test_where_the_system_reserves_no_room_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "SHARE_OF_MEMORY", 0)
    monkeypatch.setattr(storage, "BLOCK", 7)
    monkeypatch.delattr("os.posix_fallocate")
    store = Storage(4, SIZE, None, tmp_path)
    for value in range(4):
        store.add(gray(value))
    np.testing.assert_array_equal(store.images[:, 0, 1, 2], range(4))


def test_images_of_one_small_size_keep_it_and_others_are_fitted(tmp_path: Path) -> None:
    same = [Sample(str(write_image(tmp_path / f"a{i}.png", 8, 9)), 0) for i in range(3)]
    other = [Sample(str(write_image(tmp_path / "b.png", 9, 8)), 1)]
    large = [Sample(str(write_image(tmp_path / "c.png", 80, 80)), 1)]
    calls: list[tuple[int, int]] = []

    def shapes(*splits: list[Sample]) -> list[tuple[int, ...]]:
        decoded = decode_all(splits, None, "auto", tmp_path, lambda done, total: calls.append((done, total)))
        return [split.storage.images.shape for split in decoded]

    assert shapes(same[:2], same[2:]) == [(2, 1, 8, 9), (1, 1, 8, 9)]
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert shapes(same, other) == [(3, 1, 64, 64), (1, 1, 64, 64)]
    assert shapes(large, large) == [(1, 1, 64, 64), (1, 1, 64, 64)]


def test_colour_in_one_split_makes_both_of_three_channels(tmp_path: Path) -> None:
    plain = [Sample(str(write_image(tmp_path / "a.png")), 0)]
    colour = [Sample(str(write_image(tmp_path / "b.png", colour=True)), 0)]
    decoded = decode_all((plain, colour), None, "auto", tmp_path, lambda _done, _total: None)
    assert [split.storage.channels for split in decoded] == [3, 3]


def dataset(images: Pixels) -> Dataset:
    return Dataset(images, np.zeros(len(images), np.intp), (Sample("a.png", 0),) * len(images))


def test_batches_are_the_normalised_images_in_the_order_asked_for() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 5), dtype=np.uint8)
    normalisation = Normalisation((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    batches = Batches(dataset(images), normalisation)
    for chosen in ([3, 1, 19], [5], [0, 2, 4, 6]):
        expected = (images[chosen] / 255 - np.array([0.1, 0.2, 0.3])[:, None, None]) / np.array([0.5, 0.6, 0.7])[
            :, None, None
        ]
        np.testing.assert_allclose(batches[np.array(chosen)], expected, rtol=0, atol=1e-6)


def test_batches_reuse_their_arrays() -> None:
    batches = Batches(dataset(np.zeros((20, 1, 4, 5), np.uint8)), Normalisation.none(1))
    assert np.shares_memory(batches[np.arange(8)], batches[np.arange(3)])


def test_the_measured_normalisation_counts_every_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.data.normalisation.COUNTED_AT_ONCE", 3)
    images = np.random.default_rng(0).integers(0, 256, (10, 2, 4, 5), dtype=np.uint8)
    measured = Normalisation.measured(images)
    np.testing.assert_allclose(measured.mean, images.mean(axis=(0, 2, 3)) / 255, rtol=1e-12)
    np.testing.assert_allclose(measured.std, images.std(axis=(0, 2, 3)) / 255, rtol=1e-12)


def test_a_decoded_bmp_is_read_like_a_png(tmp_path: Path) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for suffix in ("bmp", "png"):
        Image.fromarray(pixels).save(tmp_path / f"x.{suffix}")
    (_, bmp), (_, png) = decode_many([tmp_path / "x.bmp", tmp_path / "x.png"], None)
    np.testing.assert_array_equal(bmp, png)
