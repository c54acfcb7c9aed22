"""Small formulas over recorded entries, which can be written with the entries' names or with their numbers."""

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple

from cnncli.network.arrays import Array
from cnncli.tracing.entries import Entry, Index


class Factor(NamedTuple):
    """One recorded entry in a formula."""

    entry: Entry
    label: str
    value: float

    @classmethod
    def of(cls, values: Mapping[str, Array], name: str, index: Index) -> "Factor":
        """The entry of a recorded tensor."""
        entry = Entry(name, index)
        return cls(entry, entry.label(values[name].shape), float(values[name][index]))


class Term(NamedTuple):
    """A formula with one {} for each factor, and its value."""

    template: str
    factors: tuple[Factor, ...]
    value: float


class Made(NamedTuple):
    """How an entry was made: a formula in symbols where the terms alone do not tell it, the terms, and a reason."""

    formula: str
    terms: list[Term]
    reason: str = ""


def product_of(factors: Iterable[Factor]) -> Term:
    """The product of some entries, or a single one."""
    factors = tuple(factors)
    return Term("·".join("{}" for _ in factors), factors, prod(factor.value for factor in factors))
