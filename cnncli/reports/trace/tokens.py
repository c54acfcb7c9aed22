"""The parts of a formula as the program writes them, for what sets them as a mathematician does: TeX and MathML."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

NAME = r"(?<![A-Za-z])[A-Za-z]\d*(?![A-Za-z0-9'])(?:\[[^\]]*\])?"  # w1, F, w1[0,0,u,v]
TOKENS = re.compile(
    r"(?P<fraction>d[A-Za-z]\d*(?:\[[^\]]*\])?/d[A-Za-z]\d*(?:\[[^\]]*\])?)"
    r"|(?P<sum>Σ(?:_[a-z])?)"
    r"|(?P<number>\d+(?:\.\d+)?(?:e[+-]\d+)?)"
    rf"|(?P<name>{NAME})"
    r"|(?P<words>\.?[A-Za-z]{2,}(?:['’-][a-z]+)*(?:,? [a-z]{2,}(?:['’-][a-z]+)*)*)"
    r"|(?P<transposed>ᵀ)"
    r"|(?P<power>\^)"
    r"|(?P<sign>\S)"
)
PARTS = re.compile(r"([A-Za-z])(\d*)((?:\[[^\]]*\])?)")

Kind = Literal["fraction", "sum", "number", "name", "function", "words", "transposed", "power", "sign"]


class Token(NamedTuple):
    """One part of a formula."""

    kind: Kind
    text: str


class Name(NamedTuple):
    """A letter, its number and its index: w, 1 and [0,0,1,2]."""

    letter: str
    number: str
    brackets: str


def read_formula(formula: str) -> Iterator[Token]:
    """The parts in order; what a power raises follows its sign, see end_of_power."""
    for match in TOKENS.finditer(formula):
        kind = str(match.lastgroup)
        before_a_bracket = formula[match.end() : match.end() + 1] == "("
        if kind == "words" and (before_a_bracket or match[0] == "log"):
            kind = "function"
        yield Token(kind, match[0])  # type: ignore[arg-type]


def end_of_power(tokens: list[Token], start: int) -> int:
    """Behind what is raised: a token, or all to the closing bracket."""
    depth = 0
    for place in range(start, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].text, 0)
        if depth == 0:
            return place + 1
    return len(tokens)


def split_name(name: str) -> Name:
    """The parts of a name."""
    match = PARTS.fullmatch(name)
    assert match is not None, name  # noqa: S101  TOKENS lets through no other
    return Name(*match.groups())


def split_fraction(fraction: str) -> tuple[str, str]:
    """What stands above and below: dL/dw1[0,0] → L and w1[0,0]."""
    above, below = fraction.split("/d")
    return above.removeprefix("d"), below
