"""A model as ONNX: an image of bytes in, the probability of each class out, the normalisation inside.

The version is that of ONNX 1.4 (January 2019), which every runtime in use reads.
"""

import json
from dataclasses import asdict, dataclass, field
from functools import singledispatchmethod
from typing import Any

import numpy as np

from cnncli import __version__
from cnncli.errors import UsageError
from cnncli.exporting.checks import Checks
from cnncli.model import Model
from cnncli.model_file import METADATA_KEY
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

OPSET, IR = 9, 4
IMAGE, PROBABILITIES = "image", "probabilities"  # the names of the input and the output
WRITTEN = f"ONNX, opset {OPSET}, IR {IR}; {IMAGE}: uint8 (m, C, H, W) → {PROBABILITIES}: float32 (m, classes)"
CHECKED_BY = "onnxruntime"
LARGEST = 2**31 - 1  # bytes of a protobuf message


@dataclass
class _Graph:
    """The nodes so far, and the constants that they read."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def node(self, kind: str, reads: tuple[str, ...], makes: str, **attributes: Any) -> None:
        """One more operation."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, list(reads), [makes], name=f"{kind} {makes}", **attributes))

    def constant(self, name: str, value: Array) -> None:
        """One more array, float32."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))

    @singledispatchmethod
    def add(self, step: Step | OutputStep) -> None:
        """The operations of a step; values have the note's names. Raises UsageError for a kind that has none."""
        raise UsageError(f"a network with {step.kind} cannot be exported as ONNX")

    @add.register
    def _(self, step: Convolution) -> None:
        k = step.parameters[0].shape[-1]
        self.node(
            "Conv",
            _read(step),
            step.output.name,
            kernel_shape=[k, k],
            pads=[step.p] * 4,
            strides=[step.t] * 2,
            dilations=[step.d] * 2,
        )

    @add.register
    def _(self, step: Relu) -> None:
        self.node("Relu", _read(step), step.output.name)

    @add.register
    def _(self, step: MaxPooling) -> None:
        s, t = step.windows.s, step.windows.t
        self.node("MaxPool", _read(step), step.output.name, kernel_shape=[s, s], strides=[t, t])

    @add.register
    def _(self, step: AveragePooling) -> None:
        s, t = step.windows.s, step.windows.t
        self.node("AveragePool", _read(step), step.output.name, kernel_shape=[s, s], strides=[t, t])

    @add.register
    def _(self, step: Flatten) -> None:
        self.node("Flatten", _read(step), step.output.name, axis=1)

    @add.register
    def _(self, step: Dense) -> None:
        self.node("Gemm", _read(step), step.output.name, transB=1)

    @add.register
    def _(self, step: Sigmoid) -> None:
        z, A = step.source.name, step.output.name
        self.node("Sigmoid", (z,), A)
        self.node("Neg", (z,), f"-{z}")
        self.node("Sigmoid", (f"-{z}",), f"1-{A}")  # exact where A is close to 1
        self.node("Concat", (f"1-{A}", A), PROBABILITIES, axis=1)

    @add.register
    def _(self, step: Softmax) -> None:
        self.node("Softmax", (step.source.name,), PROBABILITIES, axis=1)


def render(model: Model, _checks: Checks) -> bytes:
    """The file's content, which passed the full check of onnx. Raises UsageError where onnx is missing."""
    _require("onnx", "onnxruntime")
    import onnx

    built = _build(model)
    if built.ByteSize() > LARGEST:
        raise UsageError("a network of more than 2 GB cannot be exported as ONNX")
    onnx.checker.check_model(built, full_check=True)
    content: bytes = built.SerializeToString()
    return content


def answer(content: bytes, checks: Checks) -> Array:
    """The probabilities that onnxruntime finds: (m, classes)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    batches = np.array_split(checks.pixels, -(-len(checks.pixels) // 32))
    return np.concatenate([session.run([PROBABILITIES], {IMAGE: batch})[0] for batch in batches])


def _build(model: Model) -> Any:
    from onnx import TensorProto, helper

    graph = _Graph()
    graph.constant("255", np.array(255))
    graph.constant("mean", np.array(model.normalisation.mean)[:, None, None])  # (C, 1, 1)
    graph.constant("std", np.array(model.normalisation.std)[:, None, None])  # (C, 1, 1)
    graph.node("Cast", (IMAGE,), "pixels", to=TensorProto.FLOAT)
    graph.node("Div", ("pixels", "255"), "shares")
    graph.node("Sub", ("shares", "mean"), "centred")
    graph.node("Div", ("centred", "std"), model.chain.image.name)
    for name, value in model.parameters.items():
        graph.constant(name, value)
    for step in (*model.chain.steps, model.chain.output):
        graph.add(step)
    image = helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, ["m", *model.chain.image.shape])
    found = helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["m", len(model.classes)])
    built = helper.make_model(
        helper.make_graph(graph.nodes, "cnncli", [image], [found], graph.constants, doc_string=_describe(model)),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
        producer_name="cnncli",
        producer_version=__version__,
    )
    settings = {"architecture": asdict(model.architecture), "normalisation": asdict(model.normalisation)}
    helper.set_model_props(
        built,
        {
            "classes": json.dumps(model.classes, ensure_ascii=False),
            METADATA_KEY: json.dumps(settings, ensure_ascii=False),
        },
    )
    return built


def _describe(model: Model) -> str:
    C, H, W = model.chain.image.shape
    colours = "gray" if C == 1 else "red, green, blue"
    return (
        f"{IMAGE}: uint8 (m, {C}, {H}, {W}), {colours}; scaled with its proportions kept until it covers {H}×{W}, "
        f"cropped at the centre. {PROBABILITIES}: float32 (m, {len(model.classes)}) of the classes in the metadata."
    )


def _read(step: Step) -> tuple[str, ...]:
    return tuple(tensor.name for tensor in step.reads)


def _require(*packages: str) -> None:
    from importlib.util import find_spec

    if missing := [name for name in packages if find_spec(name) is None]:
        raise UsageError(
            f"an export as ONNX needs the package {' and '.join(missing)}: install it with pip install 'cnncli[onnx]'"
        )
