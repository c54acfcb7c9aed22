"""Which row and column each product reads or goes to: t·i + d·u − p, with other numbers along one axis or both."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]
Own = Mapping[str, int]
Number = int | Callable[[Own], int]  # or what is made of a step's own


class Axis(NamedTuple):
    """How one axis is read: index t·i + d·u − p, and what becomes of an index that is outside."""

    numbers: Mapping[str, Number]
    outside: str = "nowhere"  # or "wrapped", "wrapped below 0", "at the border"

    def find(self, own: Own, name: str) -> int:
        """The number that is taken for one of the step's."""
        number = self.numbers.get(name, own[name])
        return number if isinstance(number, int) else number(own)

    def read(self, own: Own, positions: int, kernel: int, length: int) -> Indices:
        """(positions, kernel): the index that each reads, −1 where there is none."""
        t, d, p = (self.find(own, number) for number in ("t", "d", "p"))
        index: Indices = t * np.arange(positions)[:, None] + d * np.arange(kernel) - p
        if self.outside == "wrapped":
            return index % length
        if self.outside == "at the border":
            return np.clip(index, 0, length - 1)
        if self.outside == "wrapped below 0":
            index = np.where(index < 0, index + length, index)
        return np.where((index >= 0) & (index < length), index, -1)


class Geometry(NamedTuple):
    """How rows and columns are read."""

    words: str
    rows: Axis
    columns: Axis


RIGHT = Axis({})


def vary_axes(variants: Mapping[str, Axis]) -> Iterator[Geometry]:
    """Each along both axes, then along one of them, the other being right."""
    for words, axis in variants.items():
        yield Geometry(words, axis, axis)
    for words, axis in variants.items():
        yield Geometry(f"{words} along the rows, not along the columns", axis, RIGHT)
        yield Geometry(f"{words} along the columns, not along the rows", RIGHT, axis)


OF_CONVOLUTION: dict[str, Axis] = {
    "as if there were no padding": Axis({"p": 0}),
    "as if the padding were 1": Axis({"p": 1}),
    "as if the padding were twice as much": Axis({"p": lambda n: 2 * n["p"]}),
    "as if the padding were one less": Axis({"p": lambda n: n["p"] - 1}),
    "as if the padding were one more": Axis({"p": lambda n: n["p"] + 1}),
    "as if the padding were negative": Axis({"p": lambda n: -n["p"]}),
    "as if the padding were k − 1": Axis({"p": lambda n: n["k"] - 1}),
    "as if the padding were k − 1 − p": Axis({"p": lambda n: n["k"] - 1 - n["p"]}),
    "as if the padding were half of k": Axis({"p": lambda n: n["k"] // 2}),
    "as if the padding were divided by the stride": Axis({"p": lambda n: n["p"] // n["t"]}),
    "as if the padding were multiplied by the stride": Axis({"p": lambda n: n["p"] * n["t"]}),
    "as if the stride were 1": Axis({"t": 1}),
    "as if the stride were 2": Axis({"t": 2}),
    "as if the stride were one more": Axis({"t": lambda n: n["t"] + 1}),
    "as if the stride were one less, but 1 at least": Axis({"t": lambda n: max(n["t"] - 1, 1)}),
    "as if the stride were k": Axis({"t": lambda n: n["k"]}),
    "as if the dilation were 1": Axis({"d": 1}),
    "as if the dilation were one more": Axis({"d": lambda n: n["d"] + 1}),
    "with the dilation in the place of the stride": Axis({"t": lambda n: n["d"]}),
    "with the stride in the place of the dilation": Axis({"d": lambda n: n["t"]}),
    "with stride and dilation exchanged": Axis({"t": lambda n: n["d"], "d": lambda n: n["t"]}),
    "as if there were neither stride nor dilation": Axis({"t": 1, "d": 1}),
    "as if there were neither padding nor stride": Axis({"p": 0, "t": 1}),
    "as if there were neither padding nor dilation": Axis({"p": 0, "d": 1}),
    "as if there were neither padding nor stride nor dilation": Axis({"p": 0, "t": 1, "d": 1}),
    "with what lies outside at the other side (i modulo the length)": Axis({}, "wrapped"),
    "with what lies before the first at the end (a negative index)": Axis({}, "wrapped below 0"),
    "as if there were no padding, with what lies outside at the other side": Axis({"p": 0}, "wrapped"),
    "with the border in the place of what lies outside": Axis({}, "at the border"),
    "with i − u in the place of i + u (a correlation for a convolution, or the other way round?)": Axis(
        {"d": lambda n: -n["d"]}
    ),
    "with i − u in the place of i + u, and what lies outside at the other side": Axis(
        {"d": lambda n: -n["d"]}, "wrapped"
    ),
    "with p − i in the place of i − p": Axis({"t": lambda n: -n["t"], "p": lambda n: -n["p"]}),
}
OF_POOLING: dict[str, Axis] = {
    "as if the windows were 1 apart": Axis({"t": 1}),
    "as if the windows were 2 apart": Axis({"t": 2}),
    "as if the windows were as far apart as they are large": Axis({"t": lambda n: n["s"]}),
    "as if the windows were one further apart": Axis({"t": lambda n: n["t"] + 1}),
    "as if the windows were one less apart": Axis({"t": lambda n: n["t"] - 1}),
    "as if the windows began one later": Axis({"p": -1}),
    "as if the windows began one earlier": Axis({"p": 1}),
    "with every second number of the windows": Axis({"d": 2}),
    "as if the windows were 2×2 and 2 apart": Axis({"s": 2, "t": 2}),
    "as if the windows were 2×2": Axis({"s": 2}),
    "as if the windows were as large as they are apart": Axis({"s": lambda n: n["t"]}),
    "as if the windows were one larger": Axis({"s": lambda n: n["s"] + 1}),
    "as if the windows were one smaller": Axis({"s": lambda n: max(n["s"] - 1, 1)}),
}
