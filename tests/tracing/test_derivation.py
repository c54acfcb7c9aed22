import re

import numpy as np
import pytest

from cnncli.errors import ArchitectureError, UsageError
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.subject.fresh import FreshNetwork
from cnncli.tracing.derivation import Derivation, derive

# The note's own page: X 3×3, w1 2×2, Z1 2×2.
NOTE = """
    dL/dw11 = dL/dz11·x11 + dL/dz12·x12 + dL/dz21·x21 + dL/dz22·x22
    dL/dw12 = dL/dz11·x12 + dL/dz12·x13 + dL/dz21·x22 + dL/dz22·x23
    dL/dw21 = dL/dz11·x21 + dL/dz12·x22 + dL/dz21·x31 + dL/dz22·x32
    dL/dw22 = dL/dz11·x22 + dL/dz12·x23 + dL/dz21·x32 + dL/dz22·x33
    dL/db1  = dL/dz11 + dL/dz12 + dL/dz21 + dL/dz22
"""
CHAIN = "dL/dA2 · dA2/dz2 · dz2/dF · dF/dP1 · dP1/dA1 · dA1/dZ1 · dZ1/dw1"


def lines(derivation: Derivation, name: str) -> dict[str, str]:
    (equation,) = [equation for equation in derivation.equations if equation.name == name]
    return dict(equation.lines)


def test_the_notes_own_page_line_by_line() -> None:
    derivation = derive(FreshNetwork({"kernel": 2}, image_size=3))
    written = lines(derivation, "dL/dw1") | lines(derivation, "dL/db1")
    note = [re.split(r"\s+=\s+", line.strip()) for line in NOTE.strip().splitlines()]
    assert list(written.items()) == [(left, right) for left, right in note]
    assert dict(derivation.chains)["dL/dw1"] == CHAIN


def test_the_choices_are_written_as_choices() -> None:
    derivation = derive(FreshNetwork({"kernel": 3}, image_size=6))
    assert lines(derivation, "A1")["a12"] == "max(z12, 0)"
    assert lines(derivation, "P1")["p12"] == "max(a13, a14, a23, a24)"
    assert lines(derivation, "dL/dA1")["dL/da23"] == "dL/dp12 if a23 is the first maximum of its window, else 0"
    assert lines(derivation, "dA1/dZ1")["da44/dz44"] == "1 if z44 > 0, else 0"
    assert lines(derivation, "F") == {"f1": "p11", "f2": "p12", "f3": "p21", "f4": "p22"}
    assert lines(derivation, "z2") == {"z2": "w2[1]·f1 + w2[2]·f2 + w2[3]·f3 + w2[4]·f4 + b2"}
    assert lines(derivation, "dz2/dF")["dz2/df3"] == "w2[3]"
    assert lines(derivation, "dL/dP1")["dL/dp21"] == "dL/df3"


def test_the_rest_lies_in_no_window() -> None:
    assert lines(derive(FreshNetwork({"kernel": 2}, image_size=4)), "dL/dA1")["dL/da33"] == "0, it lies in no window"


@pytest.mark.parametrize(("side", "kernel"), [(3, 2), (4, 3), (5, 2), (7, 4), (9, 3), (9, 8)])
def test_the_sums_of_any_small_size_are_the_convolutions(side: int, kernel: int) -> None:
    """Put random numbers into the written sums: they must give what the network computes."""
    pool = 1 if side - kernel < 1 else 2
    derivation = derive(FreshNetwork({"kernel": kernel, "pool": pool}, image_size=side))
    random = np.random.default_rng(side)
    X, w, b = random.normal(size=(1, 1, side, side)), random.normal(size=(1, 1, kernel, kernel)), random.normal(size=1)
    convolution = build_chain(Architecture(side, side, filters=(1,), kernel=kernel, pool=1)).steps[0]
    Z = convolution.forward(X, w, b)
    dZ = random.normal(size=Z.shape)
    dX, dw, db = convolution.backward(dZ, X, w, b)
    numbers = {"b1": b[0]}
    for name, value in (("x", X), ("w", w), ("z", Z), ("dL/dz", dZ)):
        numbers |= {f"{name}{r + 1}{s + 1}": number for (r, s), number in np.ndenumerate(value[0, 0])}
    expected = {"Z1": Z[0, 0], "dL/dw1": dw[0, 0], "dL/dX": dX[0, 0], "dL/db1": db}
    for name, value in expected.items():
        written = [
            sum(np.prod([numbers[factor] for factor in term.split("·")]) for term in right.split(" + "))
            for right in lines(derivation, name).values()
        ]
        np.testing.assert_allclose(written, value.ravel(), rtol=1e-12)


@pytest.mark.parametrize(
    ("fresh", "sentence"),
    [
        (FreshNetwork(image_size=10), "at most 9×9"),
        (FreshNetwork({"filters": (2,)}), "filters has no place on a page of one filter: leave it out"),
        (FreshNetwork(channels="rgb"), "channels has no place on a page of one gray channel"),
        (FreshNetwork(classes=3), "classes has no place on a page of the note's two classes"),
    ],
)
def test_what_has_no_place_on_a_page(fresh: FreshNetwork, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        derive(fresh)


def test_a_kernel_that_does_not_fit() -> None:
    with pytest.raises(ArchitectureError, match="larger than its input"):
        derive(FreshNetwork({"kernel": 4}, image_size=3))
