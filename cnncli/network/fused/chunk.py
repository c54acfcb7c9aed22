"""Some images of a batch, a chunk, on their way through all blocks and back."""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Parameters, Shape
from cnncli.network.fused.block import FusedBlock, empty, turned_weights, weight_gradient, weight_matrix


class Weights(NamedTuple):
    """The parameters in the order in which the engine reads them; float32."""

    w: list[Array]  # of each block (N, k·k·C)
    b: list[Array]  # of each block (N, 1)
    turned: list[Array]  # of each block but the first (k·C, k·N)
    dense_w: Array  # (K, D), D in the order of P: row, filter, column; a single output has a row of zeros below it
    dense_b: Array  # (K, 1)


class Chunk:
    """The arrays of a forward and a backward pass of m images, allocated once."""

    def __init__(self, architecture: Architecture, m: int) -> None:
        self.blocks = [
            FusedBlock(architecture.block_input_shape(i), N, architecture.kernel, architecture.pool, m, first=i == 1)
            for i, N in zip(architecture.blocks, architecture.filters, strict=True)
        ]
        self.dF = empty((prod(architecture.block_input_shape(architecture.dense)), m))  # (D, m)

    def forward(self, weights: Weights, images: Array, *, keep: bool) -> Array:
        """z of the dense layer, images (m, C, H, W) → (m, K); `keep` what the way back needs."""
        P = images.transpose(2, 1, 3, 0)  # (H, C, W, m)
        for block, w, b in zip(self.blocks, weights.w, weights.b, strict=True):
            P = block.forward(P, w, b, keep=keep)  # (p, N, q, m)
        K = len(weights.dense_b)
        z: Array = weights.dense_w[:K] @ P.reshape(self.dF.shape) + weights.dense_b  # (K, m)
        return z.T

    def backward(self, weights: Weights, dz: Array) -> list[Array]:
        """After `forward`, from dz (m, K): the gradients, in the order and shapes of `gradient_shapes`."""
        F = self.blocks[-1].P.reshape(self.dF.shape)  # (D, m)
        gradients = [F @ dz, dz.sum(axis=0)]
        m, K = dz.shape
        padded = np.zeros((len(weights.dense_w), m), np.float32)  # for a single output: see `weight_shapes`
        padded[:K] = dz.T
        dP = np.matmul(weights.dense_w.T, padded, out=self.dF)  # (D, m)
        for i in reversed(range(len(self.blocks))):
            block = self.blocks[i]
            gradients += block.backward(dP.reshape(*block.P.shape[:2], -1))
            if i > 0:
                dP = block.backward_to_X(weights.turned[i - 1])
        return gradients


def weight_shapes(architecture: Architecture) -> list[Shape]:
    """Shapes of the arrays in `Weights`, in their order."""
    k, K = architecture.kernel, architecture.outputs
    sizes = [
        (N, architecture.block_input_shape(i)[0])
        for i, N in zip(architecture.blocks, architecture.filters, strict=True)
    ]
    D = prod(architecture.block_input_shape(architecture.dense))
    return [
        *((N, k * k * C) for N, C in sizes),
        *((N, 1) for N, _ in sizes),
        *((k * C, k * N) for N, C in sizes[1:]),
        # A product over an inner dimension of 1 goes past BLAS in NumPy and takes 10 times as long: hence at least 2.
        (max(K, 2), D),
        (K, 1),
    ]


def as_weights(architecture: Architecture, arrays: Sequence[Array]) -> Weights:
    """Arrays in the shapes of `weight_shapes`."""
    B = len(architecture.filters)
    return Weights(list(arrays[:B]), list(arrays[B : 2 * B]), list(arrays[2 * B : -2]), arrays[-2], arrays[-1])


def fill(weights: Weights, architecture: Architecture, parameters: Parameters) -> None:
    """Put the parameters where the engine reads them."""
    last, (N, p, q) = architecture.dense, architecture.block_input_shape(architecture.dense)
    for i, w, b in zip(architecture.blocks, weights.w, weights.b, strict=True):
        of_block = weight_matrix(parameters[f"w{i}"])  # (N, k, k, C)
        w.reshape(of_block.shape)[...] = of_block
        b[:, 0] = parameters[f"b{i}"]
    for i, turned in enumerate(weights.turned, 2):
        of_block = turned_weights(parameters[f"w{i}"])  # (k, C, k, N)
        turned.reshape(of_block.shape)[...] = of_block
    K = architecture.outputs
    dense_w = parameters[f"w{last}"].reshape(K, N, p, q).swapaxes(1, 2)  # (K, p, N, q)
    weights.dense_w[:K].reshape(dense_w.shape)[...] = dense_w
    weights.dense_b[:, 0] = parameters[f"b{last}"]


def gradient_shapes(architecture: Architecture) -> list[Shape]:
    """Shapes in the engine's order: dL/dw (D, K) and dL/db of the dense layer, then of each block, the last first."""
    K, D = architecture.parameter_shapes[f"w{architecture.dense}"]
    shapes: list[Shape] = [(D, K), (K,)]
    for i in reversed(architecture.blocks):
        N, C, k, _ = architecture.parameter_shapes[f"w{i}"]
        shapes += [(k * k * C, N), (N,)]
    return shapes


def named_gradients(architecture: Architecture, gradients: Sequence[Array]) -> Parameters:
    """Gradients in the engine's own order under the parameters' names, in their order and shapes; new arrays."""
    shapes, last = architecture.parameter_shapes, architecture.dense
    N, p, q = architecture.block_input_shape(last)
    dense_w = gradients[0].reshape(p, N, q, -1).transpose(3, 1, 0, 2)  # (K, N, p, q)
    named = {f"w{last}": dense_w.copy().reshape(shapes[f"w{last}"]), f"b{last}": gradients[1].copy()}
    for i, dw, db in zip(reversed(architecture.blocks), gradients[2::2], gradients[3::2], strict=True):
        named |= {f"w{i}": weight_gradient(dw, shapes[f"w{i}"]), f"b{i}": db.copy()}
    return {name: named[name] for name in shapes}
