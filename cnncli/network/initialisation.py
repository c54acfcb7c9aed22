"""Fresh parameters."""

from math import prod, sqrt

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Parameters


def he_normal(architecture: Architecture, seed: int) -> Parameters:
    """Weights drawn from a normal distribution of variance 2/(inputs of one output), biases 0; float64.

    The variance keeps the size of the numbers from block to block behind a relu (He et al. 2015, arXiv:1502.01852).
    """
    random = np.random.default_rng(seed)
    return {
        name: random.normal(0, sqrt(2 / prod(shape[1:])), shape) if name.startswith("w") else np.zeros(shape)
        for name, shape in architecture.parameter_shapes.items()
    }
