"""What trains: anything that tells the loss of a batch and its derivative for every parameter."""

from typing import NamedTuple, Protocol

from cnncli.network.arrays import Array, Labels, Parameters


class Gradients(NamedTuple):
    """What one training step needs of a batch."""

    loss: float  # L
    gradients: Parameters  # dL/d of every parameter, under the parameter's name
    logits: Array  # (m, K)


class Engine(Protocol):
    """The signature that all engines share. X is (m, C, H, W), y (m,), the parameters are as in the architecture."""

    name: str  # "fused engine"

    def logits(self, parameters: Parameters, X: Array) -> Array:
        """z of the dense layer: (m, K)."""

    def loss_and_gradients(self, parameters: Parameters, X: Array, y: Labels) -> Gradients:
        """L, dL/d of every parameter under its name, and the logits."""
