"""How much memory a network needs, and how much there is: every command asks before it allocates.

The need is an upper bound that follows from the shapes of the chain, per image; the tests hold it against what is
really allocated.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from math import prod
from pathlib import Path

from cnncli.errors import ArchitectureError, CnncliError, UsageError
from cnncli.limits import addresses_left
from cnncli.network.architecture import Architecture
from cnncli.network.chain import Chain, build_chain
from cnncli.network.steps.step import Step

FLOAT64, FLOAT32 = 8, 4  # bytes
SUMS = 36  # copies of the parameters that training holds: one for each lane, those of the optimiser, the best ones
BYTES_OF_NUMBER = 100  # of one that is written out: as a Python float, and about 20 characters twice
MODEST_SIDE = 12  # pixels, of an image
CGROUP = Path("/sys/fs/cgroup")

# The network with one of its numbers as small as it is where nobody chose it.
SMALLER: Mapping[str, Callable[[Architecture], Architecture]] = {
    "image_size": lambda a: replace(a, height=min(a.height, MODEST_SIDE), width=min(a.width, MODEST_SIDE)),
    "filters": lambda a: replace(a, filters=tuple(min(n, Architecture.filters[0]) for n in a.filters)),
    "classes": lambda a: replace(a, classes=min(a.classes, Architecture.classes)),
    "kernel": lambda a: replace(a, kernel=min(a.kernel, Architecture.kernel)),
    "padding": lambda a: replace(a, padding=min(a.padding, Architecture.padding)),
}


def require(
    estimate: Callable[[Architecture], int],
    architecture: Architecture,
    what: str,
    *,
    error: type[CnncliError] = UsageError,
    remedy: str | None = None,
    fixed: bool = False,
) -> None:
    """Raise `error` where a network needs more bytes than this process may still allocate.

    The sentence says how much `what` needs and which argument makes it smaller: `remedy`, or the one of the network
    that makes most difference, unless the network is `fixed`.
    """
    needed, free = estimate(architecture), available()
    if needed <= free:
        return
    sentence = f"{what} needs {describe_size(needed)} of memory, and {describe_size(free)} are free"
    if remedy is None and not fixed:
        remedy = _find_remedy(estimate, architecture)
    raise error(f"{sentence}: make it smaller" if remedy else sentence, remedy=remedy)


def _find_remedy(estimate: Callable[[Architecture], int], architecture: Architecture) -> str | None:
    """The argument that makes most difference."""
    sizes = {}
    for argument, make_smaller in SMALLER.items():
        with suppress(ArchitectureError):  # what is too small for the rest of the network
            sizes[argument] = estimate(make_smaller(architecture))
    return min(sizes, key=lambda argument: sizes[argument], default=None)


def describe_size(size: int) -> str:
    """Bytes for people: "383 kB", "23 MB", "4.0 GB", "1,234 GB"."""
    if size < 1 << 20:
        return f"{size / 2**10:.0f} kB"
    if size < 1 << 30:
        return f"{size / 2**20:.0f} MB"
    return f"{size / 2**30:,.1f} GB" if size < 100 << 30 else f"{size >> 30:,} GB"


def available() -> int:
    """The bytes that this process may still allocate: by the machine, by its control group, by its own limits."""
    left = addresses_left()
    return max(min(_free_memory(), _left_in_group(), physical() if left is None else left), 0)


def physical() -> int:
    """The machine's memory in bytes; where it does not tell, 4 GB."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 << 30


def _free_memory() -> int:
    """What Linux says is available; elsewhere all that the machine has."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return physical()


def _left_in_group() -> int:
    with suppress(OSError, ValueError):  # "max" where there is no limit
        most = int((CGROUP / "memory.max").read_text(encoding="ascii"))
        return most - int((CGROUP / "memory.current").read_text(encoding="ascii"))
    return physical()


def estimate_prediction(architecture: Architecture, images: int) -> int:
    """The bytes of a forward pass in float32 over so many images, with their pixels and the parameters."""
    chain = build_chain(architecture)
    numbers = images * (2 * prod(chain.image.shape) + 2 * _values(chain) + _scratch(chain, architecture))
    return FLOAT32 * (numbers + SUMS * chain.parameter_count)


def estimate_training(architecture: Architecture, batch: int) -> int:
    """The bytes of training on batches of so many images in float32; the data set itself is left out."""
    chain = build_chain(architecture)
    numbers = batch * (2 * prod(chain.image.shape) + 3 * _values(chain) + 2 * _scratch(chain, architecture))
    return FLOAT32 * (numbers + SUMS * chain.parameter_count)


def estimate_trace(architecture: Architecture, images: int) -> int:
    """The bytes of a recorded forward and backward pass in float64."""
    chain = build_chain(architecture)
    record = sum(prod(tensor.shape) for tensor in chain.tensors.values())
    return FLOAT64 * (2 * images * record + images * 2 * _scratch(chain, architecture))


def estimate_text(architecture: Architecture) -> int:
    """The bytes of a trace of one image, and of every number of it written out."""
    values = sum(prod(tensor.shape) for tensor in build_chain(architecture).tensors.values())
    return estimate_trace(architecture, 1) + BYTES_OF_NUMBER * values


def estimate_gradcheck(architecture: Architecture, images: int) -> int:
    """The bytes of a check of every derivative: the record, the sizes of its terms, copies of it, and the verdicts."""
    chain = build_chain(architecture)
    entries = images * _values(chain) + chain.parameter_count
    return 4 * estimate_trace(architecture, images) + 12 * FLOAT64 * entries


def _values(chain: Chain) -> int:
    """The numbers of one image and of every value of its forward pass."""
    return prod(chain.image.shape) + sum(prod(step.output.shape) for step in chain.steps)


def _scratch(chain: Chain, architecture: Architecture) -> int:
    """The largest array that one step makes on its way, forwards or back: what each of its positions reads, copied."""
    return max(_copies(step, architecture) for step in chain.steps)


def _copies(step: Step, architecture: Architecture) -> int:
    """Of a step with weights (N, C, …) the patches of its output, and of its source on the way back; else windows."""
    if step.parameters:
        N, C, *window = step.parameters[0].shape
        back = [side + 2 * architecture.padding for side in step.source.shape[1:]]
        return prod(window) * (C * prod(step.output.shape[1:]) + N * prod(back))
    read, made = prod(step.source.shape), prod(step.output.shape)
    return 2 * (read if read == made else max(read, made * architecture.pool**2))
