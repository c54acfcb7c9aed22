"""A model as one file of Python that needs NumPy and Pillow: the network written out with the note's names."""

import inspect
import runpy
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import singledispatch
from pathlib import Path
from pprint import pformat
from string import Template
from typing import Any, NamedTuple

import numpy as np

from cnncli import __version__
from cnncli.data import decoding
from cnncli.errors import UsageError
from cnncli.exporting import standalone
from cnncli.exporting.checks import Checks
from cnncli.model import Model
from cnncli.network.arrays import Array
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
from cnncli.pages.document import read_text

WRITTEN = "a Python file that needs NumPy and Pillow; python FILE IMAGE…, or its function predict(path)"
CHECKED_BY = "the file itself"
COLUMNS = 116  # of the longest lines

Function = Callable[..., Any]


class _Line(NamedTuple):
    """One line of the network, and the functions that it calls."""

    code: str
    calls: tuple[Function, ...] = ()


@singledispatch
def _write(step: Step | OutputStep) -> _Line:
    """The line of a step. Raises UsageError for a kind that has none."""
    raise UsageError(f"a network with {step.kind} cannot be exported as Python")


@_write.register
def _(step: Convolution) -> _Line:
    unusual = {"padding": (step.p, 0), "stride": (step.t, 1), "dilation": (step.d, 1)}
    given = "".join(f", {name}={number}" for name, (number, usual) in unusual.items() if number != usual)
    return _Line(f"conv({_names(step)}{given})", (standalone.conv,))


@_write.register
def _(step: Relu) -> _Line:
    return _Line(f"relu({_names(step)})", (standalone.relu,))


@_write.register
def _(step: MaxPooling) -> _Line:
    return _Line(
        f"maxpool({_names(step)}, {step.windows.s}, {step.windows.t})", (standalone.maxpool, standalone.windows)
    )


@_write.register
def _(step: AveragePooling) -> _Line:
    return _Line(
        f"avgpool({_names(step)}, {step.windows.s}, {step.windows.t})", (standalone.avgpool, standalone.windows)
    )


@_write.register
def _(step: Flatten) -> _Line:
    return _Line(f"{step.source.name}.reshape(-1)")


@_write.register
def _(step: Dense) -> _Line:
    w, b = step.parameters
    return _Line(f"{w.name} @ {step.source.name} + {b.name}")


@_write.register
def _(step: Sigmoid) -> _Line:
    z = step.source.name
    return _Line(f"np.concatenate([sigmoid(-{z}), sigmoid({z})])", (standalone.sigmoid,))


@_write.register
def _(step: Softmax) -> _Line:
    return _Line(f"softmax({step.source.name})", (standalone.softmax,))


def render(model: Model, _checks: Checks) -> bytes:
    """The file's content. Raises UsageError for a step that has no line."""
    architecture, normalisation = model.architecture, model.normalisation
    steps = [_write(step) for step in model.chain.steps]
    output = _write(model.chain.output)
    functions: list[Function] = [standalone.read_image, standalone.lay_on_background, standalone.fit]
    functions += dict.fromkeys(function for line in (*steps, output) for function in line.calls)
    functions.append(standalone.parameter)
    text = Template(read_text("cnncli.exporting", "templates/model.py.txt")).substitute(
        version=__version__,
        classes=pformat(model.classes, width=COLUMNS - 10, compact=True),
        channels=architecture.channels,
        height=architecture.height,
        width=architecture.width,
        mean=list(normalisation.mean),
        std=list(normalisation.std),
        formats=decoding.FORMATS,
        max_pixels=f"{decoding.MAX_PIXELS:_}",
        background=decoding.BACKGROUND,
        spare=decoding.SPARE,
        network="\n".join(_network(model, steps, output)),
        functions="\n\n\n".join(inspect.getsource(function).rstrip() for function in functions),
        parameters="\n".join(_parameters(model)),
    )
    return text.encode("utf-8")


def answer(content: bytes, checks: Checks) -> Array:
    """The probabilities that the file gives, for the image files themselves where there are any: (m, classes)."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.py")
        file.write_bytes(content)
        names = runpy.run_path(str(file))
    if checks.paths:
        return np.array([list(names["predict"](path).values()) for path in checks.paths])
    X = (checks.pixels / np.float32(255) - names["MEAN"]) / names["STD"]  # (m, C, H, W)
    return np.stack([names["network"](image) for image in X])


def _network(model: Model, steps: list[_Line], output: _Line) -> Iterator[str]:
    """The function that is the network, a line for each step."""
    yield "def network(X: Array) -> Array:"
    yield '    """The probability of each class for an image X (C, H, W)."""'
    for step, line in zip(model.chain.steps, steps, strict=True):
        yield f"    {step.output.name} = {line.code}  # {step.output.shape}"
    yield f"    return {output.code}"


def _parameters(model: Model) -> Iterator[str]:
    """Every parameter with its numbers in base64."""
    for name, value in model.parameters.items():
        text = b64encode(np.ascontiguousarray(value, "<f4").tobytes()).decode()
        yield f'{name} = parameter({value.shape}, """'
        yield from (text[first : first + COLUMNS] for first in range(0, len(text), COLUMNS))
        yield '""")'


def _names(step: Step) -> str:
    return ", ".join(tensor.name for tensor in step.reads)
