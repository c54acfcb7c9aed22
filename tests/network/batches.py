"""Networks of several sizes, and batches for them, many with ties: for the engines in float32."""

import numpy as np
from hypothesis import strategies as st

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.initialisation import he_normal

KINDS = ("noise", "whole numbers", "flat", "half flat", "zero")


@st.composite
def architectures(draw: st.DrawFn, kernels: int = 4, filters: int = 5) -> Architecture:
    """Of one to three blocks, most of them with rows and columns that no window reaches."""
    blocks = draw(st.integers(1, 3))
    k, s = draw(st.integers(1, kernels)), draw(st.integers(1, (4, 3, 2)[blocks - 1]))

    def side() -> int:
        size = draw(st.integers(1, 4 if blocks == 1 else 2))
        for _ in range(blocks):
            size = s * size + draw(st.integers(0, s - 1)) + k - 1
        return size

    chosen = tuple(draw(st.integers(1, filters)) for _ in range(blocks))
    return Architecture(side(), side(), draw(st.integers(1, 4)), chosen, k, s, draw(st.integers(2, 4)))


def batch(architecture: Architecture, m: int, kind: str, seed: int) -> tuple[Parameters, Array, Labels]:
    """Parameters, images and labels; all but noise make ties."""
    random = np.random.default_rng(seed)
    parameters = he_normal(architecture, seed)
    for name in parameters:
        if name.startswith("b"):
            parameters[name] = random.normal(size=parameters[name].shape)
    X = random.normal(size=(m, architecture.channels, architecture.height, architecture.width))
    if kind == "whole numbers":
        parameters = {name: np.rint(2 * value) for name, value in parameters.items()}
        X = np.rint(X)
    elif kind == "flat":
        X[...] = X[:, :, :1, :1]
    elif kind == "half flat":
        X[..., architecture.width // 2 :] = 0.7
    elif kind == "zero":
        X[...] = 0
    return parameters, X, random.integers(0, architecture.classes, m)
