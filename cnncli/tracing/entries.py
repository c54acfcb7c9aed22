"""Entries of the chain's tensors as people write them: Z1, dL/dw1[0,0], w1[1,1], X[0, 1, 2]."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from math import prod

from cnncli.errors import UsageError
from cnncli.network.tensors import Shape
from cnncli.network.terms import Entry, Index

WRITTEN = re.compile(r"([^\[\]]+)((?:\[[\d\s,]*\])*)")


def find_name(name: str, names: Sequence[str], argument: str) -> str:
    """The name, if it is one of the chain's; ∂ may stand for d.

    Raises UsageError, which says what there is and which name is nearest.
    """
    plain = name.strip().replace("∂", "d")
    if plain in names:
        return plain
    near = get_close_matches(plain, names, n=1) or [each for each in names if each.lower() == plain.lower()]
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(f"{name.strip()}: there is no such value, there are {', '.join(names)}{hint}", argument=argument)


def parse_entries(text: str, shapes: Mapping[str, Shape], argument: str) -> list[Entry]:
    """All entries that are meant: one for a whole index, those below it for the beginning of one.

    An index counts from 0 and is read from the first axis on. One that does not fit there is read as that of the last
    axes where all before them have the length 1: w1[1,1] is w1[0,0,1,1] for one filter and one channel. Raises
    UsageError for an unknown name and for an index that fits neither way.
    """
    written = WRITTEN.fullmatch(text.strip())
    if not written:
        raise UsageError(f"{text}: an entry is written like dL/dw1[0,0,1,2], counted from 0", argument=argument)
    name = find_name(written[1], list(shapes), argument)
    shape = shapes[name]
    start = _start(tuple(map(int, re.findall(r"\d+", written[2]))), shape)
    if start is None:
        ranges = " and ".join(f"0 … {length - 1}" for length in shape)
        there = f"its indices are {ranges}" if shape else "it is one number, without an index"
        raise UsageError(f"{text.strip()} is out of range: {name} has the shape {shape}, {there}", argument=argument)
    return [Entry(name, (*start, *rest)) for rest in product(*map(range, shape[len(start) :]))]


def _start(index: Index, shape: Shape) -> Index | None:
    """The index read from the first axis on, else the one with zeros for leading axes of length 1."""
    if _fits(index, shape):
        return index
    missing = len(shape) - len(index)
    if missing > 0 and prod(shape[:missing]) == 1 and _fits(index, shape[missing:]):
        return (0,) * missing + index
    return None


def _fits(index: Index, shape: Shape) -> bool:
    return len(index) <= len(shape) and all(place < length for place, length in zip(index, shape, strict=False))
