"""Who owns what: every image and every batch has one owner, and no rank much more than its share."""

import numpy as np
import pytest

from cnncli.data.dataset import keep_batches
from cnncli.distributed.communicator import Alone
from cnncli.training.order import LANES, list_owned, order_epoch

IMAGES, VALIDATION = 60_000, 10_000


class Rank(Alone):
    """One of several, which speaks to none."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8, 16])
def test_the_images_are_divided_and_no_rank_holds_more_than_a_fifth_above_its_share(size: int) -> None:
    ranks = [Rank(rank, size) for rank in range(size)]
    training = [list_owned(IMAGES, 7, rank.share(LANES)) for rank in ranks]
    validation = [keep_batches(VALIDATION, rank) for rank in ranks]
    assert sorted(np.concatenate(training)) == list(range(IMAGES))
    assert np.concatenate(validation).tolist() == list(range(VALIDATION))
    held = [len(own) + len(of_validation) for own, of_validation in zip(training, validation, strict=True)]
    assert max(held) <= 1.2 / size * (IMAGES + VALIDATION)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_the_lanes_of_a_batch_need_no_image_of_another_rank(size: int) -> None:
    image_at = np.delete(np.arange(100), 0)  # 99 images of 100 files: the first cannot be read
    image_at = np.concatenate([[-1], image_at - 1])
    owned = [set(image_at[list_owned(100, 3, Rank(rank, size).share(LANES))].tolist()) for rank in range(size)]
    for batch in order_epoch(99, 3, 1, 24, image_at):
        parts = [batch.part(Rank(rank, size).share(LANES)) for rank in range(size)]
        assert np.concatenate([part.images for part in parts]).tolist() == batch.images.tolist()
        for part, own in zip(parts, owned, strict=True):
            assert set(part.images.tolist()) <= own
            assert part.bounds[-1] == len(part.images)


def test_an_image_that_cannot_be_read_moves_no_other_to_another_lane() -> None:
    image_at = np.concatenate([np.arange(40), [-1], np.arange(40, 99)])
    file_of = np.flatnonzero(image_at >= 0)

    def lanes(n: int, files: np.ndarray, image_at: np.ndarray | None = None) -> dict[int, int]:
        (batch,) = order_epoch(n, 5, 2, n, image_at)
        return {
            int(files[image]): lane
            for lane in range(LANES)
            for image in batch.images[batch.bounds[lane] : batch.bounds[lane + 1]]
        }

    with_all, without = lanes(100, np.arange(100)), lanes(99, file_of, image_at)
    assert without == {file: lane for file, lane in with_all.items() if file != 40}
