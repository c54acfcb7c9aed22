"""Numbers that a person brings: a small matrix as the image, and weights by name."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnncli.data.number_reader import PARSERS, read_array, read_arrays
from cnncli.errors import DataError, UsageError
from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Parameters
from cnncli.network.chain import build_chain
from cnncli.subject.fresh import FreshNetwork

MATRIX_SUFFIXES = (".csv", ".txt", ".npy")


def are_matrices(images: Sequence[Path]) -> bool:
    """Whether these are files of numbers, not image files. Raises UsageError where some are and some are not."""
    numbers = [path.suffix.lower() in MATRIX_SUFFIXES for path in images]
    if any(numbers) and not all(numbers):
        raise UsageError("image files and matrices of numbers cannot be looked at together: name one kind")
    return any(numbers)


def read_matrices(paths: Sequence[Path]) -> Array:
    """Matrices of one size as images, the numbers as they are: (m, C, H, W) float64. Raises DataError."""
    matrices = [_read_matrix(path) for path in paths]
    for path, matrix in zip(paths, matrices, strict=True):
        if matrix.shape != matrices[0].shape:
            raise DataError(f"{path} has the shape {matrix.shape}, but {paths[0]} has {matrices[0].shape}")
    return np.stack(matrices)


def read_weights(path: Path) -> Parameters:
    """Arrays by name, float64, from a .npz, .safetensors or .json file. Raises UsageError and DataError."""
    if path.suffix.lower() not in PARSERS:
        raise UsageError(f"{path}: weights are read from {', '.join(PARSERS)} files", argument="weights")
    arrays = read_arrays(path, "does not hold arrays of numbers by name")
    known = {name.lower() if name.lower() not in arrays else name: value for name, value in arrays.items()}  # W1 is w1
    return {name: _to_finite_float64(value, f"{path}: {name}") for name, value in known.items()}


def describe_network(weights: Parameters, fresh: FreshNetwork) -> FreshNetwork:
    """The network that the weights' shapes tell of, where nothing else was chosen.

    Weights of four axes are filters (N, C, k, k), and so is a w1 of two, k×k; the weights after the last filters are
    the dense layer's, (K, D).
    """
    filters: list[int] = []
    while (w := weights.get(f"w{len(filters) + 1}")) is not None and (w.ndim == 4 or (w.ndim == 2 and not filters)):
        filters.append(len(w) if w.ndim == 4 else 1)
    blocks = fresh.filters or tuple(filters) or None
    dense = weights.get(f"w{len(blocks or (1,)) + 1}")
    told: dict[str, object] = {"filters": blocks} if blocks else {}
    if filters:
        told["kernel"] = weights["w1"].shape[-1]
    classes = len(dense) if dense is not None and dense.ndim == 2 and len(dense) > 1 else None
    return replace(fresh, network={**told, **fresh.network}, classes=fresh.classes or classes)


def fit_weights(weights: Parameters, architecture: Architecture, path: Path) -> Parameters:
    """The weights in the shapes of the architecture; axes of length 1 may be left out.

    Raises DataError for a name that is no parameter and for a shape that does not fit.
    """
    shapes = build_chain(architecture).parameter_shapes
    for name, value in weights.items():
        if name not in shapes:
            raise DataError(f"{path}: {name} is no parameter of this network, which has {', '.join(shapes)}")
        if _drop_ones(value.shape) != _drop_ones(shapes[name]):
            raise DataError(f"{path}: {name} has the shape {value.shape}, this network needs {shapes[name]}")
    return {name: value.reshape(shapes[name]) for name, value in weights.items()}


def _drop_ones(shape: tuple[int, ...]) -> list[int]:
    return [length for length in shape if length != 1]


def _read_matrix(path: Path) -> Array:
    """Numbers in rows, (C, H, W) float64; a .npy file may hold several channels."""
    matrix = _to_finite_float64(read_array(path, "is no matrix of numbers"), str(path))
    if matrix.ndim not in (2, 3) or not matrix.size:
        raise DataError(f"{path} has the shape {matrix.shape}: an image is (H, W) or (C, H, W)")
    return matrix.reshape(-1, *matrix.shape[-2:])


def _to_finite_float64(numbers: Array, where: str) -> Array:
    """The same numbers. Raises DataError, which says where, for one that is not finite, or not in float64."""
    with np.errstate(over="ignore"):  # a number of more than 64 bits
        converted = numbers.astype(np.float64)
    if not np.isfinite(converted).all():
        raise DataError(f"{where} has entries that are not finite numbers")
    return converted
