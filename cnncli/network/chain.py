"""The chain: the list of steps that an architecture means. Names, shapes and their order follow from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain as join
from math import prod
from typing import Any

from cnncli.network.architecture import Architecture, Pooling
from cnncli.network.arrays import Array, Labels
from cnncli.network.steps.average_pooling import AveragePooling
from cnncli.network.steps.convolution import Convolution
from cnncli.network.steps.dense import Dense
from cnncli.network.steps.flatten import Flatten
from cnncli.network.steps.max_pooling import MaxPooling
from cnncli.network.steps.output_step import OutputStep
from cnncli.network.steps.relu import Relu
from cnncli.network.steps.sigmoid import Sigmoid
from cnncli.network.steps.softmax import Softmax
from cnncli.network.steps.step import Step
from cnncli.network.tensors import Shape, Tensor

Backward = Callable[..., Any]  # (step, gradient, source, *parameters) → as step.backward; (step, z, y) → as dL_dz

POOLINGS: dict[Pooling, type[Step]] = {"max": MaxPooling, "average": AveragePooling}


@dataclass(frozen=True)
class Chain:
    """The steps from X to the logit, and the output step behind them.

    `exchanged` are backward functions by the kind of step, which a check puts in the place of the right ones.
    """

    image: Tensor
    steps: tuple[Step, ...]
    output: OutputStep
    exchanged: Mapping[str, Backward] = field(default_factory=dict)

    @property
    def logit(self) -> Tensor:
        """z of the dense layer."""
        return self.output.source

    @cached_property
    def parameters(self) -> dict[str, Tensor]:
        """w1, b1, …, w{B+1}, b{B+1}."""
        return _by_name(join.from_iterable(step.parameters for step in self.steps))

    @cached_property
    def parameter_shapes(self) -> dict[str, Shape]:
        """The shape of every parameter, in order."""
        return {name: tensor.shape for name, tensor in self.parameters.items()}

    @cached_property
    def parameter_count(self) -> int:
        """How many numbers the network learns."""
        return sum(map(prod, self.parameter_shapes.values()))

    @cached_property
    def forward(self) -> dict[str, Tensor]:
        """Every value of the forward pass, in order: Z1, A1, P1, …, F, z, A, L."""
        return _by_name([*(step.output for step in self.steps), *(tensor for tensor, _ in self.output.values)])

    @cached_property
    def derivatives(self) -> dict[str, Tensor]:
        """Every derivative, in the order in which they are taken."""
        tensors = [tensor for tensor, _ in self.output.derivatives]
        for step in reversed(self.steps):
            tensors += [parameter.gradient for parameter in step.parameters]
            tensors += [step.local_derivative.tensor] if step.local_derivative else []
            tensors.append(step.source.gradient)
        return _by_name(tensors)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Everything that a record of one pass holds, in the order of computation."""
        given = [self.image, Tensor("y", "label", "", (), 0), *self.parameters.values()]
        return _by_name(given) | self.forward | self.derivatives

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every tensor, for one image."""
        return {name: tensor.shape for name, tensor in self.tensors.items()}

    @cached_property
    def gradients(self) -> dict[str, Tensor]:
        """The tensors whose gradients a backward pass gives, in its order: the logit first, X last."""
        tensors = [self.logit]
        for step in reversed(self.steps):
            tensors += [*step.parameters, step.source]
        return _by_name(tensors)

    @cached_property
    def makers(self) -> dict[str, Step]:
        """The step that makes each value."""
        return {step.output.name: step for step in self.steps}

    @cached_property
    def readers(self) -> dict[str, Step]:
        """The step that reads each value and each parameter."""
        return {tensor.name: step for step in self.steps for tensor in step.reads}

    def backward(self, step: Step, gradient: Array, source: Array, *parameters: Array) -> tuple[Array, ...]:
        """step.backward, or what is in its place."""
        if step.kind in self.exchanged:
            gradients: tuple[Array, ...] = self.exchanged[step.kind](step, gradient, source, *parameters)
            return gradients
        return step.backward(gradient, source, *parameters)

    def loss_backward(self, z: Array, y: Labels, smoothing: float = 0.0) -> Array:
        """dL/dz of the output step, or what is in its place, which knows of no smoothing."""
        if self.output.kind in self.exchanged:
            gradient: Array = self.exchanged[self.output.kind](self.output, z, y)
            return gradient
        return self.output.dL_dz(z, y, smoothing)


@lru_cache
def build_chain(architecture: Architecture) -> Chain:
    """The chain of an architecture. Raises ArchitectureError for a block that does not fit what it reads."""
    image = Tensor("X", "image", "CHW", (architecture.channels, architecture.height, architecture.width), 0)
    of_block = (Convolution, Relu, POOLINGS[architecture.pooling])
    dense = len(architecture.blocks) + 1
    kinds = [(kind, block) for block in architecture.blocks for kind in of_block]
    kinds += [(Flatten, dense), (Dense, dense)]
    steps: list[Step] = []
    tensor = image
    for kind, block in kinds:
        steps.append(kind.reading(tensor, architecture, block))
        tensor = steps[-1].output
    output: type[OutputStep] = Sigmoid if architecture.outputs == 1 else Softmax
    return Chain(image, tuple(steps), output.reading(tensor, architecture, dense))


def vary(architecture: Architecture) -> dict[str, Architecture]:
    """The same network with another kind of step in a place of it, by that kind."""
    return {
        kind.kind: replace(architecture, pooling=name)
        for name, kind in POOLINGS.items()
        if name != architecture.pooling
    }


def _by_name(tensors: Iterable[Tensor]) -> dict[str, Tensor]:
    return {tensor.name: tensor for tensor in tensors}
