"""The shapes of a network: the one place that knows the name and the shape of every tensor."""

from dataclasses import dataclass
from functools import cached_property
from math import prod

from cnncli.errors import ArchitectureError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Architecture:
    """B blocks of conv → relu → maxpool, then flatten and one dense layer.

    One block and two classes is the note's network: a single sigmoid output. Three classes or more give one softmax
    output each. Raises ArchitectureError where a number is out of range or a block does not fit its input.
    """

    height: int
    width: int
    channels: int = 1
    filters: tuple[int, ...] = (8,)  # one number per block
    kernel: int = 3  # k: the kernels are k×k
    pool: int = 2  # s: the pooling windows are s×s, stride s
    classes: int = 2

    def __post_init__(self) -> None:
        for name, least in (("height", 1), ("width", 1), ("channels", 1), ("kernel", 1), ("pool", 1), ("classes", 2)):
            if getattr(self, name) < least:
                raise ArchitectureError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        if not self.filters or min(self.filters) < 1:
            raise ArchitectureError(
                f"filters is {list(self.filters)}; it needs one number of at least 1 for each block"
            )
        for block in self.blocks:
            self._check_fit(block)

    def _check_fit(self, block: int) -> None:
        """Refuse a block whose kernel or pooling window is larger than what it reads."""
        _, height, width = self.block_input_shape(block)
        if min(height, width) < self.kernel:
            raise ArchitectureError(
                f"block {block} does not fit: its {self.kernel}×{self.kernel} kernel is larger than its input "
                f"{self.block_input(block)}, {height}×{width}; use a larger image, a smaller kernel or fewer blocks"
            )
        height, width = height - self.kernel + 1, width - self.kernel + 1
        if min(height, width) < self.pool:
            raise ArchitectureError(
                f"block {block} does not fit: its {self.pool}×{self.pool} pooling window is larger than A{block}, "
                f"{height}×{width}; use a larger image, a smaller pool or fewer blocks"
            )

    @property
    def blocks(self) -> range:
        """The numbers of the blocks, 1 … B."""
        return range(1, len(self.filters) + 1)

    @property
    def dense(self) -> int:
        """The number of the dense layer, B + 1: its tensors are w{B+1}, b{B+1}, z{B+1}, A{B+1}."""
        return len(self.filters) + 1

    @property
    def outputs(self) -> int:
        """K: 1 for two classes (a sigmoid), else the number of classes (a softmax)."""
        return 1 if self.classes == 2 else self.classes

    @property
    def logit(self) -> str:
        """The name of the logit, "z2" for one block."""
        return f"z{self.dense}"

    @property
    def probability(self) -> str:
        """The name of the network's answer, "A2" for one block."""
        return f"A{self.dense}"

    def block_input(self, block: int) -> str:
        """The name of what a block reads: X, or the P of the block before."""
        return "X" if block == 1 else f"P{block - 1}"

    def block_input_shape(self, block: int) -> Shape:
        """The shape (C, H, W) of what a block reads."""
        shape: Shape = (self.channels, self.height, self.width)
        for filters in self.filters[: block - 1]:
            shape = (filters, *((side - self.kernel + 1) // self.pool for side in shape[1:]))
        return shape

    @cached_property
    def parameter_shapes(self) -> dict[str, Shape]:
        """The shape of every parameter, in order: w1, b1, …, w{B+1}, b{B+1}."""
        shapes: dict[str, Shape] = {}
        for block, filters in zip(self.blocks, self.filters, strict=True):
            shapes[f"w{block}"] = (filters, self.block_input_shape(block)[0], self.kernel, self.kernel)
            shapes[f"b{block}"] = (filters,)
        shapes[f"w{self.dense}"] = (self.outputs, prod(self.block_input_shape(self.dense)))
        shapes[f"b{self.dense}"] = (self.outputs,)
        return shapes

    @property
    def parameter_count(self) -> int:
        """How many numbers the network learns."""
        return sum(prod(shape) for shape in self.parameter_shapes.values())

    @cached_property
    def forward_shapes(self) -> dict[str, Shape]:
        """The shape, for one image, of every value of the forward pass, in order: Z1, A1, P1, …, F, z, A, L."""
        shapes: dict[str, Shape] = {}
        for block, filters in zip(self.blocks, self.filters, strict=True):
            _, height, width = self.block_input_shape(block)
            shapes[f"Z{block}"] = (filters, height - self.kernel + 1, width - self.kernel + 1)
            shapes[f"A{block}"] = shapes[f"Z{block}"]
            shapes[f"P{block}"] = self.block_input_shape(block + 1)
        shapes["F"] = (prod(self.block_input_shape(self.dense)),)
        shapes[self.logit] = (self.outputs,)
        shapes[self.probability] = (self.outputs,)
        shapes["L"] = ()
        return shapes

    @cached_property
    def gradient_shapes(self) -> dict[str, Shape]:
        """The shape, for one image, of every derivative, in the order in which they are taken."""
        value = {"X": self.block_input_shape(1), **self.parameter_shapes, **self.forward_shapes}
        z, A = self.logit, self.probability
        # A sigmoid answers each logit alone; a softmax mixes them, so its derivative is a K×K matrix.
        dA_dz = value[z] if self.outputs == 1 else (self.outputs, self.outputs)
        shapes = {f"dL/d{A}": value[A], f"d{A}/d{z}": dA_dz, f"dL/d{z}": value[z]}
        shapes |= {f"dL/d{name}": value[name] for name in (f"w{self.dense}", f"b{self.dense}")}
        shapes |= {f"d{z}/dF": value[f"w{self.dense}"], "dL/dF": value["F"]}
        for block in reversed(self.blocks):
            shapes |= {f"dL/d{name}": value[name] for name in (f"P{block}", f"A{block}")}
            shapes[f"dA{block}/dZ{block}"] = value[f"Z{block}"]
            shapes |= {f"dL/d{name}": value[name] for name in (f"Z{block}", f"w{block}", f"b{block}")}
        return shapes | {"dL/dX": value["X"]}

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every tensor of one image's forward and backward pass, in the order of computation."""
        inputs: dict[str, Shape] = {"X": self.block_input_shape(1), "y": ()}
        return inputs | self.parameter_shapes | self.forward_shapes | self.gradient_shapes
