"""The check of the numpy engine: it passes a right one, and sees each kind of wrong one."""

from collections.abc import Callable

import numpy as np
import pytest

from cnncli.checking.agreement import compare_engine, join
from cnncli.data.decoding import decode
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.initialisation import he_normal
from cnncli.network.numpy_engine.block import Block
from cnncli.network.numpy_engine.chunk import Chunk, Weights
from cnncli.network.numpy_engine.engine import NumpyEngine
from cnncli.subject.subject import Subject
from tests.conftest import SAMPLE_DATA

ARCHITECTURE = Architecture(14, 13, filters=(4, 3))


def passes(architecture: Architecture = ARCHITECTURE) -> bool:
    random = np.random.default_rng(3)
    X = random.normal(size=(9, architecture.channels, architecture.height, architecture.width))
    y = random.integers(0, architecture.classes, 9)
    subject = Subject(architecture, he_normal(architecture, 3), ("",) * architecture.classes, X, y, ("",) * 9, "")
    engine = NumpyEngine(architecture)
    row = join("numpy engine", compare_engine(engine, subject))
    assert row.computed.shape == row.textbook.shape == row.bound.shape == (build_chain(architecture).parameter_count,)
    return row.passed


def test_the_right_engine_passes() -> None:
    assert passes()
    assert passes(Architecture(14, 13, 2, (4, 3), 2, 3, 5))


def test_real_images_with_flat_backgrounds_pass() -> None:
    files = sorted((SAMPLE_DATA / "fashion").rglob("*.png"))[::7]
    X = np.stack([decode(file) for file in files]) / 255 - 0.3
    architecture = Architecture(X.shape[2], X.shape[3], X.shape[1], (8, 16))
    parameters = {name: value + 0.01 * name.startswith("b") for name, value in he_normal(architecture, 0).items()}
    y = np.arange(len(X)) % 2
    subject = Subject(architecture, parameters, ("0", "1"), X, y, ("",) * len(y), "")
    for agreement in compare_engine(NumpyEngine(architecture), subject):
        assert agreement.passed, agreement.name


def nan_where(gradients: list[Array]) -> None:
    gradients[2][0] = np.nan


def one_entry_off(gradients: list[Array]) -> None:
    gradients[2].flat[5] *= 1.001


def without_the_last_bias(gradients: list[Array]) -> None:
    gradients[-1][...] = 0


@pytest.mark.parametrize("spoil", [nan_where, one_entry_off, without_the_last_bias])
def test_a_wrong_gradient_fails(spoil: Callable[[list[Array]], None], monkeypatch: pytest.MonkeyPatch) -> None:
    right = Chunk.backward

    def wrong(self: Chunk, weights: Weights, dz: Array) -> list[Array]:
        gradients = right(self, weights, dz)
        spoil(gradients)
        return gradients

    monkeypatch.setattr(Chunk, "backward", wrong)
    assert not passes()


def test_a_gradient_that_goes_to_another_place_of_the_window_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Block.backward

    def wrong(self: Block, dP: Array) -> tuple[Array, Array]:
        self.row_leads[0, 0] ^= True
        return right(self, dP)

    monkeypatch.setattr(Block, "backward", wrong)
    assert not passes()
