"""The note's definitions as plain Python loops over plain lists: an oracle that shares no line with the engine."""

from math import exp, log
from typing import Any

from cnncli.network.architecture import Architecture

Values = dict[str, Any]  # nested lists under the note's names, without a batch axis; gradients are for the mean loss


def slow_network(architecture: Architecture, parameters: Values, image: Any, label: int, m: int = 1) -> Values:
    """Every value and derivative of one image that is one of m in its batch."""
    v: Values = dict(parameters) | {"X": image}
    for i in architecture.blocks:
        _block_forward(architecture, v, i)
    last = architecture.dense
    v["F"] = [x for matrix in v[f"P{last - 1}"] for row in matrix for x in row]
    w, b = v[f"w{last}"], v[f"b{last}"]
    z = [b[k] + sum(w[k][d] * v["F"][d] for d in range(len(v["F"]))) for k in range(architecture.outputs)]
    v[f"z{last}"] = z
    _output(architecture, v, z, label, m)
    dz = v[f"dL/dz{last}"]
    v[f"dL/dw{last}"] = [[dz[k] * f for f in v["F"]] for k in range(len(z))]
    v[f"dL/db{last}"] = list(dz)
    v[f"dz{last}/dF"] = w
    v["dL/dF"] = [sum(w[k][d] * dz[k] for k in range(len(z))) for d in range(len(v["F"]))]
    N, p, q = architecture.shapes[f"P{last - 1}"]
    v[f"dL/dP{last - 1}"] = [[[v["dL/dF"][(n * p + i) * q + j] for j in range(q)] for i in range(p)] for n in range(N)]
    for i in reversed(architecture.blocks):
        _block_backward(architecture, v, i)
    return v


def _block_forward(architecture: Architecture, v: Values, block: int) -> None:
    k, s = architecture.kernel, architecture.pool
    P, w, b = v[architecture.block_input(block)], v[f"w{block}"], v[f"b{block}"]
    N, h, width = architecture.shapes[f"Z{block}"]
    C = len(P)
    Z = [
        [
            [
                b[n] + sum(P[c][i + u][j + t] * w[n][c][u][t] for c in range(C) for u in range(k) for t in range(k))
                for j in range(width)
            ]
            for i in range(h)
        ]
        for n in range(N)
    ]
    A = [[[x if x > 0 else 0.0 for x in row] for row in matrix] for matrix in Z]
    v[f"Z{block}"], v[f"A{block}"] = Z, A
    v[f"P{block}"] = [
        [
            [max(A[n][s * i + a][s * j + c] for a in range(s) for c in range(s)) for j in range(width // s)]
            for i in range(h // s)
        ]
        for n in range(N)
    ]


def _output(architecture: Architecture, v: Values, z: list[float], label: int, m: int) -> None:
    last = architecture.dense
    if architecture.outputs == 1:
        A = [1 / (1 + exp(-z[0]))]
        v["L"] = -(label * log(A[0]) + (1 - label) * log(1 - A[0])) / m
        v[f"dL/dA{last}"] = [(A[0] - label) / (A[0] * (1 - A[0])) / m]
        v[f"dA{last}/dz{last}"] = [A[0] * (1 - A[0])]
        v[f"dL/dz{last}"] = [(A[0] - label) / m]
    else:
        total = sum(exp(x) for x in z)
        A = [exp(x) / total for x in z]
        v["L"] = -log(A[label]) / m
        v[f"dL/dA{last}"] = [-1 / A[j] / m if j == label else 0.0 for j in range(len(z))]
        v[f"dA{last}/dz{last}"] = [[A[i] * ((i == j) - A[j]) for j in range(len(z))] for i in range(len(z))]
        v[f"dL/dz{last}"] = [(A[j] - (j == label)) / m for j in range(len(z))]
    v[f"A{last}"] = A


def _block_backward(architecture: Architecture, v: Values, block: int) -> None:
    k, s = architecture.kernel, architecture.pool
    source = architecture.block_input(block)
    P, w, A, Z = v[source], v[f"w{block}"], v[f"A{block}"], v[f"Z{block}"]
    N, h, width = architecture.shapes[f"Z{block}"]
    C, H, W = len(P), len(P[0]), len(P[0][0])
    dA = [[[0.0] * width for _ in range(h)] for _ in range(N)]
    for n in range(N):
        for i in range(h // s):
            for j in range(width // s):
                window = [(s * i + a, s * j + c) for a in range(s) for c in range(s)]
                row, column = max(window, key=lambda place: A[n][place[0]][place[1]])  # the first of equals
                dA[n][row][column] = v[f"dL/dP{block}"][n][i][j]
    mask = [[[1.0 if x > 0 else 0.0 for x in row] for row in matrix] for matrix in Z]
    dZ = [[[dA[n][i][j] * mask[n][i][j] for j in range(width)] for i in range(h)] for n in range(N)]
    dP = [[[0.0] * W for _ in range(H)] for _ in range(C)]
    dw = [[[[0.0] * k for _ in range(k)] for _ in range(C)] for _ in range(N)]
    for n in range(N):
        for i in range(h):
            for j in range(width):
                for c in range(C):
                    for u in range(k):
                        for t in range(k):
                            dw[n][c][u][t] += dZ[n][i][j] * P[c][i + u][j + t]
                            dP[c][i + u][j + t] += dZ[n][i][j] * w[n][c][u][t]
    v[f"dL/dA{block}"], v[f"dA{block}/dZ{block}"], v[f"dL/dZ{block}"] = dA, mask, dZ
    v[f"dL/dw{block}"], v[f"dL/d{source}"] = dw, dP
    v[f"dL/db{block}"] = [sum(x for row in matrix for x in row) for matrix in dZ]
