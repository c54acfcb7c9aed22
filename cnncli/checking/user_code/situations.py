"""What somebody else's functions are called in: networks and images, with what is done to the numbers of a link alone.

A link alone is given numbers that its own network need not give it: a gradient of any size, zeros in any part of it,
and max pooling numbers below 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from cnncli.checking.user_code.drawing import aim, draw, draw_any, draw_deep
from cnncli.checking.user_code.subjects import make_subjects
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject

FRESH = 10_000  # added to a seed: numbers that no case has
MOST_DRAWN, MOST_DEEP = 12, 4
SMALL = (1.0, 1e-9, 1e-12, 1e-30)

Change = Callable[[Array], Array]


@dataclass(frozen=True)
class Situation:
    """A network with images, for functions that have one of some arguments; all where none is named.

    `gradient` changes the gradient that a link is given, `A1` makes A1 of Z1.
    """

    subject: Subject
    arguments: tuple[str, ...] = ()
    gradient: Change | None = None
    A1: Change | None = None

    def make_record(self) -> Record:
        """The right values and derivatives; with an A1 of its own, right as far as P1."""
        subject = self.subject
        record = Textbook(subject.architecture).record(subject.parameters, subject.X, subject.y)
        if self.A1 is None:
            return record
        pooling = build_chain(subject.architecture).readers["A1"]
        A1 = self.A1(record["Z1"])
        changed = {pooling.source.name: A1, pooling.output.name: pooling.forward(A1)}
        other = Record()
        for each in record:
            other.add(each.tensor, changed.get(each.name, each.value), each.formula)
        return other


def make_situations(seed: int, more: int = 0) -> dict[str, Situation]:
    """By name; `more` are drawn at random besides, the same for the same seed."""
    return {
        **{name: Situation(subject) for name, subject in make_subjects(seed).items()},
        **{name: Situation(subject) for name, subject in _list_zeros_and_scales(seed).items()},
        **{name: Situation(subject, ("z2", "y")) for name, subject in _list_outputs(seed).items()},
        **{name: Situation(subject, ("w1", "A1", "shape")) for name, subject in _list_windows(seed).items()},
        **_list_changed(seed),
        **{f"random {number}": Situation(draw_any(seed, number)) for number in range(1, more + 1)},
    }


def draw_situations(seed: int, number: int) -> dict[str, Situation]:
    """Others, new ones for each number: of the same kinds, and with sizes and options at random."""
    seed += FRESH * (number + 1)
    drawn = {f"drawn {number}.{place}": draw_any(seed, place) for place in range(MOST_DRAWN)}
    for place in range(MOST_DRAWN):
        drawn[f"drawn {number}.{place} with options"] = draw_any(seed, place, unusual=True)
    for place in range(MOST_DEEP):
        drawn[f"drawn {number}.{place} of two blocks"] = draw_deep(seed, place)
        drawn[f"drawn {number}.{place} of two blocks with options"] = draw_deep(seed, place, unusual=True)
    return make_situations(seed) | {name: Situation(subject) for name, subject in drawn.items()}


def name_case(label: str) -> str:
    """What a case is called in a shell: "the note's example" is the-notes-example."""
    return label.replace(" ", "-").replace("'", "").replace(",", "")


def _list_zeros_and_scales(seed: int) -> Mapping[str, Subject]:
    """Zeros in whole filters, images and weights; images and channels of very different size; many images."""
    dead = draw(Architecture(7, 8, channels=2, filters=(6,)), 3, seed)
    dead.parameters["b1"][[0, 2, 5]] = -100
    first, last = (draw(Architecture(6, 8, filters=(3,)), m, seed) for m in (3, 4))
    first.X[0] = last.X[-1] = 0
    idle = draw(Architecture(6, 7, filters=(3,), classes=4), 3, seed)
    idle.parameters["w2"][[0, 2]] = 0
    idle.parameters["w2"][:, ::2] = 0
    images = draw(Architecture(6, 7, filters=(2,)), 4, seed)
    images.X[:] *= np.array([1, 1e-6, 1e4, 1e-2])[:, None, None, None]
    channels = draw(Architecture(7, 6, channels=3, filters=(2,)), 2, seed)
    size = np.array([1e-8, 1, 1e8])[:, None, None]
    channels.X[:], channels.parameters["w1"][:] = channels.X * size, channels.parameters["w1"] / size
    return {
        "dead filters before live ones": dead,
        "the first image empty": first,
        "the last image empty": last,
        "outputs without weights": idle,
        "images of different sizes": images,
        "channels of different sizes": channels,
        "many images": draw(Architecture(5, 6, filters=(2,)), 17 + seed // FRESH, seed),
        "a large image": draw(Architecture(20, 19, filters=(2,)), 1, seed),
        "one of everything": draw(Architecture(4, 4, filters=(1,)), 1, seed),
    }


def _list_outputs(seed: int) -> Mapping[str, Subject]:
    """z far out on either side of either label, and near 0; labels that are all the same, or not all there."""
    two = Architecture(8, 8, filters=(4,))
    far = aim(draw(two, 8, seed), [[z] for z in (-1e4, -1e4, 1e4, 1e4, -745, -720, 720, 800)])
    far.y[:] = (0, 1) * 4
    mixed = aim(draw(two, 8, seed), [[z] for z in (1e4, 0.3, -0.2, -1e4, 2, -3, 1e-9, -1e-12)])
    mixed.y[:] = (0, 1, 1, 1, 1, 0, 0, 1)
    three = Architecture(8, 7, filters=(4,), classes=3)
    rows = ((1e4, 0, -1e4), (800, 801, 799), (-800, -801, -799), (-1e4, 5, 6), (9999, 1e4, 9998), (0.1, 0.2, -0.3))
    logits = aim(draw(three, 6, seed), rows)
    logits.y[:] = (0, 0, 2, 2, 1, 0)
    equal = draw(three, 4, seed)
    equal.parameters["w2"][:] = equal.parameters["b2"][:] = 0
    nothing = draw(two, 3, seed)
    nothing.parameters["w2"][:] = nothing.parameters["b2"][:] = 0
    zeros, ones = (draw(Architecture(6, 7, filters=(2,)), 3, seed) for _ in range(2))
    zeros.y[:], ones.y[:] = 0, 1
    one, some = (draw(Architecture(7, 6, filters=(2,), classes=5), 4, seed) for _ in range(2))
    one.y[:], some.y[:] = 2, (1, 3, 3, 1)
    return {
        "z far out on both sides": far,
        "z far out beside z near 0": mixed,
        "z of 0": nothing,
        "three outputs, far out on both sides": logits,
        "three outputs, all equal": equal,
        "labels all 0": zeros,
        "labels all 1": ones,
        "five outputs, one label": one,
        "five outputs, two labels": some,
    }


def _list_windows(seed: int) -> Mapping[str, Subject]:
    """Kernels and windows that are as small, or as large, as they can be."""
    sizes = {
        "a kernel of 1": Architecture(5, 7, channels=3, filters=(2,), kernel=1),
        "a kernel of 5": Architecture(9, 8, channels=2, filters=(2,), kernel=5),
        "a kernel as large as the image": Architecture(4, 4, channels=2, filters=(3,), kernel=4, pool=1),
        "a kernel as high as the image": Architecture(3, 7, channels=2, filters=(2,), pool=1),
        "a window as large as the map": Architecture(6, 6, filters=(2,), pool=4),
        "a row of windows": Architecture(4, 11, channels=2, filters=(2,)),
        "windows of 4": Architecture(10, 14, filters=(2,), kernel=2, pool=4),
        "averages of 1": Architecture(6, 5, filters=(2,), pool=1, pooling="average"),
        "averages of 16": Architecture(10, 14, filters=(2,), kernel=2, pool=4, pooling="average"),
        "an average of the whole map": Architecture(6, 6, filters=(2,), pool=4, pooling="average"),
    }
    return {name: draw(architecture, 2, seed) for name, architecture in sizes.items()}


def _list_changed(seed: int) -> dict[str, Situation]:
    """What a link alone may be given."""
    network = Architecture(7, 8, channels=2, filters=(5,))
    gradients: dict[str, Change] = {
        "a gradient of 1e-10": lambda g: g * 1e-10,
        "a gradient of 1e-30": lambda g: g * 1e-30,
        "a gradient of 1e12": lambda g: g * 1e12,
        "parts of the gradient tiny": _make_parts_tiny,
        "no gradient in the first filter": lambda g: g * _mark(g.shape[1], 0)[(..., *[None] * (g.ndim - 2))],
        "no gradient in a filter between": lambda g: g * _mark(g.shape[1], 2)[(..., *[None] * (g.ndim - 2))],
        "no gradient in the last filter": lambda g: g * _mark(g.shape[1], -1)[(..., *[None] * (g.ndim - 2))],
        "no gradient in the first image": lambda g: g * _mark(len(g), 0)[(..., *[None] * (g.ndim - 1))],
        "no gradient in the last image": lambda g: g * _mark(len(g), -1)[(..., *[None] * (g.ndim - 1))],
    }
    numbers: dict[str, Change] = {
        "numbers below 0": lambda Z1: Z1,
        "numbers below 0 alone, some equal": lambda Z1: -1 - np.abs(np.round(Z1)),
        "numbers far below 0": lambda Z1: -1e10 * (1 + np.abs(Z1)),
        "numbers close to 1000": lambda Z1: 1000 + np.abs(Z1) / 1000,
    }
    averages = replace(network, pooling="average")
    return {
        **{name: Situation(draw(network, 5, seed), gradient=change) for name, change in gradients.items()},
        **{
            f"averages, {name}": Situation(draw(averages, 5, seed), ("A1",), gradient=change)
            for name, change in gradients.items()
        },
        **{name: Situation(draw(network, 2, seed), ("A1",), A1=change) for name, change in numbers.items()},
        "averages, numbers below 0": Situation(draw(averages, 2, seed), ("A1",), A1=lambda Z1: Z1),
    }


def _make_parts_tiny(gradient: Array) -> Array:
    """Every filter of every image of another size, so that large and tiny ones meet in each sum."""
    image, part = np.indices(gradient.shape[:2])
    size: Array = np.array(SMALL)[(image + part) % len(SMALL)]
    return gradient * size[(..., *[None] * (gradient.ndim - 2))]


def _mark(count: int, without: int) -> Array:
    """0 at one place, else 1; 1 where there is that place alone."""
    marks = np.ones(count)
    if count > 1:
        marks[without % count] = 0
    return marks
