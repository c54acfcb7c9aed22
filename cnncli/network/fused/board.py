"""A batch and what becomes of it, in memory that several processes can share, and one process's work on it.

How a batch is cut follows from the architecture and the batch alone, and all sums are made in the order of the images:
the result is the same to the last bit whoever did which part.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.fused.block import CACHE_LINE
from cnncli.network.fused.chunk import (
    Chunk,
    as_weights,
    gradient_shapes,
    views_of_gradients,
    views_of_weights,
    weight_shapes,
)
from cnncli.network.tensors import Shape

MOST_IMAGES = 32  # in a chunk: with more, nothing is gained
MOST_BYTES = 4 << 20  # of the largest Z in a chunk: with more, caches are too small
FEWEST_IMAGES = 8  # in a chunk all the same: with fewer, loops are too short
WORTH_SHARING = 1 << 20  # bytes of the largest Z: a batch of less, about 0.3 ms, stays in one piece
MOST_LANES = 16  # sums that are made of a batch's gradients: so many processes can share it


class Plan(NamedTuple):
    """How a batch of m images is cut: into lanes, which are summed each for itself, and these into chunks."""

    m: int
    lanes: list[list[slice]]  # of the images

    def images(self, lanes: range) -> slice:
        """The images of some lanes."""
        return slice(self.lanes[lanes.start][0].start, self.lanes[lanes.stop - 1][-1].stop)


@lru_cache
def plan(architecture: Architecture, m: int) -> Plan:
    """How m images are cut."""
    size = images_per_chunk(architecture, m)
    chunks = [slice(start, min(start + size, m)) for start in range(0, m, size)]
    return Plan(m, [[chunks[i] for i in lane] for lane in shares(len(chunks), MOST_LANES)])


def images_per_chunk(architecture: Architecture, m: int) -> int:
    """How many of m images a chunk has: what suits the cache, and at most half of a batch that is worth sharing."""
    largest = max(prod(step.output.shape) for step in build_chain(architecture).steps[:-1])  # Z of some block
    image = largest * np.dtype(np.float32).itemsize  # bytes
    images = min(max(MOST_BYTES // image, FEWEST_IMAGES), MOST_IMAGES)
    return min(images, -(-m // 2)) if m * image > WORTH_SHARING else min(images, m)


def shares(things: int, most: int) -> list[range]:
    """Things in their order as parts of equal size or nearly, `most` of them or one for each."""
    parts = min(things, most)
    return [range(i * things // parts, (i + 1) * things // parts) for i in range(parts)]


class Board:
    """Room for m images: labels, images and weights to read, logits and sums of gradients to write.

    `memory` is anything with `Board.size` bytes, all of them 0.
    """

    def __init__(self, architecture: Architecture, m: int, memory: Any) -> None:
        arrays = list(_views(np.frombuffer(memory, np.uint8), _layout(architecture, m)))
        self.m = m
        self.labels, self.images, self.z, self.sums, *weights = arrays
        self.weights = as_weights(architecture, weights)
        shapes = gradient_shapes(architecture)
        ends = np.cumsum([prod(shape) for shape in shapes])
        self.lane_sums = [
            [part.reshape(shape) for part, shape in zip(np.split(lane, ends[:-1]), shapes, strict=True)]
            for lane in self.sums
        ]
        self._parameters = views_of_weights(architecture, self.weights)
        self._gradients = views_of_gradients(architecture, self.lane_sums[0])
        self._shapes = build_chain(architecture).parameter_shapes

    @staticmethod
    def size(architecture: Architecture, m: int) -> int:
        """The bytes of memory that a board needs."""
        return sum(_size(shape, dtype) for shape, dtype in _layout(architecture, m))

    def write(self, parameters: Parameters, labels: Labels | None) -> None:
        """Parameters, and the labels of a batch whose gradients are wanted."""
        for name, view in self._parameters:
            view[...] = parameters[name].reshape(view.shape)
        if labels is not None:
            self.labels[: len(labels)] = labels

    def gradients(self, lanes: int) -> Parameters:
        """The sums of all lanes in their order, under the parameters' names and in their shapes; new arrays."""
        total = self.sums[0]
        for lane in self.sums[1:lanes]:
            total += lane
        return {name: view.copy().reshape(self._shapes[name]) for name, view in self._gradients.items()}


class Worker:
    """What one process does of a batch."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.output = build_chain(architecture).output
        self._chunks: dict[int, Chunk] = {}  # by their images

    def work(self, board: Board, images: Array, lanes: range, *, gradients: bool) -> None:
        """Logits, and gradients where they are wanted, of some lanes of a batch (m, C, H, W), onto the board."""
        m, of_lanes = plan(self.architecture, len(images))
        for lane in lanes:
            for i, chosen in enumerate(of_lanes[lane]):
                n = chosen.stop - chosen.start
                chunk = self._chunk(n)
                board.z[chosen] = z = chunk.forward(board.weights, images[chosen], keep=gradients)  # (n, K)
                if gradients:
                    dz = self.output.dL_dz(z, board.labels[chosen])  # (n, K), of the chunk's own mean loss
                    dz *= np.float32(n / m)
                    for total, gradient in zip(board.lane_sums[lane], chunk.backward(board.weights, dz), strict=True):
                        if i == 0:
                            total[...] = gradient
                        else:
                            total += gradient

    def _chunk(self, n: int) -> Chunk:
        """The arrays for so many images."""
        if n not in self._chunks:
            self._chunks[n] = Chunk(self.architecture, n)
        return self._chunks[n]


def _layout(architecture: Architecture, m: int) -> list[tuple[Shape, DTypeLike]]:
    """Shape and dtype of what is on a board, in its order."""
    chain = build_chain(architecture)
    images, z = (m, *chain.image.shape), (m, *chain.logit.shape)
    sums = (MOST_LANES, chain.parameter_count)
    floats = [images, z, sums, *weight_shapes(architecture)]
    return [((m,), np.intp), *((shape, np.float32) for shape in floats)]


def _views(memory: Array, layout: Sequence[tuple[Shape, DTypeLike]]) -> Iterator[Array]:
    """Arrays one behind the other in memory (uint8), each at the beginning of a cache line if the memory is."""
    start = 0
    for shape, dtype in layout:
        end = start + prod(shape) * np.dtype(dtype).itemsize
        yield memory[start:end].view(dtype).reshape(shape)
        start += _size(shape, dtype)


def _size(shape: Shape, dtype: DTypeLike) -> int:
    """Bytes of an array, up to the end of its last cache line."""
    return -(-prod(shape) * np.dtype(dtype).itemsize // CACHE_LINE) * CACHE_LINE
