"""Small formulas over recorded entries: what one entry is made of, and who reads it.

They can be written with the entries' names or with their numbers. `Values` are the arrays of one image's pass by name,
without a batch axis.
"""

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import NamedTuple

from cnncli.network.arrays import Array
from cnncli.network.tensors import Shape

Index = tuple[int, ...]
Values = Mapping[str, Array]
Arithmetic = Callable[..., float]  # from the numbers of a formula to its value


class Entry(NamedTuple):
    """One number of one tensor; the place is a whole index, one number for each axis."""

    name: str
    place: Index

    def label(self, shape: Shape) -> str:
        """As the note writes it: dL/dw1[0,0,1,2], and z2 alone where the tensor of this shape has one number."""
        return self.name if prod(shape) == 1 else f"{self.name}[{','.join(map(str, self.place))}]"


class Factor(NamedTuple):
    """One recorded entry in a formula."""

    entry: Entry
    label: str
    value: float

    @classmethod
    def of(cls, values: Values, name: str, place: Index) -> "Factor":
        """The entry of a recorded tensor."""
        entry = Entry(name, place)
        return cls(entry, entry.label(values[name].shape), float(values[name][place]))


class Term(NamedTuple):
    """A formula with one {} for each factor, and its value.

    The value is worked out as exactly as it can be, from the logit where A is saturated; `compute` takes the formula at
    its word, so that a reader's calculator gives the same. None for words that are no arithmetic.
    """

    template: str
    factors: tuple[Factor, ...]
    value: float
    compute: Arithmetic | None = None


ZERO = Term("0", (), 0.0)


class Made(NamedTuple):
    """How an entry was made: a formula in symbols where the terms alone do not tell it, the terms, and a reason."""

    formula: str
    terms: list[Term]
    reason: str = ""


class Window(NamedTuple):
    """A pooling window and its winner."""

    factors: tuple[Factor, ...]  # s² entries of A, row by row
    winner: int


class Reader(NamedTuple):
    """One entry of a step's output that reads an entry of its source or parameters, and the derivative between them."""

    place: Index  # in the output
    derivative: float  # of the output's entry for the one that is read
    reason: str  # what the derivative is: "w1[0,0,1,2]"
    factor: Factor | None = None  # the recorded entry that the derivative is, if it is one
    factor_first: bool = False  # whether that is written before the reader's gradient
    template: str = "{}"  # how the gradient is written where there is no factor: "{}/4"

    def term(self, gradient: Factor) -> Term:
        """Its share in the gradient of the entry that is read, given its own gradient."""
        value = gradient.value * self.derivative
        if self.factor is None:
            return Term(self.template, (gradient,), value, lambda number: number * self.derivative)
        return product_of((self.factor, gradient) if self.factor_first else (gradient, self.factor))


def product_of(factors: Iterable[Factor]) -> Term:
    """The product of some entries, or a single one."""
    factors = tuple(factors)
    return Term("·".join("{}" for _ in factors), factors, multiply(*(factor.value for factor in factors)), multiply)


def multiply(*numbers: float) -> float:
    """Their product."""
    return prod(numbers)
