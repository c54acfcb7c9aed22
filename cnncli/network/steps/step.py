"""What a step of the chain is: one file for each kind holds all that is known of it, and everything else asks here.

A step is a function from its source and its parameters to its output. Traces, expansions, paths, the derivation without
numbers, kinks, checks and bounds are derived from the methods below; none of them knows a kind of step by name.

Forward and backward work on batches, (m, …), and keep the dtype; explanations work on the recorded values of one image.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.products import Products
from cnncli.network.tensors import Tensor
from cnncli.network.terms import Index, Made, Reader, Term, Values, Window


class LocalDerivative(NamedTuple):
    """The derivative of a step's output for its source as the record shows it: dA1/dZ1, dz2/dF."""

    tensor: Tensor
    formula: str
    take: Callable[..., Array]  # (source, *parameters) → the derivative
    explain: Callable[..., Made]  # (place, values) → how one entry of it was made


@dataclass(frozen=True)
class Step(ABC):
    """output = forward(source, *parameters)."""

    source: Tensor
    output: Tensor
    parameters: tuple[Tensor, ...] = ()

    kind: ClassVar[str]  # "convolution"
    signature: ClassVar[str]  # of its backward function in somebody else's code; {i} is the number of the block
    contract: ClassVar[str]  # what that function must give, in a sentence or two
    options: ClassVar[tuple[str, ...]] = ()  # numbers of the architecture that the shapes of the arrays do not tell

    @classmethod
    @abstractmethod
    def reading(cls, source: Tensor, architecture: Architecture, block: int) -> "Step":
        """The step of a block, given what it reads. Raises ArchitectureError where it does not fit."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """The equation of its output: "relu(Z1)"."""

    @property
    @abstractmethod
    def gradient_formulas(self) -> tuple[str, ...]:
        """The equations of the gradients that `backward` gives, in its order."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What it is, in a few words: "conv 3×3 + bias"."""

    @abstractmethod
    def forward(self, source: Array, *parameters: Array) -> Array:
        """The output of a batch. A parameter may bring more filters than the step has, for many copies at once."""

    @abstractmethod
    def backward(self, gradient: Array, source: Array, *parameters: Array) -> tuple[Array, ...]:
        """From dL/d(output) to dL/d(source), and dL/d of each parameter, these summed over the images."""

    @abstractmethod
    def products(self, gradient: Array, source: Array, *parameters: Array) -> tuple[Products, ...]:
        """What `backward` sums, one for each gradient that it gives."""

    @abstractmethod
    def explain(self, place: Index, values: Values) -> Made:
        """Which entries meet in one entry of the output, and how."""

    @abstractmethod
    def readers(self, name: str, place: Index, values: Values) -> Iterator[Reader]:
        """The entries of the output that read an entry of the source or of a parameter; the derivative may be 0."""

    @abstractmethod
    def explain_gradient(self, name: str, place: Index, terms: list[Term], values: Values) -> Made:
        """The gradient of an entry of the source or of a parameter; `terms` has one for each reader."""

    # What follows fits most kinds; the others say more.

    @property
    def local_derivative(self) -> LocalDerivative | None:
        """The derivative of the output for the source, where the record shows it."""
        return None

    def window_of(self, name: str, place: Index, values: Values) -> Window | None:
        """The window on whose winner an entry of the output, or of the source's gradient, depends."""
        return None

    def carry_strongest(self, gradient: Array, source: Array, *parameters: Array) -> Array:
        """The largest |derivative|·gradient over the readers of each entry of the source; `gradient` is at least 0."""
        return self.backward(gradient, source, *map(np.abs, parameters))[0]

    @property
    def with_unit_derivatives(self) -> "Step":
        """The same step with 1 for each constant derivative, so that its backward pass on indicators counts paths."""
        return self

    @property
    def reads(self) -> tuple[Tensor, ...]:
        """The source and the parameters."""
        return (self.source, *self.parameters)


class KinkedStep(Step):
    """A step that is a maximum over candidates, of which the first of equal ones wins: relu, max pooling."""

    convention: ClassVar[str]  # what happens on a kink: "relu′(0) = 0"
    selects: ClassVar[bool]  # whether the candidates are entries of the source, and not the entry itself and 0
    ties: ClassVar[Mapping[str, str]]  # the sorts of ties that `count_ties` counts, and how they are called

    @property
    def overlaps(self) -> bool:
        """Whether an entry of the source may be a candidate of several maxima."""
        return False

    @abstractmethod
    def candidates(self, source: Array) -> Array:
        """What the maximum is taken over, in a last axis: (m, …) → (m, …, candidates)."""

    @abstractmethod
    def count_ties(self, tied: NDArray[np.bool_], empty: NDArray[np.bool_]) -> dict[str, int]:
        """The units on a kink, by sort; tied where candidates are equal, empty where the output is 0 as well."""

    @abstractmethod
    def state_choice(self, name: str, place: Index, values: Values) -> Term | None:
        """An entry of a derivative with the choice that makes it, in words; None where there is none to make."""
