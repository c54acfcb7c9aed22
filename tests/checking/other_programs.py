"""Backward passes that share no line with the package: PyTorch's autograd, and NumPy with patches as columns.

Each gives every gradient of a subject under the names of the derivatives, in float64; sums are taken in other orders.
"""

from collections.abc import Mapping
from types import EllipsisType

import numpy as np

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.subject.subject import Subject


def differentiate_by_torch(subject: Subject) -> dict[str, Array]:
    """By torch.autograd."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    a = subject.architecture
    values = {name: torch.tensor(value, requires_grad=True) for name, value in subject.parameters.items()}
    last = len(a.filters) + 1
    P = values["X"] = torch.tensor(subject.X, requires_grad=True)
    pool = functional.max_pool2d if a.pooling == "max" else functional.avg_pool2d
    lie = {"stride": a.stride, "padding": a.padding, "dilation": a.dilation}
    for i in a.blocks:
        Z = values[f"Z{i}"] = functional.conv2d(P, values[f"w{i}"], values[f"b{i}"], **lie)
        A = values[f"A{i}"] = torch.relu(Z)
        P = values[f"P{i}"] = pool(A, a.pool, a.window_stride)
    F = values["F"] = P.flatten(1)
    z = values[f"z{last}"] = functional.linear(F, values[f"w{last}"], values[f"b{last}"])
    y = torch.tensor(subject.y)
    if a.outputs == 1:
        L = functional.binary_cross_entropy_with_logits(z[:, 0], y.double())
    else:
        L = functional.cross_entropy(z, y)
    gradients = torch.autograd.grad(L, list(values.values()))
    return {f"dL/d{name}": gradient.numpy() for name, gradient in zip(values, gradients, strict=True)}


def differentiate_by_columns(subject: Subject) -> dict[str, Array]:
    """By hand: patches as columns, every sum from its end, A - y as it stands."""
    a, given = subject.architecture, subject.parameters
    forward = {"P0": subject.X}
    columns = {}
    for i in a.blocks:
        w = given[f"w{i}"]
        columns[i] = _columns(forward[f"P{i - 1}"], a)  # (m, C·k·k, h, w)
        flat = w.reshape(len(w), -1)
        Z = np.einsum("nq,mqhw->mnhw", flat[:, ::-1], columns[i][:, ::-1]) + given[f"b{i}"][:, None, None]
        forward[f"Z{i}"], forward[f"A{i}"] = Z, Z * (Z > 0)
        forward[f"P{i}"] = _pool(forward[f"A{i}"], a)
    last = len(a.filters) + 1
    P = forward[f"P{last - 1}"]
    F = P.reshape(len(P), -1)
    z = F[:, ::-1] @ given[f"w{last}"][:, ::-1].T + given[f"b{last}"]
    dz = _differentiate_loss(z, subject.y)
    gradients = {f"z{last}": dz, f"w{last}": (F[::-1].T @ dz[::-1]).T, f"b{last}": dz[::-1].sum(axis=0)}
    gradients["F"] = (given[f"w{last}"].T @ dz.T).T
    dP = gradients["F"].reshape(P.shape)
    for i in reversed(a.blocks):
        gradients[f"P{i}"] = dP
        dA = gradients[f"A{i}"] = _unpool(forward[f"A{i}"], dP, a)
        dZ = gradients[f"Z{i}"] = np.where(forward[f"Z{i}"] > 0, dA, 0)
        w = given[f"w{i}"]
        gradients[f"w{i}"] = np.einsum("mnhw,mqhw->nq", dZ[::-1], columns[i][::-1]).reshape(w.shape)
        gradients[f"b{i}"] = dZ[:, :, ::-1, ::-1].sum(axis=(2, 3)).sum(axis=0)
        d_columns = np.einsum("nq,mnhw->mqhw", w.reshape(len(w), -1), dZ)
        dP = _scatter(d_columns, forward[f"P{i - 1}"].shape, a)
    gradients["X"] = dP
    names = [tensor.name for tensor in build_chain(a).gradients.values()]
    return {f"dL/d{name}": gradients[name] for name in names}


PROGRAMS = {"torch": differentiate_by_torch, "columns": differentiate_by_columns}


def _differentiate_loss(z: Array, y: Array) -> Array:
    if z.shape[1] == 1:
        with np.errstate(over="ignore"):
            return (1 / (1 + np.exp(-z)) - y[:, None]) / len(z)
    A = np.exp(z - z.max(axis=1, keepdims=True))
    A = A / A.sum(axis=1, keepdims=True)
    gradient: Array = (A - np.eye(z.shape[1])[y]) / len(z)
    return gradient


def _columns(P: Array, a: Architecture) -> Array:
    p = a.padding
    P = np.pad(P, ((0, 0), (0, 0), (p, p), (p, p)))
    parts = [P[place] for place in _positions(P.shape[2:], a.kernel, a.dilation, a.stride)]
    out = np.stack(parts, axis=2)  # (m, C, k·k, h, w)
    return out.reshape(len(out), -1, *out.shape[3:])


def _scatter(columns: Array, shape: tuple[int, ...], a: Architecture) -> Array:
    m, C, H, W = shape
    p = a.padding
    parts = columns.reshape(m, C, -1, *columns.shape[2:])
    out = np.zeros((m, C, H + 2 * p, W + 2 * p))
    places = _positions(out.shape[2:], a.kernel, a.dilation, a.stride)
    for number, place in reversed(list(enumerate(places))):
        out[place] += parts[:, :, number]
    return out[:, :, p : p + H, p : p + W]


def _pool(A: Array, a: Architecture) -> Array:
    parts = [A[place] for place in _positions(A.shape[2:], a.pool, 1, a.window_stride)]
    if a.pooling == "max":
        largest: Array = np.maximum.reduce(parts)
        return largest
    total: Array = np.add.reduce(parts[::-1]) * (1 / a.pool**2)
    return total


def _unpool(A: Array, dP: Array, a: Architecture) -> Array:
    dA, free = np.zeros(A.shape), np.ones(dP.shape, bool)
    largest = _pool(A, a) if a.pooling == "max" else None
    for place in _positions(A.shape[2:], a.pool, 1, a.window_stride):
        if largest is None:
            dA[place] += dP * (1 / a.pool**2)
        else:
            wins = free & (A[place] == largest)
            dA[place] += np.where(wins, dP, 0)
            free &= ~wins
    return dA


def _positions(sides: tuple[int, ...], k: int, d: int, t: int) -> list[tuple[EllipsisType | slice, ...]]:
    """What all windows of k×k, d apart inside and t apart from each other, hold at each of their places."""
    ends = [(side - d * (k - 1) - 1) // t * t + 1 for side in sides]
    return [
        (..., *(slice(d * at, d * at + end, t) for at, end in zip(place, ends, strict=True)))
        for place in np.ndindex(k, k)
    ]


def scale_subject(subject: Subject, random: np.random.Generator) -> Subject:
    """The same with every tensor at a size of its own, from 1e-8 to 1e8."""

    def scaled(value: Array) -> Array:
        result: Array = value * 10.0 ** random.uniform(-8, 8)
        return result

    parameters: Mapping[str, Array] = {name: scaled(value) for name, value in subject.parameters.items()}
    return Subject(
        subject.architecture,
        dict(parameters),
        subject.classes,
        scaled(subject.X),
        subject.y,
        subject.images,
        subject.origin,
    )
