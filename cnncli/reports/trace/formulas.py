"""The terms of an explained entry, with names and with numbers that a calculator agrees with."""

from collections.abc import Sequence

import numpy as np

from cnncli.network.terms import Arithmetic, Term
from cnncli.reports.grids import number_writer

BEFORE_A_BRACKET = ("·", "− ", "−", "/", "^")  # what a negative number may not follow bare
MOST_DECIMALS = 17  # tell any two float64 apart


def write_number(value: float, precision: int) -> str:
    """One number by itself."""
    return number_writer(np.array([value]), precision)(value)


def find_decimals(values: Sequence[float], compute: Arithmetic, result: float, precision: int) -> int | None:
    """How many decimals the values need, at least `precision`, so that a calculator gets the result as it is written.

    −0.0900·4 is not −0.3601, but −0.09003·4 is. None where no number of decimals does it: the result was worked out
    more exactly than these float64 can tell.
    """
    target = write_number(result, precision)
    for decimals in range(precision, max(precision, MOST_DECIMALS) + 1):
        if _gives(compute, [write_number(value, decimals) for value in values], target, precision):
            return decimals
    return None


def add(*numbers: float) -> float:
    """Their sum."""
    return sum(numbers)


def _gives(compute: Arithmetic, written: Sequence[str], target: str, precision: int) -> bool:
    """Whether the numbers as written give the number as written, to half a unit of its last decimal."""
    try:
        value = compute(*map(float, written))
    except (ArithmeticError, ValueError):  # 1/(1 − 1), e^1000, log 0
        return False
    _, e, exponent = target.partition("e")
    unit = 10.0 ** (int(exponent) - max(precision - 1, 0) if e else -precision)
    return value == float(target) or abs(value - float(target)) < 0.4999 * unit


def in_symbols(term: Term) -> str:
    """The term with the names of its entries."""
    return _fill(term, [factor.label for factor in term.factors])


def in_numbers(term: Term, precision: int) -> str | None:
    """The term with numbers of which it is true as written; negative ones in brackets where a sign stands before them.

    None where no numbers are to be shown: it is no arithmetic, or its value was worked out more exactly.
    """
    values = [factor.value for factor in term.factors]
    decimals = precision if term.compute is None else find_decimals(values, term.compute, term.value, precision)
    return None if decimals is None else _fill(term, [write_number(value, decimals) for value in values])


def _fill(term: Term, numbers: Sequence[str]) -> str:
    first, *rest = term.template.split("{}")
    text = first
    for written, after in zip(numbers, rest, strict=True):
        text += f"({written})" if written.startswith("-") and text.endswith(BEFORE_A_BRACKET) else written
        text += after
    return text
