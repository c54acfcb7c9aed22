"""The output layer, from the logit to A and L: a sigmoid for two classes, a softmax for more."""

from typing import Protocol

import numpy as np

from cnncli.network import sigmoid_output, softmax_output
from cnncli.network.arrays import Array, Labels


class Output(Protocol):
    """What both kinds answer. The formulas have the places {z} and {A} for the names of the dense layer."""

    PROBABILITY: str
    LOSS: str
    DL_DA: str
    DA_DZ: str
    DL_DZ: str

    def probabilities(self, z: Array, /) -> Array:
        """A: (m, K) → (m, K)."""

    def losses(self, z: Array, y: Labels, /) -> Array:
        """The loss of each image, from the logits: (m, K), (m,) → (m,)."""

    def dL_dA(self, z: Array, y: Labels, /) -> Array:
        """dL/dA for the mean loss: (m, K)."""

    def dA_dz(self, z: Array, /) -> Array:
        """dA/dz: (m, 1) for the sigmoid, (m, K, K) for the softmax."""

    def dL_dz(self, z: Array, y: Labels, /) -> Array:
        """dL/dz for the mean loss: (m, K)."""


def output_layer(outputs: int) -> Output:
    """The output layer for K outputs: one is a sigmoid, more are a softmax."""
    return sigmoid_output if outputs == 1 else softmax_output


def class_probabilities(z: Array) -> Array:
    """The probability of every class: logits (m, K) → (m, classes), the first class first."""
    if z.shape[1] == 1:
        return np.concatenate([sigmoid_output.probabilities(-z), sigmoid_output.probabilities(z)], axis=1)
    return softmax_output.probabilities(z)


def predicted(z: Array) -> Labels:
    """The most probable class of each image, of equals the first: logits (m, K) → (m,)."""
    label: Labels = class_probabilities(z).argmax(axis=1)
    return label
