"""The architecture: shapes of every tensor, and sizes that do not fit."""

from typing import Any

import pytest

from cnncli.errors import ArchitectureError
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain
from cnncli.network.initialisation import he_normal


def test_the_names_and_shapes_of_the_notes_network() -> None:
    shapes = build_chain(Architecture(6, 6, filters=(1,))).shapes
    assert " ".join(shapes) == (
        "X y w1 b1 w2 b2 Z1 A1 P1 F z2 A2 L dL/dA2 dA2/dz2 dL/dz2 dL/dw2 dL/db2 dz2/dF dL/dF "
        "dL/dP1 dL/dA1 dA1/dZ1 dL/dZ1 dL/dw1 dL/db1 dL/dX"
    )
    assert shapes["P1"] == (1, 2, 2)
    assert shapes["dz2/dF"] == (1, 4)
    assert shapes["dL/dX"] == (1, 6, 6)
    assert shapes["L"] == ()


def test_the_shapes_of_two_blocks_and_five_classes_with_dropped_rests() -> None:
    architecture = Architecture(17, 20, channels=3, filters=(4, 5), kernel=3, pool=2, classes=5)
    shapes = build_chain(architecture).shapes
    assert shapes["Z1"] == (4, 15, 18)
    assert shapes["P1"] == (4, 7, 9)
    assert shapes["w2"] == (5, 4, 3, 3)
    assert shapes["P2"] == (5, 2, 3)
    assert shapes["w3"] == (5, 30)
    assert shapes["dA3/dz3"] == (5, 5)
    assert build_chain(architecture).parameter_count == 4 * 3 * 9 + 4 + 5 * 4 * 9 + 5 + 5 * 30 + 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"height": 2, "width": 9}, "block 1 does not fit: its 3×3 kernel is larger than its input X, 2×9"),
        ({"height": 9, "width": 9, "pool": 8}, "block 1 does not fit: its 8×8 pooling window is larger than A1, 7×7"),
        (
            {"height": 11, "width": 9, "filters": (1, 1, 1), "kernel": 2},
            "block 3 does not fit: its 2×2 kernel is larger than its input P2, 2×1",
        ),
        (
            {"height": 2, "width": 9, "kernel": 5, "padding": 1},
            "block 1 does not fit: its 5×5 kernel is larger than its input X, 2×9 with padding 1",
        ),
        ({"height": 9, "width": 9, "padding": -1}, "padding is -1; it must be at least 0"),
        ({"height": 9, "width": 9, "pooling": "mean"}, "pooling is 'mean'; it is one of max, average"),
        ({"height": 9, "width": 9, "kernel": 0}, "kernel is 0; it must be at least 1"),
        ({"height": 9, "width": 9, "classes": 1}, "classes is 1; it must be at least 2"),
        ({"height": 9, "width": 9, "filters": ()}, "filters is []"),
        ({"height": 9, "width": 9, "filters": (3, 0)}, "filters is [3, 0]"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_block_and_the_shapes(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ArchitectureError) as error:
        build_chain(Architecture(**arguments))
    assert str(error.value).startswith(sentence)


def test_fresh_weights_follow_from_the_seed_and_have_the_variance_of_he() -> None:
    architecture = Architecture(28, 28, channels=3, filters=(64,), kernel=5)
    parameters = he_normal(architecture, seed=3)
    assert parameters["w1"].std() == pytest.approx((2 / 75) ** 0.5, rel=0.05)
    assert not parameters["b1"].any()
    again = he_normal(architecture, seed=3)
    assert all((parameters[name] == again[name]).all() for name in parameters)
    assert (he_normal(architecture, seed=4)["w1"] != parameters["w1"]).any()
