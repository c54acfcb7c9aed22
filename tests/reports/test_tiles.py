"""What a picture makes of a trace, and of a matrix."""

import numpy as np
import pytest

from cnncli import api
from cnncli.network.steps.max_pooling import MaxPooling
from cnncli.reports.trace.panels import label_tiles
from cnncli.reports.trace.tiles import shrink, tile_rows


def test_a_square_of_numbers_is_shown_by_the_strongest_of_either_sign() -> None:
    matrix = np.array([[1.0, -3.0, 0.5], [2.0, 0.0, 0.0]])
    assert shrink(matrix, 2).tolist() == [[-3, 0.5]]
    assert shrink(matrix, 3) is matrix


def test_all_values_become_tiles_in_which_every_number_stands_once() -> None:
    for options in ({}, {"filters": (3, 9), "classes": 4, "image_size": 16}):
        trace = api.trace(**options)  # type: ignore[arg-type]
        rows = {row.name: row for row in tile_rows(trace, trace, vectors=True)}
        assert rows.keys() == trace.chain.tensors.keys()
        for name, row in rows.items():
            numbers = np.concatenate([tile.ravel() for tile in row.tiles])
            np.testing.assert_array_equal(np.sort(numbers), np.sort(trace[name].ravel()), err_msg=name)


def test_a_filter_that_is_dead_is_said_to_be() -> None:
    trace = api.trace(filters=(2,), image_size=28)
    trace.values["A1"][1] = 0
    (row,) = tile_rows(trace, trace.only(["A1"]))
    assert label_tiles(row, row.tiles, numbered=False) == ["[0]", "[1] all 0"]
    assert label_tiles(row, row.tiles, numbered=True) == ["[0]", "[1]"]


def test_the_winners_of_a_tensor_are_looked_for_once_however_many_filters_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace = api.trace(filters=(64,), image_size=12)
    calls: list[tuple[int, ...]] = []
    backward = MaxPooling.backward

    def count(self: MaxPooling, gradient: np.ndarray, *read: np.ndarray) -> tuple[np.ndarray, ...]:
        calls.append(gradient.shape)
        return backward(self, gradient, *read)

    monkeypatch.setattr(MaxPooling, "backward", count)
    rows = {row.name: row for row in tile_rows(trace, trace)}
    assert calls == [(1, 64, 5, 5)] * len([row for row in rows.values() if row.winners])
    assert sorted(name for name, row in rows.items() if row.winners) == ["A1", "dL/dA1"]
    assert [winners.sum() for winners in rows["A1"].winners] == [25] * 64
