"""The order of the images in an epoch, and who computes what: a pure function of (number of images, seed, epoch).

The images are dealt to shards, and the shards to lanes. A batch's gradient is the sum over its lanes in their order, so
that a thread, a process or another machine may compute any of them without changing a bit of it.
"""

from typing import NamedTuple

import numpy as np

from cnncli.network.arrays import Labels
from cnncli.network.engine import MOST_LANES

SHARDS = 64  # whoever trains owns whole shards, and needs the images of no other
LANES = MOST_LANES  # lane l owns the shards l, l + 16, l + 32 and l + 48


class Batch(NamedTuple):
    """The images of one step, lane by lane; lane l has images[bounds[l]:bounds[l + 1]], which may be none."""

    images: Labels  # (m,)
    bounds: Labels  # (LANES + 1,)

    def part(self, lanes: range) -> "Batch":
        """Some lanes that follow each other."""
        bounds = self.bounds[lanes.start : lanes.stop + 1]
        return Batch(self.images[bounds[0] : bounds[-1]], bounds - bounds[0])


def deal(listed: int, seed: int) -> list[Labels]:
    """The images of each shard: 0 … listed-1, shuffled by the seed and dealt round robin.

    They are dealt as they are listed, before any is read, so that who owns an image is known from the names alone.
    """
    shuffled = np.random.default_rng(seed).permutation(listed)
    return [shuffled[shard::SHARDS] for shard in range(SHARDS)]


def list_owned(listed: int, seed: int, lanes: range) -> Labels:
    """The images of some lanes, in the order of the list."""
    shards = deal(listed, seed)
    return np.sort(np.concatenate([shard for lane in lanes for shard in shards[lane::LANES]]))


def most_images(batch_size: int, lanes: range) -> int:
    """How many images of a batch some lanes have at most: each has one in every turn, and a batch may begin in one."""
    return min(batch_size, len(lanes) * (batch_size // LANES + 2))


def order_epoch(n: int, seed: int, epoch: int, batch_size: int, image_at: Labels | None = None) -> list[Batch]:
    """The batches of an epoch; every image is in one of them, and only the last may be smaller.

    Each lane shuffles its own images, and gives one of them in every turn until it has none left; the order of the
    lanes in a turn is drawn anew each time. Where some of the files that were listed cannot be read, `image_at`
    (listed,) tells which image each file is, or -1.
    """
    lanes = _deal_lanes(np.arange(n) if image_at is None else image_at, seed)
    turns = max(len(members) for members in lanes)
    drawn = np.random.default_rng([seed, epoch, LANES]).permuted(
        np.tile(np.arange(LANES), (turns, 1)), axis=1
    )  # (turns, 16)
    images = np.concatenate(
        [np.random.default_rng([seed, epoch, lane]).permutation(members) for lane, members in enumerate(lanes)]
    )  # (n,)
    lane_of = np.repeat(np.arange(LANES), [len(members) for members in lanes])  # (n,)
    turn_of = np.concatenate([np.arange(len(members)) for members in lanes])  # (n,)
    sequence = np.lexsort((drawn[turn_of, lane_of], turn_of))
    return [
        _gather_lanes(images[chosen], lane_of[chosen])
        for chosen in (sequence[first : first + batch_size] for first in range(0, n, batch_size))
    ]


def _deal_lanes(image_at: Labels, seed: int) -> list[Labels]:
    """The images of each lane: 0 … n-1."""
    shards = deal(len(image_at), seed)
    lanes = [image_at[np.concatenate(shards[lane::LANES])] for lane in range(LANES)]
    return [members[members >= 0] for members in lanes]


def _gather_lanes(images: Labels, lane_of: Labels) -> Batch:
    by_lane = np.argsort(lane_of, kind="stable")
    return Batch(images[by_lane], np.searchsorted(lane_of[by_lane], np.arange(LANES + 1)))
