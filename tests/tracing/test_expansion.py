import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.data.settings import Channels
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.initialisation import he_normal
from cnncli.network.terms import Entry
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose
from cnncli.tracing.entries import parse_entries
from cnncli.tracing.expansion import Expander, Expansion
from cnncli.tracing.trace import Trace, trace_image

NOTE = trace_image(choose([], None, None, FreshNetwork()))


def all_expansions(trace: Trace) -> list[Expansion]:
    expander, tensors = Expander(trace.chain, trace.values), build_chain(trace.subject.architecture).tensors
    return [expander.expand(entry) for name in tensors for entry in parse_entries(name, tensors, "--expand")]


def expand(trace: Trace, written: str) -> Expansion:
    (entry,) = parse_entries(written, build_chain(trace.subject.architecture).tensors, "--expand")
    return Expander(trace.chain, trace.values).expand(entry)


def assert_every_sum_is_the_recorded_value(trace: Trace) -> None:
    given = {"X", "y", *build_chain(trace.subject.architecture).parameter_shapes}
    for expansion in all_expansions(trace):
        assert expansion.value == trace[expansion.entry.name][expansion.entry.place]
        if expansion.entry.name in given:
            assert not expansion.terms
        else:
            assert expansion.terms
            assert expansion.total == pytest.approx(expansion.value, rel=1e-12, abs=1e-14), expansion.label


@pytest.mark.parametrize("label", ["0", "1"])
def test_every_entry_of_every_tensor_of_the_example(label: str) -> None:
    trace = trace_image(choose([], None, label, FreshNetwork()))
    assert len(all_expansions(trace)) == sum(step.value.size for step in trace.steps)
    assert_every_sum_is_the_recorded_value(trace)


@settings(max_examples=12)
@given(
    blocks=st.lists(st.integers(1, 2), min_size=1, max_size=2),
    channels=st.sampled_from(["gray", "rgb"]),
    classes=st.integers(2, 4),
    pool=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_every_entry_of_random_networks(
    blocks: list[int], channels: Channels, classes: int, pool: int, seed: int
) -> None:
    side = 4 if len(blocks) == 1 else pool * (pool + 1) + 2
    fresh = FreshNetwork({"filters": tuple(blocks), "kernel": 2, "pool": pool}, side, channels, classes, seed)
    assert_every_sum_is_the_recorded_value(trace_image(choose([], None, str(seed % classes), fresh)))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("y", [0, 1])
@pytest.mark.parametrize("bias", [-900.0, 40.0, 900.0])
def test_saturated_answers(classes: int, y: int, bias: float) -> None:
    architecture = Architecture(4, 4, filters=(1,), kernel=2, classes=classes)
    parameters = he_normal(architecture, 0) | {"b2": np.linspace(bias, 0, architecture.outputs)}
    X = np.random.default_rng(0).normal(size=(1, 1, 4, 4))
    names = tuple(map(str, range(classes)))
    trace = trace_image(Subject(architecture, parameters, names, X, np.array([y]), ("random",), "random"))
    assert_every_sum_is_the_recorded_value(trace)


def test_the_terms_of_a_filter_weight() -> None:
    expansion = expand(NOTE, "dL/dw1[0,0,1,2]")
    assert expansion.formula == "Σ_i Σ_j dL/dZ1[0,i,j]·X[0,i+1,j+2]"
    assert len(expansion.terms) == 16
    (only,) = [term for term in expansion.terms if term.value != 0]
    assert [factor.label for factor in only.factors] == ["dL/dZ1[0,3,0]", "X[0,4,2]"]
    # The gradient meets a pixel that is 0: a term of its own, as dL/dZ1[0,1,1]·X[0,2,3].
    meets_zero = next(term for term in expansion.terms if term.factors[0].label == "dL/dZ1[0,1,1]")
    assert meets_zero.factors[1] == (Entry("X", (0, 2, 3)), "X[0,2,3]", 0.0)


def test_a_window_names_its_winner() -> None:
    expansion = expand(NOTE, "P1[0,0,1]")
    assert expansion.window is not None
    assert [factor.value for factor in expansion.window.factors] == [5.5, 0, 2.5, 0]
    assert expansion.window.winner == 0
    assert expansion.reason == "the winner is A1[0,0,2]"
    assert expand(NOTE, "P1[0,1,1]").reason == "the winner is A1[0,2,2], the first of 4 equal ones"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("dL/dA1[0,0,2]", "A1[0,0,2] is the maximum of its window"),
        ("dL/dA1[0,0,3]", "A1[0,0,3] is not the maximum of its window, A1[0,0,2] is"),
        ("dL/dA1[0,3,3]", "A1[0,3,3] equals the maximum of its window, but A1[0,2,2] comes first and takes all"),
        ("dL/dZ1[0,1,1]", "the gate of Z1[0,1,1] is open: it is positive"),
        ("dL/dZ1[0,2,2]", "the gate of Z1[0,2,2] is shut: it is not positive"),
        ("w1[1,1]", "given: a parameter; what L thinks of it is dL/dw1[0,0,1,1]"),
    ],
)
def test_the_reason(entry: str, reason: str) -> None:
    assert expand(NOTE, entry).reason == reason


def test_the_rest_that_fills_no_window() -> None:
    trace = trace_image(choose([], None, None, FreshNetwork({"filters": (1,), "kernel": 2}, 6)))
    expansion = expand(trace, "dL/dA1[0,4,4]")
    assert (expansion.total, expansion.window) == (0, None)
    assert expansion.reason == "A1[0,4,4] lies in the rest that fills no window: nobody read it"
