"""Some images of a batch, a chunk, on their way through all blocks and back."""

from collections.abc import Sequence

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Parameters
from cnncli.network.chain import Chain, build_chain
from cnncli.network.numpy_engine.block import Block, empty
from cnncli.network.steps.convolution import Convolution
from cnncli.network.steps.step import Step


class Weights:
    """The parameters in the order in which the engine reads them; float32."""

    def __init__(self, architecture: Architecture) -> None:
        chain = build_chain(architecture)
        k, (K, D) = architecture.kernel, chain.steps[-1].parameters[0].shape
        sizes = [step.parameters[0].shape[:2] for step in _convolutions(chain)]  # (N, C)
        self.w = [empty((N, k * k * C)) for N, C in sizes]  # of each block, in the order of the patches
        self.b = [empty((N, 1)) for N, _ in sizes]
        # Of each block but the first, with rows turned round for the way back.
        self.turned = [empty((k * C, k * N)) for N, C in sizes[1:]]
        # D in the order of P: row, filter, column. A product over an inner dimension of 1 goes past BLAS in NumPy and
        # takes 10 times as long: hence a single output has a row of zeros below it.
        self.dense_w = np.zeros((max(K, 2), D), np.float32)
        self.dense_b = empty((K, 1))
        self._views = views_of_weights(architecture, self)

    def write(self, parameters: Parameters) -> None:
        """Take over the parameters."""
        for name, view in self._views:
            view[...] = parameters[name].reshape(view.shape)


class Chunk:
    """The arrays of a forward and a backward pass of m images, allocated once."""

    def __init__(self, architecture: Architecture, m: int) -> None:
        chain = build_chain(architecture)
        self.blocks = [
            Block(
                step.source.shape,
                step.output.shape[0],
                architecture.kernel,
                architecture.pool,
                m,
                padding=architecture.padding,
                first=step is chain.steps[0],
            )
            for step in _convolutions(chain)
        ]
        self.dF = empty((*chain.steps[-1].source.shape, m))  # (D, m)

    def forward(self, weights: Weights, images: Array, *, keep: bool) -> Array:
        """z of the dense layer, images (m, C, H, W) → (m, K); `keep` what the way back needs."""
        P = images.transpose(2, 1, 3, 0)  # (H, C, W, m)
        for block, w, b in zip(self.blocks, weights.w, weights.b, strict=True):
            P = block.forward(P, w, b, keep=keep)  # (p, N, q, m)
        K = len(weights.dense_b)
        z: Array = weights.dense_w[:K] @ P.reshape(self.dF.shape) + weights.dense_b  # (K, m)
        return z.T

    def backward(self, weights: Weights, dz: Array) -> list[Array]:
        """After `forward`, from dz (m, K): dL/dw and dL/db of the dense layer, then of each block, the last first.

        dL/dw is (D, K) for the dense layer and (k·k·C, N) for a block.
        """
        F = self.blocks[-1].P.reshape(self.dF.shape)  # (D, m)
        gradients = [F @ dz, dz.sum(axis=0)]
        m, K = dz.shape
        padded = np.zeros((len(weights.dense_w), m), np.float32)  # for a single output: see `Weights`
        padded[:K] = dz.T
        dP = np.matmul(weights.dense_w.T, padded, out=self.dF)  # (D, m)
        for i in reversed(range(len(self.blocks))):
            block = self.blocks[i]
            gradients += block.backward(dP.reshape(*block.P.shape[:2], -1))
            if i > 0:
                dP = block.backward_to_X(weights.turned[i - 1])
        return gradients


def views_of_weights(architecture: Architecture, weights: Weights) -> list[tuple[str, Array]]:
    """Where each parameter is to be written: its name and a view in its own order of axes."""
    chain = build_chain(architecture)
    views = []
    for i, w, b in zip(architecture.blocks, weights.w, weights.b, strict=True):
        N, C, k, _ = chain.parameter_shapes[f"w{i}"]
        views += [(f"w{i}", w.reshape(N, k, k, C).transpose(0, 3, 1, 2)), (f"b{i}", b[:, 0])]
    for i, turned in enumerate(weights.turned, 2):
        N, C, k, _ = chain.parameter_shapes[f"w{i}"]
        views.append((f"w{i}", turned.reshape(k, C, k, N).transpose(3, 1, 2, 0)[:, :, ::-1]))
    of_dense, (N, p, q) = chain.steps[-1].parameters, chain.steps[-2].source.shape
    dense_w = weights.dense_w[: architecture.outputs].reshape(-1, p, N, q).swapaxes(1, 2)  # (K, N, p, q)
    return [*views, (of_dense[0].name, dense_w), (of_dense[1].name, weights.dense_b[:, 0])]


def views_of_gradients(architecture: Architecture, gradients: Sequence[Array]) -> dict[str, Array]:
    """Gradients in the engine's order, under the parameters' names and in theirs; each in its own order of axes."""
    chain = build_chain(architecture)
    N, p, q = chain.steps[-2].source.shape
    dense_w = gradients[0].reshape(p, N, q, -1).transpose(3, 1, 0, 2)  # (K, N, p, q)
    views = [gradients[1], dense_w]
    for step, dw, db in zip(reversed(_convolutions(chain)), gradients[2::2], gradients[3::2], strict=True):
        N, C, k, _ = step.parameters[0].shape
        views += [db, dw.reshape(k, k, C, N).transpose(3, 2, 0, 1)]  # (N, C, k, k)
    return dict(zip(chain.parameters, reversed(views), strict=True))


def _convolutions(chain: Chain) -> list[Step]:
    return [step for step in chain.steps if step.kind == Convolution.kind]
