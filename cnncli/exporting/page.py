"""A model as a web page that answers for the images that are dropped on it: one file, which works offline.

The page cannot be run here. It brings images with Python's own numbers, and holds itself against them when opened.
"""

import tempfile
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from cnncli import __version__
from cnncli.errors import UsageError
from cnncli.exporting.checks import Checks
from cnncli.exporting.tolerance import TOLERANCE
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
from cnncli.pages.document import embed_json, read_text, write_document

WRITTEN = "a page for any browser: drop images on it"
CHECKED_BY = "the page itself, when it is opened"
IMAGES = 4  # of the checks that go with the page
FILES = ((47, 61), (9, 5))  # sizes of files that go with it, so that it checks its decoding too
SCRIPTS = ("network.js", "decoding.js", "page.js")


# The expression of a step in the script. {reads} is what it reads: its source and its parameters.
EXPRESSIONS: Mapping[type[Step | OutputStep], str] = {
    Convolution: "conv({reads}, {step.p}, {step.t}, {step.d})",
    Relu: "relu({reads})",
    MaxPooling: "maxpool({reads}, {step.windows.s}, {step.windows.t})",
    AveragePooling: "avgpool({reads}, {step.windows.s}, {step.windows.t})",
    Flatten: "flatten({reads})",
    Dense: "dense({reads})",
    Sigmoid: "sigmoid({reads})",
    Softmax: "softmax({reads})",
}


def render(model: Model, checks: Checks) -> bytes:
    """The file's content. Raises UsageError for a step that has no expression."""
    body = Template(_read("body.html")).substitute(
        classes=escape(f"The classes are {', '.join(model.classes)}."),
        network=escape(
            f"The network: {model.architecture.summary}; {model.chain.parameter_count:,} parameters. "
            f"Exported by cnncli {__version__}."
        ),
        size=f"{model.architecture.height}×{model.architecture.width} {_colours(model)}",
        normalisation="X = (pixel/255 − mean)/std",
    )
    script = "\n".join([*map(_read, SCRIPTS[:2]), _network(model), _read(SCRIPTS[2])])
    page = write_document(
        "Which class is it?",
        body + embed_json("model", _document(model, checks)),
        style=_read("page.css"),
        script=script,
    )
    return page.encode("utf-8")


def answer(_content: bytes, _checks: Checks) -> Array | None:
    """None: there is no browser here."""
    return None


def _network(model: Model) -> str:
    """The function that is the network, a line for each step."""
    chain = model.chain
    lines = [f"  const {step.output.name} = {_write(step)};" for step in chain.steps]
    head = f"function network({chain.image.name}, {{ {', '.join(chain.parameters)} }}) {{"
    return "\n".join([head, *lines, f"  return {_write(chain.output)};", "}\n"])


def _write(step: Step | OutputStep) -> str:
    """The expression of a step. Raises UsageError for a kind that has none."""
    if type(step) not in EXPRESSIONS:
        raise UsageError(f"a network with {step.kind} cannot be exported as a page")
    reads = step.reads if isinstance(step, Step) else (step.source,)
    return EXPRESSIONS[type(step)].format(step=step, reads=", ".join(tensor.name for tensor in reads))


def _document(model: Model, checks: Checks) -> dict[str, Any]:
    """Everything that the script reads."""
    architecture = model.architecture
    parameters = {
        name: {"shape": value.shape, "data": _base64(np.ascontiguousarray(value, "<f4"))}
        for name, value in model.parameters.items()
    }
    images = [
        {"pixels": _base64(pixels), "probabilities": probabilities.tolist()}
        for pixels, probabilities in zip(checks.pixels[:IMAGES], checks.probabilities[:IMAGES], strict=True)
    ]
    return {
        "classes": model.classes,
        "channels": architecture.channels,
        "height": architecture.height,
        "width": architecture.width,
        "mean": model.normalisation.mean,
        "std": model.normalisation.std,
        "tolerance": TOLERANCE,
        "parameters": parameters,
        "checks": images + [_check_file(model, height, width) for height, width in FILES],
    }


def _check_file(model: Model, height: int, width: int) -> dict[str, Any]:
    """A PNG file of smooth colours with what Python makes of it."""
    i, j = np.mgrid[0:height, 0:width]
    waves = [np.sin(i / 3 + j / 5), np.cos(i / 7 - j / 2), np.sin(i * j / 40)]
    colours = (127.5 + 127.5 * np.stack(waves, axis=-1)).astype(np.uint8)  # (height, width, 3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "check.png")
        Image.fromarray(colours).save(path)
        pixels = model.pixels(path)
        file = path.read_bytes()
    probabilities = model.chain.output.class_probabilities(model.logits(pixels[None]))[0]
    return {
        "file": b64encode(file).decode(),
        "pixels": _base64(pixels),
        "probabilities": probabilities.tolist(),
    }


def _base64(array: Array) -> str:
    return b64encode(array.tobytes()).decode()


def _read(name: str) -> str:
    return read_text("cnncli.exporting", f"templates/{name}")


def _colours(model: Model) -> str:
    return "gray" if model.architecture.channels == 1 else "RGB"
