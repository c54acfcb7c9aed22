"""The fused engine: the textbook's numbers in float32, made for speed. Training and prediction run on it.

A batch is a sum over its images, so it is cut into chunks, which threads share among them. How it is cut follows from
the architecture and the batch alone, and the chunks' gradients are added in their order: the result is the same to the
last bit for any number of threads. fused_block.py explains what happens to a chunk.
"""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from math import prod
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.fused_block import FusedBlock, turned_weights, weight_gradient, weight_matrix
from cnncli.network.output import output_layer
from cnncli.network.textbook import Gradients

MOST_IMAGES = 32  # in a chunk: with more, nothing is gained
MOST_BYTES = 16 << 20  # of the largest Z in a chunk: bounds the memory
FEWEST_IMAGES = 8  # in a chunk all the same: with fewer, loops are too short
WORTH_A_THREAD = 1 << 20  # bytes of the largest Z: a batch of less, about 0.3 ms, stays in one piece


class Weights(NamedTuple):
    """The parameters in the order in which the engine reads them."""

    w: list[Array]  # of each block (N, k·k·C)
    b: list[Array]  # of each block (N, 1)
    turned: list[Array]  # of each block but the first (k·C, k·N)
    dense_w: Array  # (K, D), D in the order of P: row, filter, column; a single output has a row of zeros below it
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
        K = len(weights.dense_b)
        z: Array = weights.dense_w[:K] @ P.reshape(self.dF.shape) + weights.dense_b  # (K, m)
        return z

    def backward(self, weights: Weights, dz: Array) -> list[Array]:
        """After `forward`, from dz (m, K): dL/dw (D, K) and dL/db of the dense layer, then those of the blocks.

        The blocks come from the last to the first, each with its dL/dw in the engine's own order.
        """
        F = self.blocks[-1].P.reshape(self.dF.shape)  # (D, m)
        gradients = [F @ dz, dz.sum(axis=0)]
        m, K = dz.shape
        padded = np.zeros((len(weights.dense_w), m), np.float32)  # for a single output: see Fused._weights
        padded[:K] = dz.T
        dP = np.matmul(weights.dense_w.T, padded, out=self.dF)  # (D, m)
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
        self._chunks: list[dict[int, Chunk]] = [{} for _ in range(self.threads)]  # of each thread, by images
        self._pool = ThreadPoolExecutor(max(self.threads - 1, 1), "cnncli")
        threadpool_limits(1, "blas")  # for good: beside our threads those of BLAS would only be in the way

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
            sums[chosen.start] = chunk.backward(weights, dz)

        self._for_each_chunk(forward_and_backward, m)
        first, *others = (sums[start] for start in sorted(sums))
        for other in others:  # in the order of the images, whichever thread was first
            for total, gradient in zip(first, other, strict=True):
                total += gradient
        loss = float(self.output.losses(z, labels).mean())
        return Gradients(loss, self._gradients(first), z)

    def _for_each_chunk(self, work: Callable[[int, slice], None], m: int) -> None:
        """Call work(thread, images) for every chunk of m images, in this thread and as many others as pay."""
        size = images_per_chunk(self.architecture, m)
        todo = deque(slice(start, min(start + size, m)) for start in range(0, m, size))
        helpers = range(1, min(self.threads, len(todo)))

        def run(thread: int) -> None:
            while todo:
                try:
                    chosen = todo.popleft()
                except IndexError:  # another thread took the last one
                    return
                work(thread, chosen)

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
        K = self.architecture.outputs
        # A product over an inner dimension of 1 goes past BLAS in NumPy and takes 10 times as long: hence at least 2.
        dense_w = np.zeros((max(K, 2), p, N, q), np.float32)
        dense_w[:K] = values[f"w{last}"].reshape(K, N, p, q).swapaxes(1, 2)
        return Weights(
            [weight_matrix(values[f"w{i}"]) for i in blocks],
            [values[f"b{i}"][:, None] for i in blocks],
            [turned_weights(values[f"w{i}"]) for i in blocks[1:]],
            dense_w.reshape(len(dense_w), -1),
            values[f"b{last}"][:, None],
        )

    def _gradients(self, sums: list[Array]) -> Parameters:
        """The gradients of a batch under the parameters' names, in their order and shapes."""
        shapes, last = self.architecture.parameter_shapes, self.architecture.dense
        N, p, q = self.architecture.block_input_shape(last)
        dense_w = sums[0].reshape(p, N, q, -1).transpose(3, 1, 0, 2)  # (K, N, p, q)
        gradients = {f"w{last}": np.ascontiguousarray(dense_w).reshape(shapes[f"w{last}"]), f"b{last}": sums[1]}
        for i, dw, db in zip(reversed(self.architecture.blocks), sums[2::2], sums[3::2], strict=True):
            gradients |= {f"w{i}": weight_gradient(dw, shapes[f"w{i}"]), f"b{i}": db}
        return {name: gradients[name] for name in shapes}


def images_per_chunk(architecture: Architecture, m: int) -> int:
    """How many of m images a chunk has: what bounds its memory, and half of a batch that is worth a second thread."""
    largest = max(prod(shape) for name, shape in architecture.forward_shapes.items() if name.startswith("Z"))
    image = largest * np.dtype(np.float32).itemsize  # bytes
    images = min(max(MOST_BYTES // image, FEWEST_IMAGES), MOST_IMAGES)
    return min(images, -(-m // 2)) if m * image > WORTH_A_THREAD else min(images, m)


def available_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
