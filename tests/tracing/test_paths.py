from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.errors import UsageError
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.initialisation import he_normal
from cnncli.network.terms import Entry
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose
from cnncli.tracing.entries import parse_entries
from cnncli.tracing.paths import Follower
from cnncli.tracing.trace import Trace, trace_image

NOTE = trace_image(choose([], None, None, FreshNetwork()))
ALL = 100_000


def followed(trace: Trace) -> list[Entry]:
    tensors = build_chain(trace.subject.architecture).tensors
    names = [name for name in tensors if f"dL/d{name}" in tensors]
    return [entry for name in names for entry in parse_entries(name, tensors, "--follow")]


def assert_all_paths_add_up(trace: Trace) -> None:
    follower = Follower(trace.chain, trace.values)
    for entry in followed(trace):
        paths = follower.follow(entry, ALL)
        assert paths.derivative == trace[f"dL/d{entry.name}"][entry.place]
        assert paths.total == pytest.approx(paths.derivative, rel=1e-11, abs=1e-14)
        assert paths.number == len(paths.shown)
        assert all(link.value != 0 for path in paths.shown for link in path.links)
        strengths = [abs(path.product) for path in paths.shown]
        assert all(weaker <= stronger * (1 + 1e-12) for stronger, weaker in pairwise(strengths))


def test_the_paths_of_every_entry_of_the_example_add_up() -> None:
    assert_all_paths_add_up(NOTE)


@settings(max_examples=6)
@given(blocks=st.integers(1, 2), classes=st.integers(2, 3), seed=st.integers(0, 1000))
def test_the_paths_of_random_networks_add_up(blocks: int, classes: int, seed: int) -> None:
    fresh = FreshNetwork({"filters": (2,) * blocks, "kernel": 2}, 3 if blocks == 1 else 7, "gray", classes, seed)
    assert_all_paths_add_up(trace_image(choose([], None, str(seed % classes), fresh)))


def test_the_chain_is_the_notes() -> None:
    follower = Follower(NOTE.chain, NOTE.values)
    w1 = "dL/dA2 · dA2/dz2 · dz2/dF · dF/dP1 · dP1/dA1 · dA1/dZ1 · dZ1/dw1"
    assert " · ".join(follower.chain("w1")) == w1
    assert " · ".join(follower.chain("w2")) == "dL/dA2 · dA2/dz2 · dz2/dw2"


def test_a_path_names_every_entry_on_the_way() -> None:
    (path,) = Follower(NOTE.chain, NOTE.values).follow(Entry("w1", (0, 0, 1, 2)), ALL).shown
    assert [link.name for link in path.links] == [
        "dL/dA2",
        "dA2/dz2",
        "dz2/dF[2]",
        "dF[2]/dP1[0,1,0]",
        "dP1[0,1,0]/dA1[0,3,0]",
        "dA1[0,3,0]/dZ1[0,3,0]",
        "dZ1[0,3,0]/dw1[0,0,1,2]",
    ]
    assert path.product == prod(link.value for link in path.links)


def test_only_the_strongest_are_shown_of_many() -> None:
    trace = trace_image(choose([], None, None, FreshNetwork({"filters": (3, 3)}, 16)))
    every = Follower(trace.chain, trace.values).follow(Entry("w1", (0, 0, 0, 0)), ALL)
    some = Follower(trace.chain, trace.values).follow(Entry("w1", (0, 0, 0, 0)), 5)
    assert some.shown == every.shown[:5]
    assert some.number == every.number == len(every.shown)
    assert np.all(np.abs([path.product for path in every.shown[5:]]) <= abs(some.shown[-1].product))


def test_a_saturated_answer_takes_both_links_at_once() -> None:
    architecture = Architecture(4, 4, filters=(1,), kernel=2)
    parameters = he_normal(architecture, 0) | {"b2": np.array([900.0])}
    X = np.random.default_rng(0).normal(size=(1, 1, 4, 4))
    trace = trace_image(Subject(architecture, parameters, ("0", "1"), X, np.array([0]), ("random",), "random"))
    paths = Follower(trace.chain, trace.values).follow(Entry("b2", (0,)), ALL)
    assert paths.chain == ("dL/dz2", "dz2/db2")
    assert paths.total == paths.derivative == 1


@pytest.mark.parametrize("name", ["y", "L", "dL/dw1"])
def test_what_cannot_be_followed(name: str) -> None:
    entry = Entry(name, (0,) * len(build_chain(NOTE.subject.architecture).tensors[name].shape))
    with pytest.raises(UsageError, match=f"follow {name}: .*: name an entry of X, w1, b1, w2, b2, Z1, A1, P1,"):
        Follower(NOTE.chain, NOTE.values).follow(entry, ALL)
