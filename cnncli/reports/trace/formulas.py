"""The terms of an explained entry, with names and with numbers."""

from collections.abc import Callable

import numpy as np

from cnncli.network.terms import Factor, Term
from cnncli.reports.grids import number_writer

BEFORE_A_BRACKET = ("·", "− ", "−", "/", "^")  # what a negative number may not follow bare


def write_number(value: float, precision: int) -> str:
    """One number by itself."""
    return number_writer(np.array([value]), precision)(value)


def in_symbols(term: Term) -> str:
    """The term with the names of its entries."""
    return _fill(term, lambda factor: factor.label)


def in_numbers(term: Term, precision: int) -> str:
    """The term with its numbers; negative ones in brackets where a sign stands before them."""
    return _fill(term, lambda factor: write_number(factor.value, precision))


def _fill(term: Term, write: Callable[[Factor], str]) -> str:
    first, *rest = term.template.split("{}")
    text = first
    for factor, after in zip(term.factors, rest, strict=True):
        written = write(factor)
        text += f"({written})" if written.startswith("-") and text.endswith(BEFORE_A_BRACKET) else written
        text += after
    return text
