"""The fused engine: the textbook's numbers in float32, made for speed. Training and prediction run on it.

A batch is a sum over its images, so it is cut into chunks that stay near the processor. How it is cut follows from the
architecture alone, and the chunks' gradients are added in their order: the result is the same to the last bit for any
number of threads. fused_block.py explains what happens to a chunk.
"""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.fused_block import FusedBlock, turned_weights, weight_gradient, weight_matrix
from cnncli.network.output import output_layer
from cnncli.network.textbook import Gradients

CHUNK_BYTES = 1 << 20  # about so much of Z in a chunk: it stays in the cache of one core
FEWEST, MOST = 8, 32  # images in a chunk: below, loops are too short; above, nothing is gained


class Weights(NamedTuple):
    """The parameters in the order in which the engine reads them."""

    w: list[Array]  # of each block (N, k·k·C)
    b: list[Array]  # of each block (N, 1)
    turned: list[Array]  # of each block but the first (k·C, k·N)
    dense_w: Array  # (K, D), D in the order of P: row, filter, column
    dense_b: Array  # (K, 1)


class Chunk:
    """The arrays of a forward and a backward pass of m images, allocated once."""

    def __init__(self, architecture: Architecture, m: int) -> None:
        C, H, W = architecture.block_input_shape(1)
        self.X = np.empty((H, C, W, m), np.float32)
        self.blocks = [
            FusedBlock(architecture.block_input_shape(i), N, architecture.kernel, architecture.pool, m)
            for i, N in zip(architecture.blocks, architecture.filters, strict=True)
        ]
        self.dF = np.empty((architecture.parameter_shapes[f"w{architecture.dense}"][1], m), np.float32)  # (D, m)

    def forward(self, weights: Weights, images: Array, *, keep: bool) -> Array:
        """z of the dense layer, images (m, C, H, W) → (K, m); `keep` what the way back needs."""
        self.X[...] = images.transpose(2, 1, 3, 0)  # (H, C, W, m)
        P = self.X
        for block, w, b in zip(self.blocks, weights.w, weights.b, strict=True):
            P = block.forward(P, w, b, keep=keep)  # (p, N, q, m)
        z: Array = weights.dense_w @ P.reshape(self.dF.shape) + weights.dense_b  # (K, m)
        return z

    def backward(self, weights: Weights, dz: Array) -> list[Array]:
        """After `forward`: dL/dw and dL/db of the dense layer, then of each block from the last to the first."""
        F = self.blocks[-1].P.reshape(self.dF.shape)  # (D, m)
        gradients = [dz @ F.T, dz.sum(axis=1)]
        dP = np.matmul(weights.dense_w.T, dz, out=self.dF)  # (D, m)
        for i in reversed(range(len(self.blocks))):
            block = self.blocks[i]
            gradients += block.backward(dP.reshape(block.positive.shape))
            if i > 0:
                dP = block.backward_to_X(weights.turned[i - 1])
        return gradients


