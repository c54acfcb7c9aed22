"""The numbers that describe a network, and their defaults. What follows from them is in chain.py. Imports no NumPy."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

from cnncli.errors import ArchitectureError

Pooling = Literal["max", "average"]
MOST_BLOCKS = 1000
LEAST = {
    "height": 1,
    "width": 1,
    "channels": 1,
    "kernel": 1,
    "pool": 1,
    "classes": 2,
    "padding": 0,
    "stride": 1,
    "dilation": 1,
}


@dataclass(frozen=True)
class Architecture:
    """B blocks of conv → relu → pooling, then flatten and one dense layer.

    One block and two classes is the note's network: a single sigmoid output. Three classes or more give one softmax
    output each. Raises ArchitectureError where a number is out of range; whether the blocks fit the image shows when
    the chain is built.
    """

    height: int
    width: int
    channels: int = 1
    filters: tuple[int, ...] = (8,)  # one number per block
    kernel: int = 3  # k: the kernels are k×k
    pool: int = 2  # s: the pooling windows are s×s
    classes: int = 2
    pooling: Pooling = "max"
    padding: int = 0  # p: rows and columns of zeros around what each kernel reads
    stride: int = 1  # t: from one position of a kernel to the next
    dilation: int = 1  # d: from one number that a kernel reads to the next
    pool_stride: int | None = None  # from one pooling window to the next; s where None

    def __post_init__(self) -> None:
        require_whole_numbers(vars(self))
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise ArchitectureError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        if self.pool_stride is not None and self.pool_stride < 1:
            raise ArchitectureError(f"pool_stride is {self.pool_stride}; it must be at least 1")
        if self.pooling not in get_args(Pooling):
            raise ArchitectureError(f"pooling is {self.pooling!r}; it is one of {', '.join(get_args(Pooling))}")
        if len(self.filters) > MOST_BLOCKS:
            raise ArchitectureError(f"filters has {len(self.filters):,} blocks; there may be {MOST_BLOCKS:,}")
        if not self.filters or min(self.filters) < 1:
            raise ArchitectureError(
                f"filters is {list(self.filters)}; it needs one number of at least 1 for each block"
            )

    @property
    def blocks(self) -> range:
        """The numbers of the blocks, 1 … B."""
        return range(1, len(self.filters) + 1)

    @property
    def outputs(self) -> int:
        """K: 1 for two classes (a sigmoid), else the number of classes (a softmax)."""
        return 1 if self.classes == 2 else self.classes

    @property
    def summary(self) -> str:
        """The network in a line: "filters 8,16, kernel 3, pool 2"."""
        unusual = "".join(
            f", {name} {getattr(self, name)}"
            for name in ("padding", "stride", "dilation")
            if getattr(self, name) != getattr(Architecture, name)
        )
        pooling = f" ({self.pooling})" if self.pooling != Architecture.pooling else ""
        apart = f", pool stride {self.window_stride}" if self.window_stride != self.pool else ""
        filters = ",".join(map(str, self.filters))
        return f"filters {filters}, kernel {self.kernel}{unusual}, pool {self.pool}{apart}{pooling}"

    @property
    def window_stride(self) -> int:
        """From one pooling window to the next: s where nothing else was chosen."""
        return self.pool_stride or self.pool


def require_whole_numbers(fields: Mapping[str, object]) -> None:
    """Raise ArchitectureError for a field of Architecture that must be a whole number, or some, and is not."""
    for name in (*LEAST, "filters", "pool_stride"):
        value = fields.get(name)
        if value is None and (name == "pool_stride" or name not in fields):
            continue
        for number in value if isinstance(value, tuple) and name == "filters" else (value,):
            if not isinstance(number, Integral) or isinstance(number, bool):
                raise ArchitectureError(f"is {number!r}, not a whole number", argument=name)
