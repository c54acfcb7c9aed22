"""The engine itself, with the textbook's signature."""

from functools import lru_cache
from math import prod

import numpy as np
from threadpoolctl import threadpool_limits

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.engine import MOST_LANES, Engine, Gradients, cut_evenly
from cnncli.network.numpy_engine.chunk import Chunk, Weights, views_of_gradients

MOST_IMAGES = 32  # in a chunk: with more, nothing is gained
MOST_BYTES = 4 << 20  # of the largest Z in a chunk: with more, caches are too small
FEWEST_IMAGES = 8  # in a chunk all the same: with fewer, loops are too short

# OpenBLAS may raise the flag of an invalid operation where every number is finite: its lanes read what lies beside.
calm_products = np.errstate(invalid="ignore")


class NumpyEngine(Engine):
    """The engine for speed without a compiler. X (m, C, H, W) and the parameters are read as float32.

    It runs on one core: Python lets one thread at a time go from one NumPy call to the next. One engine serves one
    caller at a time.
    """

    name = "numpy"

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        self.output = build_chain(architecture).output
        self._weights = Weights(architecture)
        self._chunks: dict[int, Chunk] = {}  # by their images
        threadpool_limits(1, "blas")  # for good: with more the bits would depend on their number

    @staticmethod
    def takes(architecture: Architecture) -> bool:
        """Whether it can train and run such a network: max pooling side by side, stride and dilation 1."""
        apart = architecture.window_stride == architecture.pool
        return architecture.pooling == "max" and apart and architecture.stride == architecture.dilation == 1

    @calm_products
    def logits(self, parameters: Parameters, X: Array) -> Array:
        """z of the dense layer, by a forward pass that keeps nothing: (m, K)."""
        self._weights.write(parameters)
        z = np.empty((len(X), self.architecture.outputs), np.float32)
        for chosen in self._cut(len(X)):
            z[chosen] = self._chunk(chosen).forward(self._weights, X[chosen], keep=False)
        return z

    @calm_products
    def sum_lane(
        self, parameters: Parameters, X: Array, y: Labels, m: int, smoothing: float, weights: Array
    ) -> Gradients:
        """What some images add to the loss of a batch of m and to its derivatives, chunk by chunk; and their logits."""
        self._weights.write(parameters)
        loss, z = 0.0, np.empty((len(X), self.architecture.outputs), np.float32)
        shapes = build_chain(self.architecture).parameter_shapes
        sums: Parameters = {}
        for chosen in self._cut(len(X)):
            chunk, labels = self._chunk(chosen), y[chosen]
            z[chosen] = found = chunk.forward(self._weights, X[chosen], keep=True)  # (n, K)
            share = (weights[chosen] * (len(found) / m)).astype(np.float32)  # (n,), of the chunk's own mean loss
            dz = self.output.dL_dz(found, labels, smoothing) * share[:, None]  # (n, K)
            gradients = views_of_gradients(self.architecture, chunk.backward(self._weights, dz))
            for name, gradient in gradients.items():
                shaped = gradient.reshape(shapes[name])
                sums[name] = sums[name] + shaped if name in sums else shaped.copy()
            loss += float((self.output.losses(found, labels, smoothing) * share).mean(dtype=np.float64))
        if not len(X):
            sums = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        return Gradients(loss, sums, z)

    def cut(self, m: int) -> list[int]:
        """Lanes of whole chunks."""
        size = images_per_chunk(self.architecture)
        return [min(size * chunk, m) for chunk in cut_evenly(-(-m // size), MOST_LANES)]

    def _cut(self, m: int) -> list[slice]:
        """Chunks of m images."""
        size = images_per_chunk(self.architecture)
        return [slice(start, min(start + size, m)) for start in range(0, m, size)]

    def _chunk(self, images: slice) -> Chunk:
        """The arrays for so many images."""
        n = images.stop - images.start
        if n not in self._chunks:
            self._chunks[n] = Chunk(self.architecture, n)
        return self._chunks[n]


@lru_cache
def images_per_chunk(architecture: Architecture) -> int:
    """How many images a chunk has at most: what suits the cache."""
    largest = max(prod(step.output.shape) for step in build_chain(architecture).steps[:-1])  # Z of some block
    image = largest * np.dtype(np.float32).itemsize  # bytes
    return min(max(MOST_BYTES // image, FEWEST_IMAGES), MOST_IMAGES)
