"""The mistakes that people make in a backward pass, each as the function that results from it.

One table for three uses: the self-test plants each into a copy of the chain, a diagnosis compares a wrong result with
what each would give, and the tests hold both.
"""

from cnncli.diagnosis.mistakes import of_convolution, of_dense, of_output, of_pooling, of_relu
from cnncli.diagnosis.mistakes.mistake import Mistake

__all__ = ["MISTAKES", "Mistake"]

MISTAKES: tuple[Mistake, ...] = (
    *of_output.MISTAKES,
    *of_dense.MISTAKES,
    *of_pooling.MISTAKES,
    *of_relu.MISTAKES,
    *of_convolution.MISTAKES,
)
