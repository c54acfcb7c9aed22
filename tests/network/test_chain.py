"""The chain's names, and that the record has them in its order."""

import numpy as np
from hypothesis import given

from cnncli.network.chain import build_chain
from cnncli.network.textbook import Textbook
from tests.network.cases import Case, cases


@given(cases())
def test_the_names_follow_each_other_as_they_are_computed(case: Case) -> None:
    """Written out here from the note's own order, and not from the steps."""
    last = len(case.architecture.filters) + 1
    blocks = range(1, last)
    parameters = [f"{kind}{i}" for i in range(1, last + 1) for kind in "wb"]
    forward = [f"{kind}{i}" for i in blocks for kind in "ZAP"] + ["F", f"z{last}", f"A{last}", "L"]
    back = [f"dL/dA{last}", f"dA{last}/dz{last}", f"dL/dz{last}", f"dL/dw{last}", f"dL/db{last}", f"dz{last}/dF"]
    back += ["dL/dF", f"dL/dP{last - 1}"]
    for i in reversed(blocks):
        source = f"P{i - 1}" if i > 1 else "X"
        # The pooling has no derivative of its own in the record; the relu's is its gate.
        back += [f"dL/dA{i}", f"dA{i}/dZ{i}", f"dL/dZ{i}", f"dL/dw{i}", f"dL/db{i}", f"dL/d{source}"]
    chain = build_chain(case.architecture)
    record = Textbook(case.architecture).record(case.parameters, case.X, case.y)
    assert list(chain.parameters) == list(chain.parameter_shapes) == parameters
    assert list(chain.forward) == forward
    assert list(chain.derivatives) == back
    assert list(chain.tensors) == list(chain.shapes) == ["X", "y", *parameters, *forward, *back]
    assert [recorded.name for recorded in record] == list(chain.tensors)


@given(cases())
def test_counts_and_shapes_are_those_of_the_recorded_arrays(case: Case) -> None:
    chain = build_chain(case.architecture)
    record = Textbook(case.architecture).record(case.parameters, case.X, case.y)
    assert chain.parameter_count == sum(record[name].size for name in chain.parameters)
    for name, tensor in chain.gradients.items():
        assert record[f"dL/d{name}"].shape == record[name].shape
        assert len(tensor.axes) == len(tensor.shape)
    given_names = {name for name, tensor in chain.tensors.items() if tensor.kind in ("input", "parameter")}
    assert given_names == {"X", "y", *case.parameters}
    assert all(np.isfinite(record[name]).all() for name in chain.forward)
