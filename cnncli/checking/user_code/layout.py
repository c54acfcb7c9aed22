"""How somebody else's arrays are laid out, stated once in the file; ours are (m, C, H, W), (N, C, k, k), (N,), (K, D).

LAYOUT = "NHWC": images and values are (m, H, W, C). KERNEL = "kkCN": the order of the axes of w1. DENSE = "DK": w2 is
(D, K). BIAS = (-1, 1): the shape of a bias. F is P1 row by row in the order of LAYOUT.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnncli.errors import DataError
from cnncli.network.arrays import Array
from cnncli.network.tensors import Shape, Tensor

DEFAULTS: dict[str, Any] = {"LAYOUT": "NCHW", "KERNEL": "NCkk", "DENSE": "KD", "BIAS": (-1,)}
KERNEL_LETTERS = str.maketrans({"O": "N", "I": "C", "H": "k", "W": "k"})  # as other programs call them: OIHW


@dataclass(frozen=True)
class Layout:
    """The orders of axes, each as the places of our axes in theirs."""

    images: tuple[int, ...] = (0, 1, 2, 3)
    kernels: tuple[int, ...] = (0, 1, 2, 3)
    dense: tuple[int, ...] = (0, 1)
    bias: tuple[int, ...] = (-1,)

    @classmethod
    def stated(cls, constants: Mapping[str, Any], path: object) -> "Layout":
        """What a file's constants say. Raises DataError for an order that is none."""
        chosen = DEFAULTS | dict(constants)
        kernel = str(chosen["KERNEL"]).translate(KERNEL_LETTERS)
        _refuse_other(path, "LAYOUT", chosen["LAYOUT"], "NCHW", "NHWC")
        _refuse_other(path, "DENSE", chosen["DENSE"], "KD", "DK")
        if sorted(kernel) != sorted("NCkk"):
            raise DataError(f"{path}: KERNEL is {chosen['KERNEL']!r}; it is an order of N, C, k and k, such as 'kkCN'")
        bias = chosen["BIAS"]
        if not isinstance(bias, tuple) or sorted(bias) != [-1, *[1] * (len(bias) - 1)]:
            raise DataError(f"{path}: BIAS is {bias!r}; it is a shape such as (-1, 1), with one -1 and else 1")
        order = {"NCkk": (0, 1, 2, 3)}.get(kernel) or _find_order(kernel)
        images = (0, 1, 2, 3) if chosen["LAYOUT"] == "NCHW" else (0, 2, 3, 1)
        return cls(images, order, (0, 1) if chosen["DENSE"] == "KD" else (1, 0), bias)

    def give(self, array: Array, tensor: Tensor, grid: Shape) -> Array:
        """An array of ours as theirs; `grid` is the shape of P (N, p, q), which F is made of."""
        if tensor.axes == "KD":
            return np.ascontiguousarray(array[:, self._flat(grid)].transpose(self.dense))
        if tensor.axes == "D":
            return array[:, self._flat(grid)]
        if tensor.role == "bias":
            return array.reshape(self.bias)
        order = self._order(tensor)
        return np.ascontiguousarray(array.transpose(order)) if order else array

    def take(self, array: Array, tensor: Tensor, grid: Shape) -> Array:
        """An array of theirs as ours; one that has not as many axes as it should is left as it is."""
        if tensor.role == "bias":
            return (
                array.reshape(-1)
                if self.bias != (-1,) and sorted(array.shape)[:-1] == [1] * (array.ndim - 1)
                else array
            )
        order = self._order(tensor)
        if tensor.axes not in ("KD", "D"):
            return (
                array.transpose([order.index(axis) for axis in range(len(order))])
                if order and array.ndim == len(order)
                else array
            )
        if array.ndim != 2:
            return array
        ours = array.transpose(self.dense) if tensor.axes == "KD" else array
        flat = np.argsort(self._flat(grid))
        return ours[:, flat] if ours.shape[1] == len(flat) else ours

    def give_shape(self, shape: Shape) -> Shape:
        """The shape of a value without its batch axis."""
        return tuple(shape[axis - 1] for axis in self.images[1:])

    def _order(self, tensor: Tensor) -> tuple[int, ...] | None:
        if len(tensor.axes) == 4:
            return self.kernels
        return self.images if len(tensor.axes) == 3 else None

    def _flat(self, grid: Shape) -> Array:
        """Our places in F in the order of theirs."""
        order = [axis - 1 for axis in self.images[1:]]
        places: Array = np.arange(int(np.prod(grid))).reshape(grid).transpose(order).ravel()
        return places


def _find_order(kernel: str) -> tuple[int, ...]:
    ours, order = list("NCkk"), []
    for letter in kernel:
        place = ours.index(letter)
        order.append(place)
        ours[place] = ""
    return tuple(order)


def _refuse_other(path: object, name: str, value: object, *allowed: str) -> None:
    if value not in allowed:
        raise DataError(f"{path}: {name} is {value!r}; it is one of {', '.join(allowed)}")
