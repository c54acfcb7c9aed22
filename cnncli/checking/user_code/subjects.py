"""The networks and images that somebody else's functions are called with: from the note's example to awkward ones."""

import numpy as np

from cnncli.checking.user_code.drawing import draw, stretch
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import vary
from cnncli.network.textbook import Textbook
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose


def make_subjects(seed: int) -> dict[str, Subject]:
    """By name, the same for the same seed."""
    random = np.random.default_rng([seed, 99])
    H, W = (int(side) for side in random.choice([7, 11, 13], 2, replace=False))
    return {
        "the note's example": choose([], None, None, FreshNetwork()),
        "prime sizes": draw(Architecture(H, W, filters=(1,)), 1, seed),
        "channels and filters": draw(Architecture(9, 8, channels=3, filters=(4,), kernel=2), 1, seed),
        "eight filters": draw(Architecture(7, 9, channels=2, filters=(8,)), 3, seed),
        "more channels than filters": draw(Architecture(9, 7, channels=4, filters=(2,), kernel=4, pool=1), 3, seed),
        "a batch": draw(Architecture(7, 7, channels=2, filters=(3,)), 4, seed),
        "two of everything": draw(Architecture(6, 8, channels=2, filters=(2,)), 2, seed),
        **_tied_subjects(seed),
        **_scaled_subjects(seed),
        "windows of 3": draw(Architecture(11, 10, filters=(2,), kernel=2, pool=3), 2, seed),
        "three outputs": draw(Architecture(6, 7, filters=(2,), classes=3), 2, seed),
        "five outputs": draw(Architecture(7, 6, channels=2, filters=(3,), classes=5), 4, seed),
        "four outputs": draw(Architecture(6, 6, filters=(1,), classes=4), 1, seed),
        "three outputs, saturated": stretch(draw(Architecture(6, 7, filters=(3,), classes=3), 5, seed), 60),
        "three outputs, far out": stretch(draw(Architecture(6, 7, filters=(3,), classes=3), 3, seed), 1000),
        "as many outputs as images": draw(Architecture(8, 6, filters=(2,), classes=4), 4, seed),
        **_unusual_subjects(seed),
    }


def _tied_subjects(seed: int) -> dict[str, Subject]:
    """Equal patches, two, three or all of a window; Z of exactly 0; a filter that is never positive."""
    dead = draw(Architecture(8, 8, filters=(2,)), 1, seed)
    dead.parameters["b1"][0] = -100
    few = draw(Architecture(9, 10, channels=2, filters=(3,), kernel=2), 3, seed)
    few.X[:] = np.round(few.X)
    few.parameters["w1"][:] = np.round(few.parameters["w1"] * 2)
    few.parameters["b1"][:] = (1, 0, -1)
    flat = draw(Architecture(7, 6, filters=(2,)), 2, seed)
    flat.X[:] = 1
    flat.parameters["b1"][:] = 9
    return {"ties": _flat_with_spots(seed), "ties of two and three": few, "all tied": flat, "a dead filter": dead}


def _scaled_subjects(seed: int) -> dict[str, Subject]:
    """Z near 0, z where σ saturates, tiny and huge numbers."""
    near = draw(Architecture(7, 8, filters=(2,)), 2, seed)
    near.parameters["b1"][:] -= 1.0
    record = Textbook(near.architecture).record(near.parameters, near.X, near.y)
    near.parameters["b1"][:] -= [np.median(channel) for channel in record["Z1"].swapaxes(0, 1)]
    near.parameters["b1"][0] += 1e-12
    saturated, far = (stretch(draw(Architecture(7, 6, filters=(3,)), 4, seed), z) for z in (60, 1000))
    saturated.y[:] = far.y[:] = (0, 1, 0, 1)
    tiny, huge = (draw(Architecture(8, 7, channels=2, filters=(2,)), 2, seed + 1) for _ in range(2))
    tiny.X[:] *= 1e-8
    tiny.parameters["b1"][:] *= 1e-8
    huge.X[:] *= 1e6
    huge.parameters["w2"][:] *= 1e-6
    return {"Z near 0": near, "z saturated": saturated, "z far out": far, "tiny numbers": tiny, "huge numbers": huge}


