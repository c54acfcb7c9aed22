"""Fresh parameters."""

from math import prod, sqrt

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Parameters
from cnncli.network.chain import build_chain


def he_normal(architecture: Architecture, seed: int) -> Parameters:
    """Weights drawn from a normal distribution of variance 2/(inputs of one output), biases 0; float64.

    The variance keeps the size of the numbers from block to block behind a relu (He et al. 2015, arXiv:1502.01852).
    """
    random = np.random.default_rng(seed)
    return {
        name: random.normal(0, sqrt(2 / prod(tensor.shape[1:])), tensor.shape)
        if tensor.role == "weight"
        else np.zeros(tensor.shape)
        for name, tensor in build_chain(architecture).parameters.items()
    }
