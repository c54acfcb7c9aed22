"""The textbook engine: the note line by line, in whatever dtype it is given.

float64 shows and checks; complex128 passes through unchanged, so that a complex step differentiates the forward pass
to machine precision. The names are the note's; `record` is the one chain that traces show and checks examine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters, Shape
from cnncli.network.convolution import conv, conv_backward
from cnncli.network.dense import dense, dense_backward
from cnncli.network.flattening import flatten, flatten_backward
from cnncli.network.output import Output, output_layer
from cnncli.network.pooling import maxpool, maxpool_backward, windows
from cnncli.network.record import Record
from cnncli.network.relu import candidates, relu, relu_backward, relu_derivative


@dataclass(frozen=True)
class BackwardFunctions:
    """The functions that the backward pass is made of; a check exchanges one for a broken one."""

    loss_backward: Callable[[Array, Labels], Array] | None = None  # (z, y) → dz; the output layer's own where None
    dense_backward: Callable[[Array, Array, Array], tuple[Array, Array, Array]] = dense_backward
    flatten_backward: Callable[[Array, Shape], Array] = flatten_backward
    maxpool_backward: Callable[[Array, Array, int], Array] = maxpool_backward
    relu_backward: Callable[[Array, Array], Array] = relu_backward
    conv_backward: Callable[[Array, Array, Array], tuple[Array, Array, Array]] = conv_backward


class Link(NamedTuple):
    """One link of the chain: output = function(source, *parameters).

    backward(source, *parameters, dL/doutput) gives dL/dsource and dL/d of each parameter.
    """

    output: str
    source: str
    parameters: tuple[str, ...]
    function: Callable[..., Array]
    formula: str
    backward: Callable[..., tuple[Array, ...]]
    candidates: Callable[[Array], Array] | None = None  # for a kinked function, which is the maximum of its candidates


class Gradients(NamedTuple):
    """What one training step needs of a batch."""

    loss: float  # L
    gradients: Parameters  # dL/d of every parameter, under the parameter's name
    logits: Array  # (m, K)


def run(links: Iterable[Link], parameters: Parameters, value: Array) -> Array:
    """Pass a value through some links of the chain, the first link's source in, the last one's output out."""
    for link in links:
        value = link.function(value, *(parameters[name] for name in link.parameters))
    return value


@dataclass(frozen=True)
class Textbook:
    """The engine of the definitions. Images are (m, C, H, W), labels (m,), parameters as in the architecture."""

    architecture: Architecture
    functions: BackwardFunctions = BackwardFunctions()

    def logits(self, parameters: Parameters, images: Array) -> Array:
        """z of the dense layer: (m, K)."""
        return run(self.links, parameters, images)

    def loss_and_gradients(self, parameters: Parameters, images: Array, labels: Labels) -> Gradients:
        """L, its derivative for every parameter, and the logits of a batch."""
        record = self.record(parameters, images, labels)
        gradients = {name: record[f"dL/d{name}"] for name in parameters}
        return Gradients(float(record["L"]), gradients, record[self.architecture.logit])

    def record(self, parameters: Parameters, images: Array, labels: Labels) -> Record:
        """Every named value of one forward and backward pass, in order (architecture.shapes, with a batch axis)."""
        record = Record()
        record.add("X", "input", images)
        record.add("y", "input", labels)
        for name in self.architecture.parameter_shapes:
            record.add(name, "parameter", parameters[name])
        self._forward(record)
        self._backward(record)
        return record

    @property
    def output(self) -> Output:
        """The functions from the logit to A and L."""
        return output_layer(self.architecture.outputs)

    @property
    def links(self) -> list[Link]:
        """The chain from X to the logit."""
        by, s, last = self.functions, self.architecture.pool, self.architecture.dense
        links = []
        for i in self.architecture.blocks:
            P = self.architecture.block_input(i)
            links += [
                Link(
                    f"Z{i}",
                    P,
                    (f"w{i}", f"b{i}"),
                    conv,
                    f"conv({P}, w{i}) + b{i}",
                    lambda X, w, _b, dZ: by.conv_backward(X, w, dZ),
                ),
                Link(f"A{i}", f"Z{i}", (), relu, f"relu(Z{i})", lambda Z, dA: (by.relu_backward(Z, dA),), candidates),
                Link(
                    f"P{i}",
                    f"A{i}",
                    (),
                    partial(maxpool, s=s),
                    f"maxpool(A{i})",
                    lambda A, dP: (by.maxpool_backward(A, dP, s),),
                    partial(windows, s=s),
                ),
            ]
        P = f"P{last - 1}"
        return [
            *links,
            Link("F", P, (), flatten, f"flatten({P})", lambda P, dF: (by.flatten_backward(dF, P.shape[1:]),)),
            Link(
                f"z{last}",
                "F",
                (f"w{last}", f"b{last}"),
                dense,
                f"w{last}·F + b{last}",
                lambda F, w, _b, dz: by.dense_backward(F, w, dz),
            ),
        ]

    def loss_backward(self, z: Array, y: Labels) -> Array:
        """dL/dz of the dense layer: (m, K)."""
        return (self.functions.loss_backward or self.output.dL_dz)(z, y)

    def _forward(self, record: Record) -> None:
        """Z1, A1, P1, …, F, z, A and L."""
        for link in self.links:
            value = link.function(record[link.source], *(record[name] for name in link.parameters))
            record.add(link.output, "forward", value, link.formula)
        z, y = record[self.architecture.logit], record["y"]
        names = {"z": self.architecture.logit, "A": self.architecture.probability}
        record.add(names["A"], "forward", self.output.probabilities(z), self.output.PROBABILITY.format(**names))
        record.add("L", "forward", self.output.losses(z, y).mean(), self.output.LOSS.format(**names))

    def _backward(self, record: Record) -> None:
        """The derivatives in the order in which the chain takes them, from L back to X."""
        self._output_backward(record)
        self.backward_from_logit(record)

    def backward_from_logit(self, record: Record) -> None:
        """Add to a record that holds dL/dz of the dense layer every derivative behind it."""
        self._dense_backward(record)
        for i in reversed(self.architecture.blocks):
            self._pool_and_relu_backward(record, i)
            self._conv_backward(record, i)

    def _output_backward(self, record: Record) -> None:
        z, y = record[self.architecture.logit], record["y"]
        names = {"z": self.architecture.logit, "A": self.architecture.probability}
        derivatives = (
            ("dL/d{A}", self.output.dL_dA(z, y), self.output.DL_DA),
            ("d{A}/d{z}", self.output.dA_dz(z), self.output.DA_DZ),
            ("dL/d{z}", self.loss_backward(z, y), self.output.DL_DZ),
        )
        for name, value, formula in derivatives:
            record.add(name.format(**names), "gradient", value, formula.format(**names))

    def _dense_backward(self, record: Record) -> None:
        last = self.architecture.dense
        w, z = f"w{last}", f"z{last}"
        dF, dw, db = self.functions.dense_backward(record["F"], record[w], record[f"dL/d{z}"])
        record.add(f"dL/d{w}", "gradient", dw, f"dL/d{z} · Fᵀ")
        record.add(f"dL/db{last}", "gradient", db, f"dL/d{z}")
        record.add(f"d{z}/dF", "gradient", record[w], w)
        record.add("dL/dF", "gradient", dF, f"{w}ᵀ · dL/d{z}")
        P = f"P{last - 1}"
        value = self.functions.flatten_backward(dF, record[P].shape[1:])
        record.add(f"dL/d{P}", "gradient", value, f"reshape(dL/dF, {P}.shape)")

    def _pool_and_relu_backward(self, record: Record, i: int) -> None:
        dA = self.functions.maxpool_backward(record[f"A{i}"], record[f"dL/dP{i}"], self.architecture.pool)
        record.add(f"dL/dA{i}", "gradient", dA, f"dL/dP{i} at each window's first maximum, else 0")
        Z = record[f"Z{i}"]
        record.add(f"dA{i}/dZ{i}", "gradient", relu_derivative(Z), f"1 where Z{i} > 0, else 0")
        record.add(f"dL/dZ{i}", "gradient", self.functions.relu_backward(Z, dA), f"dL/dA{i} · dA{i}/dZ{i}")

    def _conv_backward(self, record: Record, i: int) -> None:
        P = self.architecture.block_input(i)
        dP, dw, db = self.functions.conv_backward(record[P], record[f"w{i}"], record[f"dL/dZ{i}"])
        record.add(f"dL/dw{i}", "gradient", dw, f"conv({P}, dL/dZ{i})")
        record.add(f"dL/db{i}", "gradient", db, f"Σ dL/dZ{i}")
        record.add(f"dL/d{P}", "gradient", dP, f"full conv of dL/dZ{i} with w{i} turned by 180°")
