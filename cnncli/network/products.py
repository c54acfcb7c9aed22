"""A gradient as a sum of products: which numbers meet, before they are summed and put into their places."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from cnncli.network.arrays import Array, Labels
from cnncli.network.tensors import Shape

AXES = {
    "m": "image",
    "n": "filter",
    "c": "channel",
    "i": "row",
    "j": "column",
    "r": "row",
    "s": "column",
    "u": "kernel row",
    "v": "kernel column",
    "a": "place of the window",
    "k": "output",
    "d": "entry of F",
}


def name_several(letter: str) -> str:
    """What an axis counts: "images", "entries of F"."""
    first, space, rest = AXES[letter].partition(" of ")
    plural = {"entry": "entries"}.get(first, f"{first}s")
    return f"{plural}{space}{rest}"


@dataclass(frozen=True)
class Products:
    """The einsum of some operands, whose letters are those of AXES, and what becomes of it.

    Its last axes, as many as `places` has, are added up at the flat places that it gives (-1: nowhere); without places
    it only takes the shape of the gradient. The first operand is the gradient that the step is given.
    """

    subscripts: str  # "mnij,mcijuv->ncuv"
    names: tuple[str, ...]  # of the operands: "dL/dZ1", "X"
    operands: tuple[Array, ...]
    axes: str  # of the gradient that comes out: "ncuv"
    shape: Shape
    places: Labels | None = None

    @property
    def letters(self) -> list[str]:
        """The axes of each operand."""
        return self.subscripts.partition("->")[0].split(",")

    @property
    def made(self) -> str:
        """The axes of the products once they are summed, before they are put into their places."""
        return self.subscripts.partition("->")[2]

    @property
    def summed(self) -> str:
        """The axes that the sum runs over."""
        return "".join(dict.fromkeys(letter for letter in "".join(self.letters) if letter not in self.made))

    def total(self) -> Array:
        """The gradient."""
        return self.place(self.sum_products())

    def sum_products(self) -> Array:
        """The einsum alone."""
        products: Array = np.einsum(self.subscripts, *self.operands)
        return products

    def unsummed(self, axes: str) -> Array:
        """The products with some of the summed axes left, these last."""
        left = self.subscripts.partition("->")[0]
        products: Array = np.einsum(f"{left}->{self.made}{axes}", *self.operands)
        return products

    def place(self, products: Array) -> Array:
        """Put the summed products into the shape of the gradient."""
        if self.places is None:
            return products.reshape(self.shape)
        rows, size = prod(self.shape[:2]), prod(self.shape[2:]) + 1  # the last place is nowhere
        places = np.arange(rows)[:, None] * size + self.places.ravel() % size
        gradient: Array = np.bincount(places.ravel(), products.ravel(), rows * size).reshape(rows, size)
        return gradient[:, :-1].reshape(self.shape)

    def overwrite(self, products: Array, order: Sequence[int]) -> Array:
        """As `place`, but with = for +=: of the products that meet the last stays, in an order of the axes."""
        places = np.zeros(0, np.intp) if self.places is None else self.places
        gradient = np.zeros((prod(self.shape[:2]), prod(self.shape[2:]) + 1))
        flat = products.reshape(len(gradient), *places.shape).transpose(0, *(axis + 1 for axis in order))
        gradient[:, places.transpose(order).ravel()] = flat.reshape(len(gradient), -1)
        return gradient[:, :-1].reshape(self.shape)

    def exchange(self, which: int, operand: Array) -> "Products":
        """The same with another array in the place of an operand."""
        operands = (*self.operands[:which], operand, *self.operands[which + 1 :])
        return replace(self, operands=operands)
