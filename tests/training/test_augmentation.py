"""Augmentation: what each does, and that it is a function of (seed, epoch, image) alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cnncli.network.arrays import Array
from cnncli.training.augmentation import Augmentation, Draws, draw
from cnncli.training.settings import AUGMENTATIONS, parse_augmentations

ALL = tuple(AUGMENTATIONS)


def images(m: int = 5, C: int = 2, H: int = 9, W: int = 9) -> Array:
    return np.random.default_rng(0).standard_normal((m, C, H, W), np.float32)


def draws(m: int = 5, /, **fixed: float) -> Array:
    drawn = np.full((m, len(Draws._fields)), 0.5, np.float32)
    for name, value in fixed.items():
        drawn[:, Draws._fields.index(name)] = value
    return drawn


def apply(X: Array, drawn: Array, *names: str) -> Array:
    return Augmentation(parse_augmentations(names)).apply(X.copy(), drawn)


@given(st.lists(st.sampled_from(ALL), unique=True), st.integers(0, 9), st.integers(1, 3))
def test_an_image_is_changed_the_same_way_whatever_its_batch(names: list[str], seed: int, epoch: int) -> None:
    X, drawn = images(), draw(5, seed, epoch)
    together = apply(X, drawn, *names)
    assert together.shape == X.shape
    assert together.dtype == np.float32
    for i in range(5):
        assert (apply(X[i : i + 1], draw(40, seed, epoch)[i : i + 1], *names)[0] == together[i]).all()


def test_epochs_seeds_and_images_differ() -> None:
    rows = [tuple(row) for seed in (0, 1) for epoch in (1, 2) for row in draw(3, seed, epoch)]
    assert len(set(rows)) == 12


@pytest.mark.parametrize(
    ("name", "fixed", "expected"),
    [
        ("flip", {"flip": 0.2}, lambda X: X[..., ::-1]),
        ("flip", {"flip": 0.7}, lambda X: X),
        ("updown", {"updown": 0.2}, lambda X: X[..., ::-1, :]),
        ("turn", {"turn": 0.1}, lambda X: X),
        ("turn", {"turn": 0.6}, lambda X: X[..., ::-1, ::-1]),
    ],
)
def test_mirrors_and_half_turns_move_the_numbers_as_they_are(name: str, fixed: dict[str, float], expected) -> None:  # type: ignore[no-untyped-def]
    X = images(H=8, W=8)
    assert (apply(X, draws(**fixed), name) == expected(X)).all()


def test_the_two_quarter_turns_are_the_ones_of_numpy() -> None:
    X = images(H=6, W=6)
    turned = {tuple(apply(X, draws(turn=turn), "turn").reshape(-1)) for turn in (0.3, 0.8)}
    assert turned == {tuple(np.rot90(X, k, (2, 3)).reshape(-1)) for k in (1, 3)}


@pytest.mark.parametrize(("down", "rows"), [(0.1, -1), (0.5, 0), (0.9, 1)])
def test_a_shift_brings_rows_in_from_the_mirror_image(down: float, rows: int) -> None:
    X = images()
    mirrored = np.pad(X, ((0, 0), (0, 0), (1, 1), (0, 0)), "reflect")
    assert (apply(X, draws(down=down), "shift=1") == mirrored[:, :, 1 + rows : 10 + rows]).all()


def test_no_angle_and_no_scale_change_nothing_and_a_full_turn_of_a_ramp_is_exact() -> None:
    X = images()
    assert_allclose(apply(X, draws(scale=0), "rotate", "crop"), X, atol=1e-5)
    assert_allclose(apply(X, draws(angle=1), "rotate=180"), X[..., ::-1, ::-1], atol=1e-4)


def test_interpolation_is_exact_on_a_plane() -> None:
    rows, columns = np.mgrid[:21, :21].astype(np.float32) - 10
    X = (3 * rows + 2 * columns)[None, None]
    angle = np.radians(10)
    turned = apply(X, draws(1, angle=1.0), "rotate=10")[0, 0]
    y, x = np.cos(angle) * rows - np.sin(angle) * columns, np.sin(angle) * rows + np.cos(angle) * columns
    inside = (abs(y) <= 10) & (abs(x) <= 10)
    assert inside.sum() > 300
    assert_allclose(turned[inside], (3 * y + 2 * x)[inside], atol=1e-4)
    part = apply(X, draws(1, scale=1.0), "crop=0.5")[0, 0]
    assert_allclose(part, X[0, 0] / 2, atol=1e-4)


def test_light_is_a_straight_line_and_an_erased_square_is_the_mean() -> None:
    X = images()
    assert_allclose(apply(X, draws(contrast=1.0, brightness=0.0), "light=0.2"), 1.2 * X - 0.2, rtol=1e-5, atol=1e-6)
    erased = apply(X, draws(erase=0.1, erase_down=0.0, erase_right=0.99), "erase=0.33")
    assert (erased[..., :3, -3:] == 0).all()
    assert (erased != X).sum() == X.shape[0] * X.shape[1] * 9
    assert (apply(X, draws(erase=0.9), "erase") == X).all()
