"""F = flatten(P): no parameters, it only moves numbers."""

from cnncli.network.arrays import Array, Shape


def flatten(P: Array) -> Array:
    """Row-major, filter, row, column: P (m, N, p, q) → F (m, D)."""
    return P.reshape(len(P), -1)


def flatten_backward(dF: Array, shape: Shape) -> Array:
    """dL/dP = dL/dF in the shape of P: dF (m, D), shape (N, p, q) → (m, N, p, q)."""
    return dF.reshape(-1, *shape)
