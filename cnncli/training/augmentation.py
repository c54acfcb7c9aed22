"""Augmentation: each epoch sees every image a little changed; a pure function of (seed, epoch, number of the image).

All geometry is one map from the places of the output to places of the image: where no angle and no scale is drawn, the
numbers are moved as they are, else they are interpolated. What lies outside an image is its mirror image.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array, Labels
from cnncli.training.order import LANES

Places = NDArray[np.float32]
STREAM = LANES + 1  # of the random numbers of an epoch; those before are the order's


class Draws(NamedTuple):
    """The random numbers of an image, each in [0, 1); all are drawn, whatever is chosen."""

    flip: Array
    updown: Array
    turn: Array
    down: Array
    right: Array
    angle: Array
    scale: Array
    part_down: Array
    part_right: Array
    contrast: Array
    brightness: Array
    erase: Array
    erase_down: Array
    erase_right: Array


def draw(n: int, seed: int, epoch: int) -> Array:
    """The random numbers of n images: (n, draws) float32; a row does not depend on n."""
    random = np.random.default_rng([seed, epoch, STREAM])
    return random.random((n, len(Draws._fields))).astype(np.float32)


@dataclass(frozen=True)
class Augmentation:
    """What is done, by its name, and how much of it; see `settings.AUGMENTATIONS`."""

    amounts: Mapping[str, float]

    def apply(self, X: Array, drawn: Array) -> Array:
        """X (m, C, H, W) float32 and the random numbers of its images (m, draws) → as X, changed."""
        draws = Draws(*drawn.T)
        X = self._move(X, draws)
        if light := self.amounts.get("light"):
            contrast = 1 + light * (2 * draws.contrast - 1)  # (m,)
            X *= contrast[:, None, None, None]
            X += (light * (2 * draws.brightness - 1))[:, None, None, None]
        if share := self.amounts.get("erase"):
            self._erase(X, draws, share)
        return X

    def _move(self, X: Array, draws: Draws) -> Array:
        """Every geometric change in one look-up."""
        *_, H, W = X.shape
        matrix = self._matrix(draws)  # (m, 2, 2)
        shift = self._shift(draws, H, W)  # (m, 2)
        rows = np.arange(H, dtype=np.float32) - np.float32((H - 1) / 2)
        columns = np.arange(W, dtype=np.float32) - np.float32((W - 1) / 2)
        rows, columns = rows[None, :, None], columns[None, None, :]
        a, b, c, d = (matrix[:, i, j, None, None] for i in range(2) for j in range(2))  # each (m, 1, 1)
        y = a * rows + (shift[:, 0] + (H - 1) / 2).astype(np.float32)[:, None, None]  # (m, H, 1)
        x = d * columns + (shift[:, 1] + (W - 1) / 2).astype(np.float32)[:, None, None]  # (m, 1, W)
        if self.amounts.keys() & {"turn", "rotate"}:  # else rows depend on rows alone
            y = y + b * columns  # (m, H, W)
            x = x + c * rows  # (m, H, W)
        if self.amounts.keys() & {"rotate", "crop"}:
            return _interpolate(X, y, x)
        return _take(X, _fold(np.rint(y), H), _fold(np.rint(x), W))

    def _matrix(self, draws: Draws) -> Places:
        """The linear part of the map: (m, 2, 2)."""
        m = len(draws.flip)
        angle = np.zeros(m, np.float32)
        if degrees := self.amounts.get("rotate"):
            angle = np.radians(degrees) * (2 * draws.angle - 1)
        scale = 1 - (1 - self.amounts.get("crop", 1.0)) * draws.scale
        cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
        if "turn" in self.amounts:
            quarter = np.floor(4 * draws.turn)
            quarter_cos, quarter_sin = np.rint(np.cos(np.pi / 2 * quarter)), np.rint(np.sin(np.pi / 2 * quarter))
            cos, sin = cos * quarter_cos - sin * quarter_sin, sin * quarter_cos + cos * quarter_sin
        down = np.where(draws.updown < 0.5, -1, 1) if "updown" in self.amounts else np.ones(m)
        right = np.where(draws.flip < 0.5, -1, 1) if "flip" in self.amounts else np.ones(m)
        matrix = np.array([[cos * down, -sin * right], [sin * down, cos * right]], np.float32)  # (2, 2, m)
        return np.moveaxis(matrix, 2, 0)

    def _shift(self, draws: Draws, H: int, W: int) -> Places:
        """Rows and columns by which the centre moves: (m, 2)."""
        shift = np.zeros((len(draws.flip), 2))
        if "shift" in self.amounts:
            most = self.amounts["shift"] or max(round(min(H, W) / 16), 1)
            shift += np.floor((2 * most + 1) * np.stack([draws.down, draws.right], axis=1)) - most
        if least := self.amounts.get("crop"):
            room = (1 - least) * draws.scale[:, None] * np.array([H - 1, W - 1])  # what the part leaves
            shift += room * (np.stack([draws.part_down, draws.part_right], axis=1) - 0.5)
        return shift.astype(np.float32)

    def _erase(self, X: Array, draws: Draws, share: float) -> None:
        """Set a square of half of the images to 0, the mean."""
        *_, H, W = X.shape
        side = max(round(share * min(H, W)), 1)
        for i in np.flatnonzero(draws.erase < 0.5):
            top = int(draws.erase_down[i] * (H - side + 1))
            left = int(draws.erase_right[i] * (W - side + 1))
            X[i, :, top : top + side, left : left + side] = 0


def _fold(places: Places, size: int) -> Labels:
    """Whole places, those outside 0 … size-1 as in a mirror."""
    places = np.abs(places)
    places = (size - 1) - np.abs((size - 1) - places)
    return np.clip(places, 0, size - 1).astype(np.intp)


def _take(X: Array, y: Labels, x: Labels) -> Array:
    """The entries at row y and column x of each image, both (m, H or 1, W or 1)."""
    m, C, H, W = X.shape
    first = np.arange(m * C).reshape(m, C, 1, 1) * (H * W)  # of each image and channel
    places = first + (y * W + x)[:, None]  # (m, C, H, W)
    taken: Array = X.reshape(-1).take(places)
    return taken


def _interpolate(X: Array, y: Places, x: Places) -> Array:
    """Between the four entries around each place, in proportion to how near they are."""
    *_, H, W = X.shape
    top, left = np.floor(y), np.floor(x)
    lower, right = (y - top)[:, None], (x - left)[:, None]  # shares of the row below and of the column to the right
    rows = _fold(top, H), _fold(top + 1, H)
    columns = _fold(left, W), _fold(left + 1, W)
    upper_row, lower_row = ((1 - right) * _take(X, row, columns[0]) + right * _take(X, row, columns[1]) for row in rows)
    return (1 - lower) * upper_row + lower * lower_row
