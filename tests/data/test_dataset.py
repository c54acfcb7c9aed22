"""The array of a data set, its size, its channels and its normalisation."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from cnncli.data.dataset import Decoded, common_size, decode_all
from cnncli.data.decoding import Pixels, Size
from cnncli.data.folder import Sample
from cnncli.data.normalisation import Normalisation
from cnncli.data.settings import Channels
from tests.conftest import write_image


def samples(tmp_path: Path, *sizes: tuple[int, int], colour: bool = False) -> list[Sample]:
    return [
        Sample(str(write_image(tmp_path / f"{i}.png", *size, seed=i, colour=colour)), i % 2)
        for i, size in enumerate(sizes)
    ]


def test_the_size_is_the_images_own_where_all_share_one_of_at_most_64(tmp_path: Path) -> None:
    assert common_size(samples(tmp_path / "same", (20, 64), (20, 64))) == Size(20, 64)
    assert common_size(samples(tmp_path / "large", (65, 20), (65, 20))) == Size(64, 64)
    assert common_size(samples(tmp_path / "mixed", (20, 20), (20, 21))) == Size(64, 64)
    assert common_size([*samples(tmp_path / "bad", (9, 8)), Sample(str(tmp_path / "missing.png"), 0)]) == Size(9, 8)


def decoded(samples: list[Sample], channels: Channels, folder: Path) -> Decoded:
    (split,) = decode_all([samples], Size(4, 5), channels, folder, lambda _done, _total: None)
    return split


def test_decoding_keeps_the_order_and_lists_what_cannot_be_read(tmp_path: Path) -> None:
    files = samples(tmp_path, (4, 5), (8, 10))
    split = decoded([files[0], Sample(str(tmp_path / "missing.png"), 0), files[1]], "auto", tmp_path)
    assert [error.reason for error in split.errors] == ["no such file"]
    dataset = split.dataset()
    assert dataset.images.shape == (2, 1, 4, 5)
    assert dataset.images.dtype == np.uint8
    assert dataset.labels.tolist() == [0, 1]
    assert dataset.samples == tuple(files)


def test_one_colour_image_makes_the_data_set_not_gray(tmp_path: Path) -> None:
    gray = samples(tmp_path / "gray", (4, 5))
    both = [*gray, *samples(tmp_path / "colour", (4, 5), colour=True)]
    assert decoded(gray, "auto", tmp_path).dataset().images.shape == (1, 1, 4, 5)
    assert decoded(gray, "rgb", tmp_path).dataset().images.shape == (1, 3, 4, 5)
    images = decoded(both, "auto", tmp_path).dataset().images
    assert images.shape == (2, 3, 4, 5)
    assert (images[0] == images[0, 0]).all()
    assert decoded(both, "gray", tmp_path).dataset().images.shape == (2, 1, 4, 5)


@given(arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))))
def test_normalised_images_have_mean_0_and_deviation_1(images: Pixels) -> None:
    X = Normalisation.measured(images).apply(images, np.float64)
    assert_allclose(X.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    flat = images.reshape(len(images), images.shape[1], -1).std(axis=(0, 2)) == 0
    assert_allclose(X.std(axis=(0, 2, 3)), np.where(flat, 0, 1), atol=1e-12)


def test_without_normalisation_pixels_become_0_to_1() -> None:
    X = Normalisation.none(2).apply(np.array([[[0]], [[255]]], np.uint8), np.float32)
    assert X.dtype == np.float32
    assert X.ravel().tolist() == [0, 1]