def _unusual_subjects(seed: int) -> dict[str, Subject]:
    """Everything that only some functions take as an option."""
    base = Architecture(7, 8, filters=(3,))
    others = {
        **vary(base),
        "padding": Architecture(6, 7, channels=2, filters=(2,), padding=1),
        "stride": Architecture(9, 8, channels=2, filters=(3,), stride=2),
        "dilation": Architecture(10, 9, channels=2, filters=(2,), dilation=2),
        "padding, stride and dilation": Architecture(
            11, 9, channels=2, filters=(3,), padding=2, stride=3, dilation=2, pool=1
        ),
        "windows that overlap": Architecture(9, 8, filters=(2,), pool=3, pool_stride=2),
        "windows that lie apart": Architecture(9, 10, filters=(2,), pool_stride=3),
        "windows of two that overlap": Architecture(8, 9, filters=(3,), kernel=2, pool_stride=1),
        "windows of four that overlap": Architecture(12, 11, filters=(1,), kernel=2, pool=4, pool_stride=3),
        "averages that overlap": Architecture(9, 8, filters=(2,), pool=3, pool_stride=2, pooling="average"),
        "averages without a rest": Architecture(8, 10, channels=2, filters=(2,), pooling="average"),
        "averages of nine": Architecture(11, 9, channels=2, filters=(3,), pool=3, pooling="average"),
        "averages that lie apart": Architecture(9, 11, filters=(1,), pool_stride=3, pooling="average"),
        "averages of four that overlap": Architecture(9, 10, filters=(2,), pool_stride=1, pooling="average"),
        "padding of two": Architecture(7, 5, filters=(3,), padding=2),
        "padding wider than the kernel": Architecture(5, 6, channels=2, filters=(2,), kernel=2, padding=3),
        "stride of three": Architecture(11, 10, filters=(2,), kernel=2, stride=3, pool=1),
        "padding and stride": Architecture(9, 10, channels=2, filters=(2,), padding=1, stride=2),
        "dilation of three": Architecture(12, 9, filters=(2,), dilation=3, pool=1),
        "two blocks": Architecture(12, 13, channels=2, filters=(3, 2)),
        "three blocks": Architecture(17, 16, filters=(2, 3, 2), kernel=2),
        **_list_deep(),
    }
    return {
        name: draw(architecture, 2 + (number % 2), seed + number)
        for number, (name, architecture) in enumerate(others.items())
    }


def _list_deep() -> dict[str, Architecture]:
    """Several blocks with options, and with rests in each."""
    return {
        "two blocks with rests": Architecture(13, 16, channels=3, filters=(2, 3)),
        "two blocks with padding": Architecture(9, 12, channels=2, filters=(3, 2), padding=1),
        "two blocks with padding of two": Architecture(7, 10, channels=3, filters=(2, 3), padding=2),
        "two blocks with padding and stride": Architecture(13, 16, channels=2, filters=(2, 2), padding=1, stride=2),
        "two blocks with dilation": Architecture(17, 16, filters=(2, 2), dilation=2),
        "two blocks with windows of 3": Architecture(17, 20, channels=2, filters=(2, 3), pool=3),
        "two blocks, three classes": Architecture(12, 13, channels=2, filters=(2, 3), classes=3),
        "two blocks with padding, four classes": Architecture(8, 9, filters=(3, 2), padding=1, classes=4),
        "three blocks with padding": Architecture(9, 10, channels=2, filters=(2, 3, 2), padding=1),
    }


def _flat_with_spots(seed: int) -> Subject:
    """A flat image with a few spots: equal patches, so equal maxima, and some Z of exactly 0."""
    random = np.random.default_rng([seed, 5])
    subject = draw(Architecture(8, 8, filters=(2,)), 1, seed)
    X: Array = subject.X
    X[:] = 1
    X[:, :, 2, 2], X[:, :, 5, 4] = 3, -2
    w1, b1 = subject.parameters["w1"], subject.parameters["b1"]
    w1[:] = random.integers(-2, 3, w1.shape)
    b1[:] = 0
    w1[0, 0, 0, 0] += 1 - w1[0].sum()  # the flat patches of the first filter give 1,
    w1[1, 0, 0, 0] -= w1[1].sum()  # those of the second 0
    return subject
