"""Why a derivative is 0: every dead end is one, and together they shut every way to L."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli import trace
from cnncli.network.terms import Entry
from cnncli.network.textbook import Textbook
from cnncli.tracing.blockages import find_blockages


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("X[0,0,0]", "the gate of Z1[0,0,0] is shut: it is not positive"),
        ("A1[0,0,0]", "A1[0,0,0] is not the maximum of its window, A1[0,1,1] is"),
        ("A1[0,2,3]", "A1[0,2,3] equals the maximum of its window, but A1[0,2,2] comes first and takes all"),
        ("w2[0,3]", "F[3] is 0"),
    ],
)
def test_the_reasons_of_the_example(entry: str, reason: str) -> None:
    (blockage,) = trace().follow(entry).blockages
    assert blockage.reason == reason


def test_a_rest_that_no_window_reads() -> None:
    paths = trace(filters=(1,), kernel=2, image_size=4, seed=3).follow("A1[0,2,2]")
    assert "lies in the rest that fills no window: nobody read it" in [b.reason for b in paths.blockages][-1]


def test_a_derivative_that_is_not_zero_has_no_blockage() -> None:
    assert trace().follow("w1[1,2]").blockages == ()
    (expansion,) = trace().expand("dL/dw1[0,0,1,2]")
    assert expansion.blockages == ()


def test_an_expansion_of_a_zero_names_the_shut_link() -> None:
    (expansion,) = trace().expand("dL/dX[0,0,0]")
    assert [blockage.links for blockage in expansion.blockages] == [("dA1[0,0,0]/dZ1[0,0,0]",)]


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), filters=st.sampled_from([(2,), (1, 2)]))
def test_opening_nothing_else_leaves_the_derivative_zero(seed: int, filters: tuple[int, ...]) -> None:
    """For every zero of dL/dX there is a reason, and a pixel's derivative by one-sided differences is 0 too."""
    traced = trace(filters=filters, kernel=2, image_size=8, seed=seed)
    subject, engine = traced.subject, Textbook(traced.subject.architecture)
    for place in np.argwhere(traced["dL/dX"] == 0)[:4]:
        index = tuple(map(int, place))
        assert list(find_blockages(traced.chain, traced.values, Entry("X", index)))
        moved = subject.X.copy()
        moved[(0, *index)] += 1e-9
        losses = [engine.record(subject.parameters, X, subject.y)["L"] for X in (subject.X, moved)]
        assert losses[0] == pytest.approx(losses[1], abs=1e-15)
