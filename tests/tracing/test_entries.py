import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncli.errors import UsageError
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.terms import Entry
from cnncli.tracing.entries import parse_entries

NOTE = build_chain(Architecture(6, 6, filters=(1,))).tensors
WIDE = build_chain(Architecture(9, 8, channels=3, filters=(4, 2), kernel=2, classes=5)).tensors


@given(st.data())
def test_the_label_of_any_entry_names_it(data: st.DataObject) -> None:
    tensors = data.draw(st.sampled_from([NOTE, WIDE]))
    name, tensor = data.draw(st.sampled_from(list(tensors.items())))
    shape = tensor.shape
    entry = Entry(name, tuple(data.draw(st.integers(0, length - 1)) for length in shape))
    assert parse_entries(entry.label(shape), tensors, "--expand") == [entry]


@pytest.mark.parametrize(
    ("written", "entries"),
    [
        ("w1[1,1]", [("w1", (0, 0, 1, 1))]),
        ("w1[0,0,1,2]", [("w1", (0, 0, 1, 2))]),
        ("w1[0][0][1][2]", [("w1", (0, 0, 1, 2))]),
        (" dL/dw1[ 0, 0,1 , 2 ] ", [("dL/dw1", (0, 0, 1, 2))]),
        ("∂L/∂w1[2,2]", [("dL/dw1", (0, 0, 2, 2))]),
        ("z2", [("z2", (0,))]),
        ("L", [("L", ())]),
        ("X[5,5]", [("X", (0, 5, 5))]),
        ("w12", [("w1", (0, 0, 0, 1))]),
        ("dL/dw33", [("dL/dw1", (0, 0, 2, 2))]),
        ("∂L/∂z44", [("dL/dZ1", (0, 3, 3))]),
        ("x61", [("X", (0, 5, 0))]),
        ("dL/dW1[2,2]", [("dL/dw1", (0, 0, 2, 2))]),
        ("P1", [("P1", (0, 0, 0)), ("P1", (0, 0, 1)), ("P1", (0, 1, 0)), ("P1", (0, 1, 1))]),
    ],
)
def test_an_index_as_people_write_it(written: str, entries: list[tuple[str, tuple[int, ...]]]) -> None:
    assert [(entry.name, entry.place) for entry in parse_entries(written, NOTE, "--expand")] == entries


def test_the_beginning_of_an_index_means_all_entries_below_it() -> None:
    entries = parse_entries("dL/dw1[0,0]", NOTE, "--expand")
    assert [entry.place for entry in entries] == [(0, 0, u, v) for u in range(3) for v in range(3)]
    assert len(parse_entries("w1[2]", WIDE, "--expand")) == 3 * 2 * 2


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("Z1[0,4,0]", "--expand Z1[0,4,0] is out of range: Z1 has the shape (1, 4, 4)"),
        ("w1[0,0,0,0,0]", "out of range: w1 has the shape (1, 1, 3, 3), its indices are 0 … 0 and 0 … 0 and 0 … 2"),
        ("L[0]", "out of range: L has the shape (), it is one number, without an index"),
        ("dL/dw3[0]", "--expand dL/dw3: there is no such value (did you mean dL/dw2?): there are X, y, w1, "),
        ("w14", "--expand w14: there is no such value"),
        ("Z1[-1]", "--expand Z1[-1]: an entry is written like dL/dw1[0,0,1,2], counted from 0"),
        ("", "an entry is written like"),
    ],
)
def test_what_names_no_entry(written: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        parse_entries(written, NOTE, "--expand")


def test_subscripts_that_could_mean_several_entries_name_none() -> None:
    two_blocks = build_chain(Architecture(9, 9, filters=(1, 1), kernel=2)).tensors
    for written in ("z11", "w11"):
        with pytest.raises(UsageError, match="there is no such value"):
            parse_entries(written, two_blocks, "--expand")
    assert parse_entries("x11", two_blocks, "--expand") == [Entry("X", (0, 0, 0))]


def test_more_than_one_filter_needs_the_whole_index() -> None:
    with pytest.raises(UsageError, match="out of range"):
        parse_entries("w1[5,1]", WIDE, "--expand")
