"""The record of one forward and backward pass: every named value in order, each with the formula that made it."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnncli.network.arrays import Array
from cnncli.network.tensors import Kind, Tensor


@dataclass(frozen=True)
class Recorded:
    """One value of the chain; `formula` says how it was made and is empty for inputs."""

    tensor: Tensor
    formula: str
    value: Array
    part: tuple[int | None, ...] = ()  # the indices at which one filter or channel was taken; None where all are left

    @property
    def name(self) -> str:
        """The note's name, "dL/dw1"; a part is named as it would be indexed, "w1[:,0]"."""
        places = ",".join(":" if place is None else str(place) for place in self.part)
        return f"{self.tensor.name}[{places}]" if places else self.tensor.name

    @property
    def kind(self) -> Kind:
        """The part of the record that it stands in."""
        return self.tensor.kind


class Record:
    """The values in the order in which they were computed, found by the note's names: record["dL/dw1"]."""

    def __init__(self) -> None:
        self._values: dict[str, Recorded] = {}

    def add(self, tensor: Tensor, value: Array, formula: str = "") -> None:
        """Append one value."""
        self._values[tensor.name] = Recorded(tensor, formula, value)

    def __getitem__(self, name: str) -> Array:
        return self._values[name].value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self._values.values())
