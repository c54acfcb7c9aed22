"""The note's definitions as plain Python loops over plain lists: an oracle that shares no line with the engine.

Of the architecture it reads the chosen numbers alone; every shape is found from the lists themselves.
"""

from math import exp, log
from typing import Any

from cnncli.network.architecture import Architecture

Values = dict[str, Any]  # nested lists under the note's names, without a batch axis; gradients are for the mean loss


def slow_network(architecture: Architecture, parameters: Values, image: Any, label: int, m: int = 1) -> Values:
    """Every value and derivative of one image that is one of m in its batch."""
    v: Values = dict(parameters) | {"X": image}
    count = len(architecture.filters)
    for i in range(1, count + 1):
        _block_forward(architecture, v, i)
    last = count + 1
    v["F"] = [x for matrix in v[f"P{count}"] for row in matrix for x in row]
    w, b = v[f"w{last}"], v[f"b{last}"]
    z = [b[k] + sum(w[k][d] * v["F"][d] for d in range(len(v["F"]))) for k in range(len(w))]
    v[f"z{last}"] = z
    _output(architecture, v, z, label, m)
    dz = v[f"dL/dz{last}"]
    v[f"dL/dw{last}"] = [[dz[k] * f for f in v["F"]] for k in range(len(z))]
    v[f"dL/db{last}"] = list(dz)
    v[f"dz{last}/dF"] = w
    v["dL/dF"] = [sum(w[k][d] * dz[k] for k in range(len(z))) for d in range(len(v["F"]))]
    P = v[f"P{count}"]
    N, p, q = len(P), len(P[0]), len(P[0][0])
    v[f"dL/dP{count}"] = [[[v["dL/dF"][(n * p + i) * q + j] for j in range(q)] for i in range(p)] for n in range(N)]
    for i in range(count, 0, -1):
        _block_backward(architecture, v, i)
    return v


def _source(block: int) -> str:
    return f"P{block - 1}" if block > 1 else "X"


def _framed(matrix: Any, border: int) -> Any:
    """A matrix with so many rows and columns of zeros on each of its four sides."""
    wide = len(matrix[0]) + 2 * border
    return (
        [[0.0] * wide for _ in range(border)]
        + [[0.0] * border + list(row) + [0.0] * border for row in matrix]
        + [[0.0] * wide for _ in range(border)]
    )


def _block_forward(architecture: Architecture, v: Values, block: int) -> None:
    k, t, d = architecture.kernel, architecture.stride, architecture.dilation
    s, apart = architecture.pool, architecture.pool_stride or architecture.pool
    P = [_framed(matrix, architecture.padding) for matrix in v[_source(block)]]
    w, b = v[f"w{block}"], v[f"b{block}"]
    C, N = len(P), len(w)
    h, width = ((side - d * (k - 1) - 1) // t + 1 for side in (len(P[0]), len(P[0][0])))
    Z = [
        [
            [
                b[n]
                + sum(
                    P[c][t * i + d * u][t * j + d * e] * w[n][c][u][e]
                    for c in range(C)
                    for u in range(k)
                    for e in range(k)
                )
                for j in range(width)
            ]
            for i in range(h)
        ]
        for n in range(N)
    ]
    A = [[[x if x > 0 else 0.0 for x in row] for row in matrix] for matrix in Z]
    v[f"Z{block}"], v[f"A{block}"] = Z, A
    pooled = _mean if architecture.pooling == "average" else max
    v[f"P{block}"] = [
        [
            [
                pooled([A[n][apart * i + a][apart * j + c] for a in range(s) for c in range(s)])
                for j in range((width - s) // apart + 1)
            ]
            for i in range((h - s) // apart + 1)
        ]
        for n in range(N)
    ]


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def _output(architecture: Architecture, v: Values, z: list[float], label: int, m: int) -> None:
    last = len(architecture.filters) + 1
    if architecture.classes == 2:
        A = [1 / (1 + exp(-z[0]))]
        rest = 1 / (1 + exp(z[0]))  # 1 - A, without the digits that the difference would lose near A = 1
        off = -rest if label == 1 else A[0]  # A - y
        v["L"] = -(label * log(A[0]) + (1 - label) * log(rest)) / m
        v[f"dL/dA{last}"] = [off / (A[0] * rest) / m]
        v[f"dA{last}/dz{last}"] = [A[0] * rest]
        v[f"dL/dz{last}"] = [off / m]
    else:
        total = sum(exp(x) for x in z)
        A = [exp(x) / total for x in z]
        v["L"] = -log(A[label]) / m
        v[f"dL/dA{last}"] = [-1 / A[j] / m if j == label else 0.0 for j in range(len(z))]
        v[f"dA{last}/dz{last}"] = [[A[i] * ((i == j) - A[j]) for j in range(len(z))] for i in range(len(z))]
        v[f"dL/dz{last}"] = [(A[j] - (j == label)) / m for j in range(len(z))]
    v[f"A{last}"] = A


def _pool_backward(architecture: Architecture, A: Any, dP: Any) -> Any:
    s, apart = architecture.pool, architecture.pool_stride or architecture.pool
    dA = [[[0.0 for _ in row] for row in matrix] for matrix in A]
    for n in range(len(dP)):
        for i in range(len(dP[n])):
            for j in range(len(dP[n][i])):
                window = [(apart * i + a, apart * j + c) for a in range(s) for c in range(s)]
                if architecture.pooling == "average":
                    for row, column in window:
                        dA[n][row][column] += dP[n][i][j] / len(window)
                else:
                    row, column = max(window, key=lambda place: A[n][place[0]][place[1]])  # the first of equals
                    dA[n][row][column] += dP[n][i][j]
    return dA


def _block_backward(architecture: Architecture, v: Values, block: int) -> None:
    k, r, t, d = architecture.kernel, architecture.padding, architecture.stride, architecture.dilation
    source = _source(block)
    P, w, A, Z = [_framed(matrix, r) for matrix in v[source]], v[f"w{block}"], v[f"A{block}"], v[f"Z{block}"]
    N, h, width = len(Z), len(Z[0]), len(Z[0][0])
    C, H, W = len(P), len(P[0]), len(P[0][0])
    dA = _pool_backward(architecture, A, v[f"dL/dP{block}"])
    mask = [[[1.0 if x > 0 else 0.0 for x in row] for row in matrix] for matrix in Z]
    dZ = [[[dA[n][i][j] * mask[n][i][j] for j in range(width)] for i in range(h)] for n in range(N)]
    dP = [[[0.0] * W for _ in range(H)] for _ in range(C)]
    dw = [[[[0.0] * k for _ in range(k)] for _ in range(C)] for _ in range(N)]
    for n in range(N):
        for i in range(h):
            for j in range(width):
                for c in range(C):
                    for u in range(k):
                        for e in range(k):
                            row, column = t * i + d * u, t * j + d * e
                            dw[n][c][u][e] += dZ[n][i][j] * P[c][row][column]
                            dP[c][row][column] += dZ[n][i][j] * w[n][c][u][e]
    v[f"dL/dA{block}"], v[f"dA{block}/dZ{block}"], v[f"dL/dZ{block}"] = dA, mask, dZ
    v[f"dL/dw{block}"] = dw
    v[f"dL/d{source}"] = [[row[r : W - r] for row in matrix[r : H - r]] for matrix in dP]
    v[f"dL/db{block}"] = [sum(x for row in matrix for x in row) for matrix in dZ]
