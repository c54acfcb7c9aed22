"""What a picture makes of a matrix."""

import numpy as np

from cnncli.reports.trace.tiles import shrink


def test_a_square_of_numbers_is_shown_by_the_strongest_of_either_sign() -> None:
    matrix = np.array([[1.0, -3.0, 0.5], [2.0, 0.0, 0.0]])
    assert shrink(matrix, 2).tolist() == [[-3, 0.5]]
    assert shrink(matrix, 3) is matrix
