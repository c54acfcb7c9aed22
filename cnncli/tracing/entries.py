"""Entries of the chain's tensors as people write them: Z1, dL/dw1[0,0], w1[1,1], X[0, 1, 2], and the note's w12."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from math import prod

from cnncli.errors import UsageError
from cnncli.network.tensors import Shape, Tensor
from cnncli.network.terms import Entry, Index

LARGEST = 9  # a subscript is one digit for the row and one for the column
SUBSCRIPTS = {"CHW": 2, "NCkk": 2, "Nhw": 2, "Npq": 2, "D": 1}  # of the tensors whose entries have small letters
WRITTEN = re.compile(r"([^\[\]]+)((?:\[[\d\s,]*\])*)")


def find_name(name: str, names: Sequence[str], argument: str) -> str:
    """The name, if it is one of the chain's; ∂ may stand for d, and large letters for small ones that mean one name.

    Raises UsageError, which says which name is nearest and what there is.
    """
    plain = _plain(name)
    if plain in names:
        return plain
    alike = [each for each in names if each.lower() == plain.lower()]
    if len(alike) == 1:
        return alike[0]
    if not name.strip():
        raise UsageError(f"has an empty name: there are {', '.join(names)}", argument=argument)
    near = alike or get_close_matches(plain, names, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(f"{name.strip()}: there is no such value{hint}: there are {', '.join(names)}", argument=argument)


def parse_entries(text: str, tensors: Mapping[str, Tensor], argument: str) -> list[Entry]:
    """All entries that are meant: one for a whole index, those below it for the beginning of one.

    w12 is row 1, column 2 of w1, as the derivation without numbers writes it, where that means one entry.

    An index counts from 0 and is read from the first axis on. One that does not fit there is read as that of the last
    axes where all before them have the length 1: w1[1,1] is w1[0,0,1,1] for one filter and one channel. Raises
    UsageError for an unknown name and for an index that fits neither way.
    """
    written = WRITTEN.fullmatch(text.strip())
    if not written:
        raise UsageError(f"{text}: an entry is written like dL/dw1[0,0,1,2], counted from 0", argument=argument)
    if written[1] not in tensors and not written[2] and (entry := _find_subscripted(written[1], tensors)):
        return [entry]
    name = find_name(written[1], list(tensors), argument)
    shape = tensors[name].shape
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


def label_with_subscripts(tensor: Tensor, place: Index) -> str:
    """x12 for X[0,0,1]: small letters, row and column counted from 1; numbers that stand alone keep their name."""
    if tensor.fraction:
        above, below = (label_with_subscripts(part, place) for part in tensor.fraction)
        return f"d{above}/d{below}"
    if tensor.axes == "KD":
        return tensor.name if prod(tensor.shape) == 1 else f"{tensor.name}[{place[1] + 1}]"
    if tensor.axes not in SUBSCRIPTS:
        return tensor.name
    return tensor.name[0].lower() + "".join(str(each + 1) for each in place[-SUBSCRIPTS[tensor.axes] :])


def _find_subscripted(text: str, tensors: Mapping[str, Tensor]) -> Entry | None:
    """The one entry that has this label with subscripts; None where there is none, or where there are several."""
    plain = _plain(text)
    found = [entry for tensor in tensors.values() for entry in _subscripted(tensor, plain)]
    return found[0] if len(found) == 1 else None


def _subscripted(tensor: Tensor, label: str) -> Iterator[Entry]:
    """The entries of a tensor of one filter and one channel that have the label."""
    last = SUBSCRIPTS.get(tensor.axes, 0)
    if last and prod(tensor.shape[:-last]) == 1 and max(tensor.shape) <= LARGEST:
        for place in product(*map(range, tensor.shape)):
            if label_with_subscripts(tensor, place) == label:
                yield Entry(tensor.name, place)


def _plain(name: str) -> str:
    return name.strip().replace("∂", "d")
