"""The mistakes that people make in a backward pass, each as the function that results from it.

One table for three uses: the self-test plants each into a copy of the chain, a diagnosis compares a wrong result with
what each would give, and the tests hold both.
"""

from cnncli.diagnosis.mistakes import of_convolution, of_dense, of_output, of_pooling, of_relu
from cnncli.diagnosis.mistakes.mistake import Mistake

__all__ = ["CONVENTIONS", "MISTAKES", "Mistake"]

MISTAKES: tuple[Mistake, ...] = (
    *of_output.MISTAKES,
    *of_dense.MISTAKES,
    *of_pooling.MISTAKES,
    *of_relu.MISTAKES,
    *of_convolution.MISTAKES,
)
CONVENTIONS: dict[str, tuple[str, Mistake | None]] = {  # of a kind of step; None for those of the project itself
    "first-max": ("max pooling", None),
    "relu0": ("relu", None),
    **{mistake.convention: (mistake.kind, mistake) for mistake in MISTAKES if mistake.convention},
}
