"""Random networks and images for the properties of the engines."""

from dataclasses import dataclass

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from cnncli.errors import ArchitectureError
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.textbook import Textbook


@dataclass(frozen=True)
class Case:
    """A network with parameters, and a batch of images with labels; float64."""

    architecture: Architecture
    parameters: Parameters
    X: Array  # (m, C, H, W)
    y: Labels  # (m,)


@st.composite
def cases(draw: st.DrawFn, largest: int = 11, most_blocks: int = 3) -> Case:
    """Odd sizes, several channels, filters, blocks and classes; often whole numbers, so that ties are common."""
    try:
        architecture = Architecture(
            height=draw(st.integers(1, largest)),
            width=draw(st.integers(1, largest)),
            channels=draw(st.integers(1, 3)),
            filters=tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=most_blocks))),
            kernel=draw(st.integers(1, 4)),
            pool=draw(st.integers(1, 3)),
            classes=draw(st.integers(2, 4)),
            pooling=draw(st.sampled_from(["max", "max", "average"])),
            padding=draw(st.sampled_from([0, 0, 1, 2])),
            stride=draw(st.sampled_from([1, 1, 2, 3])),
            dilation=draw(st.sampled_from([1, 1, 2])),
            pool_stride=draw(st.sampled_from([None, None, 1, 2, 3])),
        )
        chain = build_chain(architecture)
    except ArchitectureError:
        assume(False)
    m = draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    whole = draw(st.booleans())
    scale = 2.0 if whole else 1.0

    def numbers(*shape: int) -> Array:
        values: Array = random.normal(0, scale, shape)
        return np.round(values) if whole else values

    parameters = {name: numbers(*shape) for name, shape in chain.parameter_shapes.items()}
    dense = f"w{len(architecture.filters) + 1}"
    parameters[dense] /= 10 * parameters[dense].shape[1]  # a logit of moderate size
    X = numbers(m, architecture.channels, architecture.height, architecture.width)
    if draw(st.booleans()):
        X[:] = X[:, :, :1, :1]  # a flat image: every patch ties with every other
    # Several padded blocks can still make it so large that the slow loop's e^z overflows.
    parameters[dense] /= max(1.0, np.abs(Textbook(architecture).logits(parameters, X)).max() / 10)
    return Case(architecture, parameters, X, random.integers(0, architecture.classes, m))
