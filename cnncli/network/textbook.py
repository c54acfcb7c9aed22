"""The textbook engine: the chain run forwards and walked back, in whatever dtype it is given.

float64 shows and checks; complex128 passes through unchanged, so that a complex step differentiates the forward pass
to machine precision. The names are the note's; `record` is the one chain that traces show and checks examine.
"""

from collections.abc import Iterable
from itertools import accumulate

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import Chain, build_chain
from cnncli.network.engine import Engine, Gradients
from cnncli.network.record import Record
from cnncli.network.steps.step import Step


class Textbook(Engine):
    """The engine of the definitions. X is (m, C, H, W), y (m,), the parameters are as in the architecture."""

    name = "textbook"

    def __init__(self, architecture: Architecture, chain: Chain | None = None) -> None:
        """`chain` is that of the architecture, or one with exchanged backward functions."""
        super().__init__(architecture)
        self.chain = chain or build_chain(architecture)

    def logits(self, parameters: Parameters, X: Array) -> Array:
        """z of the dense layer: (m, K)."""
        return run(self.chain.steps, parameters, X)

    def sum_lane(
        self, parameters: Parameters, X: Array, y: Labels, m: int, smoothing: float, weights: Array
    ) -> Gradients:
        """What some images add to the loss of a batch of m and to its derivatives, and their logits."""
        steps = self.chain.steps
        read = [[parameters[tensor.name] for tensor in step.parameters] for step in steps]
        *sources, z = accumulate(
            zip(steps, read, strict=True), lambda value, at: at[0].forward(value, *at[1]), initial=X
        )
        losses = self.chain.output.losses(z, y, smoothing)
        gradient = self.chain.loss_backward(z, y, smoothing) * (weights[:, None] * len(X) / m).astype(z.dtype)
        found: Parameters = {}
        for step, source, of_step in zip(reversed(steps), reversed(sources), reversed(read), strict=True):
            gradient, *of_parameters = self.chain.backward(step, gradient, source, *of_step)
            found |= {tensor.name: value for tensor, value in zip(step.parameters, of_parameters, strict=True)}
        return Gradients(float((weights * losses).sum() / m), found, z)

    def cut(self, m: int) -> list[int]:
        """One lane: no sum is made but those of the definitions."""
        return [0, m]

    def record(self, parameters: Parameters, X: Array, y: Labels) -> Record:
        """Every named value of one forward and backward pass, in the order of chain.tensors, with a batch axis."""
        record = Record()
        given = {"X": X, "y": y, **parameters}
        for name, tensor in self.chain.tensors.items():
            if name in given:
                record.add(tensor, given[name])
        self._run_forward(record)
        self._walk_back(record)
        return record

    def _run_forward(self, record: Record) -> None:
        """Z1, A1, P1, …, F, z, A and L."""
        for step in self.chain.steps:
            record.add(step.output, step.forward(*(record[read.name] for read in step.reads)), step.formula)
        output = self.chain.output
        z = record[output.source.name]
        values = output.forward(z), output.losses(z, record["y"]).mean()
        for (tensor, formula), value in zip(output.values, values, strict=True):
            record.add(tensor, value, formula)

    def _walk_back(self, record: Record) -> None:
        """The derivatives in the order in which the chain takes them, from L back to X."""
        output = self.chain.output
        z, y = record[output.source.name], record["y"]
        derivatives = output.dL_dA(z, y), output.dA_dz(z), self.chain.loss_backward(z, y)
        for (tensor, formula), value in zip(output.derivatives, derivatives, strict=True):
            record.add(tensor, value, formula)
        for step in reversed(self.chain.steps):
            read = [record[tensor.name] for tensor in step.reads]
            gradients = self.chain.backward(step, record[step.output.gradient.name], *read)
            (source, value, formula), *parameters = zip(step.reads, gradients, step.gradient_formulas, strict=True)
            for parameter, gradient, equation in parameters:
                record.add(parameter.gradient, gradient, equation)
            if derivative := step.local_derivative:
                record.add(derivative.tensor, derivative.take(*read), derivative.formula)
            record.add(source.gradient, value, formula)


def run(steps: Iterable[Step], parameters: Parameters, value: Array) -> Array:
    """Pass a value through some steps of the chain, the first one's source in, the last one's output out."""
    for step in steps:
        value = step.forward(value, *(parameters[tensor.name] for tensor in step.parameters))
    return value
