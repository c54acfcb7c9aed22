"""One filter, one channel: which part of every value is left, and how it is called."""

import numpy as np
import pytest

from cnncli.errors import UsageError
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import choose
from cnncli.tracing.trace import Trace, trace_image

TRACE = trace_image(choose([], None, None, FreshNetwork({"filters": (3, 2), "kernel": 2}, 10, "rgb", 3)))


def parts(trace: Trace) -> dict[str, np.ndarray]:
    return {step.name: step.value for step in trace.steps}


@pytest.mark.parametrize(
    ("n", "c", "expected"),
    [
        (1, None, {"w1[1]": ("w1", (1,)), "b1[1]": ("b1", (1,)), "Z2[1]": ("Z2", (1,)), "dL/dP1[1]": ("dL/dP1", (1,))}),
        (None, 2, {"X[2]": ("X", (2,)), "dL/dX[2]": ("dL/dX", (2,)), "w1[:,2]": ("w1", (slice(None), 2))}),
        (1, 0, {"w1[1,0]": ("w1", (1, 0)), "dL/dw1[1,0]": ("dL/dw1", (1, 0)), "w2[1]": ("w2", (1,))}),
    ],
)  # fmt: skip
def test_a_part_is_named_as_it_is_indexed(
    n: int | None, c: int | None, expected: dict[str, tuple[str, tuple[int | slice, ...]]]
) -> None:
    found = parts(TRACE.narrow(n, c))
    for name, (whole, index) in expected.items():
        np.testing.assert_array_equal(found[name], TRACE[whole][index])


@pytest.mark.parametrize("n", [None, 0, 1, 2])
@pytest.mark.parametrize("c", [None, 0, 1, 2])
def test_every_part_is_the_entry_of_the_whole_that_its_name_says(n: int | None, c: int | None) -> None:
    for name, value in parts(TRACE.narrow(n, c)).items():
        whole, _, written = name.partition("[")
        places = [slice(None) if each == ":" else int(each) for each in written.rstrip("]").split(",") if each]
        np.testing.assert_array_equal(value, TRACE[whole][tuple(places)], err_msg=name)


def test_a_block_that_lacks_the_filter_is_left_out_and_what_has_no_filters_stays_whole() -> None:
    found = parts(TRACE.narrow(2, None))
    assert {"Z1[2]", "w1[2]", "dL/dZ1[2]"} <= found.keys()
    assert not [name for name in found if name.split("[")[0] in ("w2", "b2", "Z2", "A2", "P2", "dL/dw2", "dL/dZ2")]
    for name in ("X", "y", "F", "w3", "b3", "z3", "A3", "L", "dL/dX", "dL/dF", "dL/dz3"):
        np.testing.assert_array_equal(found[name], TRACE[name])


def test_nothing_chosen_leaves_everything() -> None:
    assert TRACE.narrow(None, None).steps == TRACE.steps


@pytest.mark.parametrize(("n", "c", "argument"), [(3, None, "filter"), (None, 3, "channel")])
def test_there_is_no_such_part(n: int | None, c: int | None, argument: str) -> None:
    with pytest.raises(UsageError, match="are 0 … 2") as error:
        TRACE.narrow(n, c)
    assert error.value.arguments == (argument,)