class Fused:
    """The engine for speed, with the textbook's signature. Images (m, C, H, W) and parameters are read as float32.

    `threads` is the number of processor cores where it is not given. One engine serves one caller at a time.
    """

    def __init__(self, architecture: Architecture, threads: int | None = None) -> None:
        self.architecture = architecture
        self.threads = threads or available_cores()
        self.output = output_layer(architecture.outputs)
        self._per_chunk = images_per_chunk(architecture)
        self._chunks: list[dict[int, Chunk]] = [{} for _ in range(self.threads)]  # of each thread, by images
        self._pool = ThreadPoolExecutor(max(self.threads - 1, 1), "cnncli")
        self._blas = ThreadpoolController().select(user_api="blas")

    def logits(self, parameters: Parameters, images: Array) -> Array:
        """z of the dense layer, by a forward pass that keeps nothing: (m, K)."""
        weights = self._weights(parameters)
        z = np.empty((self.architecture.outputs, len(images)), np.float32)

        def forward(thread: int, chosen: slice) -> None:
            z[:, chosen] = self._chunk(thread, chosen).forward(weights, images[chosen], keep=False)

        self._for_each_chunk(forward, len(images))
        return z.T

    def loss_and_gradients(self, parameters: Parameters, images: Array, labels: Labels) -> Gradients:
        """L, its derivative for every parameter, and the logits of a batch; all float32."""
        weights = self._weights(parameters)
        m = len(images)
        z = np.empty((m, self.architecture.outputs), np.float32)
        sums: dict[int, list[Array]] = {}

        def forward_and_backward(thread: int, chosen: slice) -> None:
            chunk = self._chunk(thread, chosen)
            z[chosen] = chunk.forward(weights, images[chosen], keep=True).T
            share = np.float32((chosen.stop - chosen.start) / m)  # the chunk's dL/dz is that of its own mean loss
            dz = self.output.dL_dz(z[chosen], labels[chosen]) * share  # (chunk, K)
            sums[chosen.start] = chunk.backward(weights, np.ascontiguousarray(dz.T))

        self._for_each_chunk(forward_and_backward, m)
        first, *others = (sums[start] for start in sorted(sums))
        for other in others:  # in the order of the images, whichever thread was first
            for total, gradient in zip(first, other, strict=True):
                total += gradient
        loss = float(self.output.losses(z, labels).mean())
        return Gradients(loss, self._gradients(first), z)

    def _for_each_chunk(self, work: Callable[[int, slice], None], m: int) -> None:
        """Call work(thread, images) for every chunk of m images, in this thread and as many others as pay."""
        starts = range(0, m, self._per_chunk)
        todo = deque(slice(start, min(start + self._per_chunk, m)) for start in starts)

        def run(thread: int) -> None:
            while todo:
                try:
                    chosen = todo.popleft()
                except IndexError:  # another thread took the last one
                    return
                work(thread, chosen)

        with self._blas.limit(limits=1):
            helpers = range(1, min(self.threads, len(starts)))
            # Each runs in a copy of this thread's context, for np.errstate holds there and nowhere else.
            running = [self._pool.submit(copy_context().run, run, thread) for thread in helpers]
            try:
                run(0)
            finally:
                todo.clear()  # after an interrupt nobody begins another one
                wait(running)
        for helper in running:
            helper.result()

    def _chunk(self, thread: int, chosen: slice) -> Chunk:
        """The arrays of a thread for so many images."""
        m = chosen.stop - chosen.start
        if m not in self._chunks[thread]:
            self._chunks[thread][m] = Chunk(self.architecture, m)
        return self._chunks[thread][m]

    def _weights(self, parameters: Parameters) -> Weights:
        values = {name: np.asarray(value, np.float32) for name, value in parameters.items()}
        blocks, last = self.architecture.blocks, self.architecture.dense
        N, p, q = self.architecture.block_input_shape(last)
        dense_w = values[f"w{last}"].reshape(-1, N, p, q).swapaxes(1, 2)  # (K, p, N, q)
        return Weights(
            [weight_matrix(values[f"w{i}"]) for i in blocks],
            [values[f"b{i}"][:, None] for i in blocks],
            [turned_weights(values[f"w{i}"]) for i in blocks[1:]],
            np.ascontiguousarray(dense_w).reshape(len(dense_w), -1),
            values[f"b{last}"][:, None],
        )

    def _gradients(self, sums: list[Array]) -> Parameters:
        """The gradients of a batch under the parameters' names, in their order and shapes."""
        shapes, last = self.architecture.parameter_shapes, self.architecture.dense
        N, p, q = self.architecture.block_input_shape(last)
        dense_w = sums[0].reshape(-1, p, N, q).swapaxes(1, 2).reshape(shapes[f"w{last}"])
        gradients = {f"w{last}": dense_w, f"b{last}": sums[1]}
        for i, dw, db in zip(reversed(self.architecture.blocks), sums[2::2], sums[3::2], strict=True):
            gradients |= {f"w{i}": weight_gradient(dw, shapes[f"w{i}"]), f"b{i}": db}
        return {name: gradients[name] for name in shapes}


def images_per_chunk(architecture: Architecture) -> int:
    """A power of two, FEWEST to MOST, that makes the largest Z about CHUNK_BYTES."""
    numbers = max(int(np.prod(shape)) for name, shape in architecture.forward_shapes.items() if name.startswith("Z"))
    images = CHUNK_BYTES / (numbers * np.dtype(np.float32).itemsize)
    return int(min(max(2 ** round(np.log2(images)), FEWEST), MOST))


def available_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
