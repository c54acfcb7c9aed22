"""What the arrays of the chain are: names, roles, axes, shapes. No numbers, so NumPy is not imported."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Shape = tuple[int, ...]
Role = Literal["image", "label", "weight", "bias", "value", "gradient"]
Kind = Literal["input", "parameter", "forward", "gradient"]

KINDS: dict[Role, Kind] = {
    "image": "input",
    "label": "input",
    "weight": "parameter",
    "bias": "parameter",
    "value": "forward",
    "gradient": "gradient",
}


@dataclass(frozen=True)
class Tensor:
    """One array of the chain, as it is for one image.

    `axes` has a letter for each axis: C channels, H×W pixels, N filters, k×k kernel, h×w positions, p×q windows,
    D numbers after flatten, K outputs.
    """

    name: str  # "Z1", "dL/dZ1"
    role: Role
    axes: str
    shape: Shape
    block: int  # 1 … B, and B + 1 for the dense layer; 0 for the image and its label
    fraction: "tuple[Tensor, Tensor] | None" = None  # of a derivative, what stands above and below: L and Z1

    @classmethod
    def derivative(cls, above: "Tensor", below: "Tensor", *, like: "Tensor") -> "Tensor":
        """d(above)/d(below), in the shape of another tensor."""
        return cls(f"d{above.name}/d{below.name}", "gradient", like.axes, like.shape, like.block, (above, below))

    @property
    def kind(self) -> Kind:
        """The part of a record that it stands in."""
        return KINDS[self.role]

    @property
    def is_parameter(self) -> bool:
        """Whether all images share it, so that it has no batch axis."""
        return self.kind == "parameter"

    @cached_property
    def gradient(self) -> "Tensor":
        """The derivative of L for it: dL/dZ1 for Z1, of the same shape."""
        return Tensor.derivative(LOSS, self, like=self)


LOSS = Tensor("L", "value", "", (), 0)
