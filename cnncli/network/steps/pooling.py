"""What all pooling has in common: windows of s×s with stride s, and a rest that fills none of them."""

import numpy as np

from cnncli.errors import ArchitectureError
from cnncli.network.arrays import Array
from cnncli.network.tensors import Shape, Tensor


def pooled_tensor(A: Tensor, s: int, block: int) -> Tensor:
    """P (N, ⌊h/s⌋, ⌊w/s⌋) of A (N, h, w). Raises ArchitectureError where the window is larger than A."""
    N, h, w = A.shape
    if min(h, w) < s:
        raise ArchitectureError(
            f"block {block} does not fit: its {s}×{s} pooling window is larger than {A.name}, {h}×{w}; "
            "use a larger image, a smaller pool or fewer blocks"
        )
    return Tensor(f"P{block}", "value", "Npq", (N, h // s, w // s), block)


def windows(A: Array, s: int) -> Array:
    """The numbers of every window, row by row: (m, N, h, w) → (m, N, ⌊h/s⌋, ⌊w/s⌋, s²)."""
    m, N, h, w = A.shape
    p, q = h // s, w // s
    tiled = A[:, :, : p * s, : q * s].reshape(m, N, p, s, q, s)
    return tiled.swapaxes(3, 4).reshape(m, N, p, q, s * s)


def put_back(numbers: Array, shape: Shape) -> Array:
    """The opposite of `windows`, with 0 in the rest: (m, N, p, q, s²) → (m, N, h, w)."""
    m, N, p, q, squared = numbers.shape
    s = round(squared**0.5)
    A = np.zeros(shape, numbers.dtype)  # (m, N, h, w)
    A[:, :, : p * s, : q * s] = numbers.reshape(m, N, p, q, s, s).swapaxes(3, 4).reshape(m, N, p * s, q * s)
    return A
