"""The order of an epoch: every image once, lane by lane, and nothing but a function of (n, seed, epoch)."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnncli.training.order import LANES, SHARDS, deal, order_epoch

SIZES = st.integers(1, 400)
SEEDS = st.integers(0, 1000)


@given(SIZES, SEEDS)
def test_the_shards_are_the_shuffled_images_dealt_round_robin(n: int, seed: int) -> None:
    shards = deal(n, seed)
    assert len(shards) == SHARDS
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    dealt = [int(shards[place % SHARDS][place // SHARDS]) for place in range(n)]
    assert dealt == np.random.default_rng(seed).permutation(n).tolist()


@given(SIZES, SEEDS, st.integers(1, 5), st.integers(1, 130))
def test_an_epoch_has_every_image_once_in_full_batches_lane_by_lane(n: int, seed: int, epoch: int, m: int) -> None:
    shards = deal(n, seed)
    owner = {int(image): shard % LANES for shard, members in enumerate(shards) for image in members}
    batches = order_epoch(n, seed, epoch, m)
    assert sorted(int(image) for batch in batches for image in batch.images) == list(range(n))
    assert [len(batch.images) for batch in batches[:-1]] == [m] * (len(batches) - 1)
    for images, bounds in batches:
        assert len(bounds) == LANES + 1
        assert (bounds[0], bounds[-1]) == (0, len(images))
        for lane in range(LANES):
            assert {owner[int(image)] for image in images[bounds[lane] : bounds[lane + 1]]} <= {lane}


@given(SIZES, SEEDS, st.integers(1, 5))
def test_each_lane_gives_its_own_order_one_image_a_turn(n: int, seed: int, epoch: int) -> None:
    shards = deal(n, seed)
    sequence = [int(batch.images[0]) for batch in order_epoch(n, seed, epoch, 1)]
    for lane in range(LANES):
        members = np.concatenate(shards[lane::LANES])
        own = np.random.default_rng([seed, epoch, lane]).permutation(members).tolist()
        assert [image for image in sequence if image in set(own)] == own
    whole_turns = n // LANES
    lanes = {int(image): shard % LANES for shard, members in enumerate(shards) for image in members}
    for turn in range(whole_turns):
        assert sorted(lanes[image] for image in sequence[turn * LANES : (turn + 1) * LANES]) == list(range(LANES))


def test_epochs_and_seeds_differ_and_nothing_else_does() -> None:
    def images(seed: int, epoch: int, n: int = 10) -> list[int]:
        return [int(batch.images[0]) for batch in order_epoch(n, seed, epoch, 1)]

    assert images(0, 1) == images(0, 1)
    assert len({tuple(images(seed, epoch)) for seed in (0, 1) for epoch in (1, 2, 3)}) == 6
    # However small the batches, any two images can meet: the order of the lanes changes in every turn.
    pairs = {frozenset(map(int, order_epoch(10, 0, epoch, 2)[0].images)) for epoch in range(1, 500)}
    assert len(pairs) == 45
