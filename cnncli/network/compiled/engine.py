"""The engine itself, with the textbook's signature."""

import ctypes
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from math import prod

import numpy as np

from cnncli.cores import available_cores
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.compiled.library import MOST_BLOCKS, Job, Net, choose_variant, load_kernel, load_library
from cnncli.network.compiled.team import Choice, Team
from cnncli.network.engine import (
    MOST_LANES,
    Engine,
    Gradients,
    LaneSums,
    add_in_order,
    join_lanes,
    name_numbers,
)
from cnncli.network.numpy_engine.engine import NumpyEngine
from cnncli.network.textbook import Textbook

LARGEST_KERNEL, LARGEST_POOL = 7, 4
CACHE_LINE = 64  # bytes
EXACT = 1 << 20  # whole numbers below it are in float32 what they are


class CompiledEngine(Engine):
    """The engine for speed. X (m, C, H, W) and the parameters are read as float32.

    `threads` is the number of processor cores where it is not given. A lane in which some number is not finite is
    computed by the textbook engine, so that infinities and NaNs are the definition's. Raises OSError where this
    installation has no compiled kernel.
    """

    name = "compiled"

    def __init__(self, architecture: Architecture, threads: int | None = None, variant: str | None = None) -> None:
        super().__init__(architecture)
        self.chain = build_chain(architecture)
        self.variant = variant or choose_variant(architecture.filters)
        self._kernel = load_kernel(self.variant)
        self._net = _make_net(architecture)
        self._kernel.plan(ctypes.byref(self._net))
        self._job = Job()
        self._arguments = ctypes.addressof(self._net), ctypes.addressof(self._job)
        threads = min(threads or available_cores(), MOST_LANES)
        self._parameters, self._packed = _zeros(self._net.parameters), _zeros(self._net.packed)
        self._rooms, self._sums = _zeros(threads * self._net.room), _zeros(0)
        job = self._job
        job.parameters, job.packed, job.rooms = map(_address, (self._parameters, self._packed, self._rooms))
        self._views = self._name(self._parameters)
        self._team = Team(self._kernel, self._net, self._job, threads)
        self._choices = Choice(threads), Choice(threads)  # without and with gradients
        self._products = _count_products(architecture)  # of an image
        self._cuts: dict[int, Array] = {}
        self._lock = threading.Lock()

    @staticmethod
    def takes(architecture: Architecture) -> bool:
        """Whether it can train and run such a network, in this installation: the NumPy engine's, not too large."""
        fits = architecture.kernel <= LARGEST_KERNEL and architecture.pool <= LARGEST_POOL
        few = len(architecture.filters) <= MOST_BLOCKS
        return NumpyEngine.takes(architecture) and fits and few and load_library() is not None

    @classmethod
    def make(cls, architecture: Architecture, threads: int | None) -> "CompiledEngine":
        """For a network, with so many threads; with one for each processor core if not given."""
        return cls(architecture, threads)

    @property
    def description(self) -> str:
        """Its name, and the variant: compiled (avx2)."""
        return f"{self.name} ({self.variant})"

    def logits(self, parameters: Parameters, X: Array) -> Array:
        """z of the dense layer, by a forward pass alone: (m, K)."""
        with self._lock:
            z = np.empty((len(X), self._net.outputs), np.float32)
            self._run(parameters, X, z, self._own_cut(len(X)))
            return z

    def loss_and_gradients(
        self,
        parameters: Parameters,
        X: Array,
        y: Labels,
        *,
        smoothing: float = 0.0,
        weights: Array | None = None,
        bounds: Sequence[int] | Labels | None = None,
    ) -> Gradients:
        """L, its derivative for every parameter, and the logits of a batch; all float32."""
        m = len(X)
        lanes = self._own_cut(m) if bounds is None else np.ascontiguousarray(bounds, np.int64)
        with self._lock:
            z, gradients = np.empty((m, self._net.outputs), np.float32), np.empty(self._net.parameters, np.float32)
            if self._sums.size < (len(lanes) - 1) * self._net.sums:
                self._sums = _zeros((len(lanes) - 1) * self._net.sums)
            losses = self._step(parameters, X, y, z, self._sums, gradients, lanes, m, smoothing, weights)
        if losses is None:
            return self.add(self.lane_sums(parameters, X, y, m=m, bounds=lanes, smoothing=smoothing, weights=weights))
        return Gradients(float(add_in_order(losses)), self._name(gradients), z)

    def lane_sums(
        self,
        parameters: Parameters,
        X: Array,
        y: Labels,
        *,
        m: int,
        bounds: Sequence[int] | Labels,
        smoothing: float = 0.0,
        weights: Array | None = None,
        into: Array | None = None,
    ) -> LaneSums:
        """The lanes of a part of a batch, not added up: the numbers in the kernel's order."""
        lanes = np.ascontiguousarray(bounds, np.int64)
        shape = len(lanes) - 1, self._net.sums
        numbers = np.empty(shape, np.float32) if into is None else into
        if numbers.shape != shape or numbers.dtype != np.float32 or not numbers.flags.c_contiguous:
            raise ValueError(f"sums of the shape {shape} in float32 do not go into {numbers.dtype} {numbers.shape}")
        with self._lock:
            z = np.empty((len(X), self._net.outputs), np.float32)
            losses = self._step(parameters, X, y, z, numbers, None, lanes, m, smoothing, weights)
        if losses is not None:
            return LaneSums(losses, numbers, z)
        if len(lanes) > 2:  # each for itself, so that it does not matter who computes the others
            parts = [slice(*ends) for ends in pairwise(lanes.tolist())]
            joined = join_lanes(
                self.lane_sums(
                    parameters, X[part], y[part], m=m, bounds=(0, part.stop - part.start), smoothing=smoothing,
                    weights=None if weights is None else weights[part], into=numbers[lane : lane + 1],
                )
                for lane, part in enumerate(parts)
            )  # fmt: skip
            return joined._replace(numbers=numbers)
        textbook = Textbook(self.architecture)
        found = textbook.lane_sums(*_single(parameters, X), y, m=m, bounds=lanes, smoothing=smoothing, weights=weights)
        numbers[:] = 0
        numbers[:, self._places] = found.numbers
        return found._replace(numbers=numbers)

    @property
    def numbers(self) -> int:
        """How many `lane_sums` makes for a lane."""
        return int(self._net.sums)

    def name_sums(self, numbers: Array) -> Parameters:
        """The derivatives under their parameters' names, of numbers in the kernel's order: (…, numbers)."""
        return self._name(numbers.take(self._places, axis=-1))

    @cached_property
    def _places(self) -> Labels:
        """Where among a lane's numbers the derivative for each parameter is: (parameters,)."""
        digits = np.empty((2, self._net.parameters), np.float32)
        for digit, numbers in zip(digits, np.divmod(np.arange(self._net.sums), EXACT), strict=True):
            packed = numbers.astype(np.float32)
            self._kernel.unpack(self._arguments[0], _address(packed), _address(digit))
        places: Labels = digits[0].astype(np.intp) * EXACT + digits[1].astype(np.intp)
        return places

    def sum_lane(
        self, parameters: Parameters, X: Array, y: Labels, m: int, smoothing: float, weights: Array
    ) -> Gradients:
        """What some images add to the loss of a batch of m and to its derivatives, and their logits."""
        return self.add(self.lane_sums(parameters, X, y, m=m, bounds=(0, len(X)), smoothing=smoothing, weights=weights))

    def _step(
        self,
        parameters: Parameters,
        X: Array,
        y: Labels,
        z: Array,
        sums: Array,
        gradients: Array | None,
        bounds: Array,
        m: int,
        smoothing: float,
        weights: Array | None,
    ) -> Array | None:
        """Write the logits, and the sums of each lane; of all lanes where there is an array of gradients.

        Returns the lanes' losses, or None if a number is not finite.
        """
        job, losses = self._job, np.empty(len(bounds) - 1)
        y = np.ascontiguousarray(y, np.int64)
        if len(y) != len(X):
            raise ValueError(f"there are {len(X)} images and {len(y)} labels")
        job.y, job.m, job.smoothing = _address(y), m, smoothing
        if weights is not None:
            weights = np.ascontiguousarray(weights, np.float32)
            if weights.shape != y.shape:
                raise ValueError(f"there are {len(X)} images and weights of the shape {weights.shape}")
        job.weights = None if weights is None else _address(weights)
        job.losses, job.sums = _address(losses), _address(sums)
        job.gradients = None if gradients is None else _address(gradients)
        try:
            return losses if self._run(parameters, X, z, bounds) else None
        finally:
            job.y = None

    def _run(self, parameters: Parameters, X: Array, z: Array, bounds: Array) -> bool:
        """Have the job done; whether all numbers are finite."""
        job = self._job
        if X.shape[1:] != self.chain.image.shape:
            raise ValueError(
                f"images of the shape {X.shape[1:]} are not those of the network, {self.chain.image.shape}"
            )
        for name, view in self._views.items():
            view[...] = parameters[name]
        X = np.ascontiguousarray(X, np.float32)
        job.X, job.z, job.bounds = _address(X), _address(z), _address(bounds)
        job.images, job.lanes = len(X), len(bounds) - 1
        products = len(X) * self._products
        choice = self._choices[job.y is not None]
        job.threads = choice.choose(products)
        start = time.perf_counter()
        ticket = job.ticket
        try:
            begun = self._kernel.begin(*self._arguments)
            if begun and job.threads > 1:
                self._team.rouse()
        finally:  # an interrupt must not leave threads behind that write into arrays of this call
            if job.ticket != ticket:
                finite = bool(self._kernel.complete(*self._arguments))
        if not begun:
            raise IndexError("a label that is no class, or lanes that are not in order")
        choice.note(job.threads, products, time.perf_counter() - start)
        return finite

    def _own_cut(self, m: int) -> Array:
        """`cut` as the kernel reads it."""
        if m not in self._cuts:
            self._cuts[m] = np.array(self.cut(m), np.int64)
        return self._cuts[m]

    def _name(self, numbers: Array) -> Parameters:
        """Views of numbers (…, parameters) under the parameters' names and in their shapes."""
        return name_numbers(numbers, self.chain.parameter_shapes)


def _make_net(architecture: Architecture) -> Net:
    a = architecture
    net = Net(a.channels, a.height, a.width, a.kernel, a.pool, a.padding, a.outputs, len(a.filters))
    net.filters[: len(a.filters)] = a.filters
    return net


def _count_products(architecture: Architecture) -> float:
    """Products of an image's forward pass by the definition, twice: about what a step does."""
    chain = build_chain(architecture)
    shapes = chain.shapes
    blocks = sum(prod(shapes[f"w{i}"]) * prod(shapes[f"Z{i}"][1:]) for i in architecture.blocks)
    return 2.0 * (blocks + prod(chain.steps[-1].parameters[0].shape))


def _single(parameters: Parameters, X: Array) -> tuple[Parameters, Array]:
    return {name: value.astype(np.float32) for name, value in parameters.items()}, X.astype(np.float32)


def _zeros(count: int) -> Array:
    """So many zeros from the beginning of a cache line on."""
    memory = np.zeros(4 * count + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + 4 * count].view(np.float32)


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
