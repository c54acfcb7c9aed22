"""Mistakes that people make in backward passes, and whether an edit undoes each of them, to the letter."""

from functools import cache
from statistics import median

import pytest

from cnncli.checking.repair.edits.joint import list_joint_edits
from cnncli.checking.repair.edits.list import list_edits
from cnncli.checking.repair.edits.reach import find_reachable
from cnncli.checking.repair.source import Source

CONV = """
def conv_backward(X, w1, dZ1):
    m, C, H, W = X.shape
    N, _, k, _ = w1.shape
    h, w = dZ1.shape[2:]
    dX = np.zeros_like(X)
    dw1 = np.zeros_like(w1)
    for n in range(m):
        for f in range(N):
            for i in range(h):
                for j in range(w):
                    dX[n, :, i:i + k, j:j + k] += w1[f] * dZ1[n, f, i, j]
                    dw1[f] += X[n, :, i:i + k, j:j + k] * dZ1[n, f, i, j]
    db1 = dZ1.sum(axis=(0, 2, 3))
    return dX, dw1, db1
"""
FULL = """
def correlate(a, w):
    k = w.shape[-1]
    h, v = a.shape[2] - k + 1, a.shape[3] - k + 1
    out = np.zeros((a.shape[0], w.shape[0], h, v))
    for r in range(k):
        for c in range(k):
            out += np.einsum("mcij,nc->mnij", a[:, :, r:r + h, c:c + v], w[:, :, r, c])
    return out


def conv_backward(X, w1, dZ1):
    k = w1.shape[-1]
    turned = w1[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    padded = np.pad(dZ1, ((0, 0), (0, 0), (k - 1, k - 1), (k - 1, k - 1)))
    dX = correlate(padded, turned)
    dw1 = correlate(X.transpose(1, 0, 2, 3), dZ1.transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3)
    return dX, dw1, dZ1.sum(axis=(0, 2, 3))
"""
COLUMNS = """
def im2col(X, k, stride):
    m, C, H, W = X.shape
    oh = (H - k) // stride + 1
    ow = (W - k) // stride + 1
    cols = np.empty((m, C, k, k, oh, ow))
    for y in range(k):
        for x in range(k):
            cols[:, :, y, x] = X[:, :, y:y + stride * oh:stride, x:x + stride * ow:stride]
    return cols.transpose(0, 4, 5, 1, 2, 3).reshape(m * oh * ow, -1)


def conv_backward(X, w1, dZ1, stride):
    N, C, k, _ = w1.shape
    cols = im2col(X, k, stride)
    dout = dZ1.transpose(0, 2, 3, 1).reshape(-1, N)
    dw1 = np.dot(dout.T, cols).reshape(N, C, k, k)
    return None, dw1, np.sum(dout, axis=0)
"""
MAXPOOL = """
def maxpool_backward(A1, dP1, pool, pool_stride):
    dA1 = np.zeros_like(A1)
    m, N, p, q = dP1.shape
    for b in range(m):
        for n in range(N):
            for i in range(p):
                for j in range(q):
                    top, left = i * pool_stride, j * pool_stride
                    window = A1[b, n, top:top + pool, left:left + pool]
                    r, c = np.unravel_index(np.argmax(window), window.shape)
                    dA1[b, n, top + r, left + c] += dP1[b, n, i, j]
    return dA1
"""
SCATTER = """
def maxpool_backward(A1, dP1, pool):
    m, N, p, q = dP1.shape
    cut = A1[:, :, :p * pool, :q * pool].reshape(m, N, p, pool, q, pool)
    flat = cut.transpose(0, 1, 2, 4, 3, 5).reshape(m, N, p, q, pool * pool)
    best = flat.argmax(axis=-1)
    b, n, i, j = np.indices(best.shape)
    dA1 = np.zeros_like(A1)
    dA1[b, n, i * pool + best // pool, j * pool + best % pool] = dP1
    return dA1
"""
AVGPOOL = """
def avgpool_backward(A1, dP1, pool):
    m, N, h, w = A1.shape
    p, q = h // pool, w // pool
    dA1 = np.zeros((m, N, h, w))
    share = dP1 / (pool * pool)
    dA1[:, :, :p * pool, :q * pool] = share.repeat(pool, axis=2).repeat(pool, axis=3)
    return dA1
"""
DENSE = """
def dense_backward(F, w2, dz2):
    dF = dz2 @ w2
    dw2 = dz2.T @ F
    db2 = dz2.sum(axis=0)
    return dF, dw2, db2
"""
SOFTMAX = """
def softmax_backward(z2, y):
    m = z2.shape[0]
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    A2 = e / e.sum(axis=1, keepdims=True)
    dz2 = A2.copy()
    dz2[np.arange(m), y] -= 1
    return dz2 / m
"""
LOSS = """
def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def loss_backward(z2, y):
    m = len(y)
    A2 = sigmoid(z2)
    return (A2 - y.reshape(m, 1)) / m
"""
RELU = """
def relu_backward(Z1, dA1):
    dZ1 = dA1.copy()
    dZ1[Z1 <= 0] = 0
    return dZ1
"""
WHOLE = """
class Net:
    def forward(self, X):
        self.X = X
        self.Z1 = conv(X, self.w1) + self.b1[:, None, None]
        self.A1 = np.maximum(self.Z1, 0)
        self.P1, self.where = maxpool(self.A1)
        self.F = self.P1.reshape(len(X), -1)
        return self.F @ self.w2.T + self.b2

    def backward(self, dz2):
        dw2 = dz2.T @ self.F
        db2 = dz2.sum(axis=0)
        dP1 = (dz2 @ self.w2).reshape(self.P1.shape)
        dA1 = unpool(dP1, self.where, self.A1.shape)
        dZ1 = dA1 * (self.Z1 > 0)
        dw1 = correlate(self.X, dZ1)
        return {"dw1": dw1, "db1": dZ1.sum(axis=(0, 2, 3)), "dw2": dw2, "db2": db2}


def backward(X, y, w1, b1, w2, b2):
    net = Net(w1, b1, w2, b2)
    z2 = net.forward(X)
    dz2 = (sigmoid(z2) - y[:, None]) / len(X)
    return net.backward(dz2)
"""
ALIKE = {  # other texts that mean the same
    "w1[:, :, ::-1, ::-1].transpose": "w1[..., ::-1, ::-1].transpose",
    "dP1 / (pool * pool)": "dP1 / pool ** 2",
    "np.arange(m), y": "np.arange(len(y)), y",
    "::-1, ::-1].transpose(1, 0, 2, 3)": "::-1, ::-1].swapaxes(0, 1)",
    "transpose(0, 1, 2, 4, 3, 5).reshape": "swapaxes(3, 4).reshape",
}
FUNCTIONS = [f"{kind}_backward" for kind in ("conv", "maxpool", "avgpool", "dense", "softmax", "loss", "relu")]
MISTAKES = [  # program, what is right, what is written instead
    (CONV, "dX[n, :, i:i + k, j:j + k] +=", "dX[n, :, i:i + k, j:j + k] ="),
    (CONV, "for i in range(h):", "for i in range(h - 1):"),
    (CONV, "j:j + k] += w1", "j:j + k] += k * w1"),
    (CONV, "axis=(0, 2, 3)", "axis=(2, 3)"),
    (CONV, "X[n, :, i:i + k, j:j + k] *", "X[n, :, j:j + k, i:i + k] *"),
    (CONV, "w1[f] * dZ1[n, f, i, j]", "w1[f] * dZ1[f, n, i, j]"),
    (CONV, "dw1 = np.zeros_like(w1)", "dw1 = np.ones_like(w1)"),
    (CONV, "w1[f] * dZ1", "w1[f, :, ::-1, ::-1] * dZ1"),
    (CONV, "return dX, dw1, db1", "return dX, dw1 / m, db1"),
    (FULL, "w1[:, :, ::-1, ::-1].transpose", "w1.transpose"),
    (FULL, "(k - 1, k - 1), (k - 1, k - 1)))", "(k, k), (k, k)))"),
    (FULL, "w1[:, :, ::-1, ::-1].transpose", "w1[:, :, ::-1].transpose"),
    (FULL, '"mcij,nc->mnij"', '"mcij,cn->mnij"'),
    (FULL, "::-1, ::-1].transpose(1, 0, 2, 3)", "::-1, ::-1]"),
    (FULL, "- k + 1, a.shape[3] - k + 1", "- k, a.shape[3] - k"),
    (FULL, "dZ1.transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3)", "dZ1.transpose(1, 0, 2, 3)).transpose(0, 1, 2, 3)"),
    (COLUMNS, "dZ1.transpose(0, 2, 3, 1).reshape(-1, N)", "dZ1.reshape(-1, N)"),
    (COLUMNS, "transpose(0, 4, 5, 1, 2, 3)", "transpose(0, 5, 4, 1, 2, 3)"),
    (COLUMNS, "oh = (H - k) // stride + 1", "oh = (H - k) // stride"),
    (COLUMNS, "reshape(N, C, k, k)", "reshape(C, N, k, k)"),
    (COLUMNS, "np.dot(dout.T, cols)", "np.dot(dout, cols)"),
    (COLUMNS, "np.sum(dout, axis=0)", "np.mean(dout, axis=0)"),
    (MAXPOOL, "i * pool_stride, j * pool_stride", "i * pool, j * pool"),
    (MAXPOOL, "np.argmax", "np.argmin"),
    (MAXPOOL, "left + c] += dP1", "left + c] = dP1"),
    (MAXPOOL, "top + r, left + c", "top + c, left + r"),
    (SCATTER, "best // pool, j * pool + best % pool", "best % pool, j * pool + best // pool"),
    (SCATTER, "transpose(0, 1, 2, 4, 3, 5).reshape", "reshape"),
    (SCATTER, "argmax(axis=-1)", "argmax(axis=-2)"),
    (AVGPOOL, "dP1 / (pool * pool)", "dP1 / pool"),
    (AVGPOOL, "dP1 / (pool * pool)", "dP1"),
    (AVGPOOL, "repeat(pool, axis=2).repeat(pool, axis=3)", "repeat(pool, axis=1).repeat(pool, axis=3)"),
    (DENSE, "dw2 = dz2.T @ F", "dw2 = F.T @ dz2"),
    (DENSE, "dz2 @ w2", "dz2 @ w2.T"),
    (DENSE, "dz2.sum(axis=0)", "dz2.sum()"),
    (DENSE, "dz2.sum(axis=0)", "dz2.sum(axis=0) / len(F)"),
    (SOFTMAX, "dz2[np.arange(m), y] -= 1", "dz2[np.arange(m), y] += 1"),
    (SOFTMAX, "return dz2 / m", "return dz2"),
    (SOFTMAX, "e.sum(axis=1, keepdims=True)", "e.sum(axis=0, keepdims=True)"),
    (SOFTMAX, "np.arange(m), y", ":, y"),
    (SOFTMAX, "dz2 = A2.copy()", "dz2 = A2"),
    (LOSS, "(A2 - y.reshape(m, 1))", "(y.reshape(m, 1) - A2)"),
    (LOSS, "e / (1 + e)", "e / (1 - e)"),
    (LOSS, "sigmoid(z2)", "np.clip(sigmoid(z2), 1e-7, 1 - 1e-7)"),
    (RELU, "Z1 <= 0", "dA1 <= 0"),
    (RELU, "Z1 <= 0", "Z1 < 0"),
    (RELU, "dA1.copy()", "dA1"),
    (WHOLE, "(self.Z1 > 0)", "self.Z1"),
    (WHOLE, "(self.Z1 > 0)", "(self.X > 0)"),
    (WHOLE, "dA1 * (self.Z1 > 0)", "dA1"),
    (WHOLE, " / len(X)\n", "\n"),
    (WHOLE, "dZ1 = dA1 * (", "dZ1 = dP1 * ("),
    (WHOLE, '"dw2": dw2, "db2": db2', '"dw2": db2, "db2": dw2'),
]


@cache
def find_rank(program: str, right: str, wrong: str) -> int:
    """Which edit undoes the mistake; those in several places come after all others."""
    source = Source(program.replace(right, wrong))
    name = next(name for name in (*FUNCTIONS, "backward") if f"\ndef {name}(" in program)
    reachable = find_reachable(source, name)
    edits = (*list_edits(source, reachable), *list_joint_edits(source, reachable))
    wanted = {program, program.replace(right, ALIKE.get(right, right))}
    return next(rank for rank, edit in enumerate(edits) if edit.apply(source.text) in wanted)


@pytest.mark.parametrize(("program", "right", "wrong"), MISTAKES[::3])
def test_an_edit_undoes_the_mistake(program: str, right: str, wrong: str) -> None:
    assert right in program
    find_rank(program, right, wrong)


@pytest.mark.slow
def test_each_mistake_is_undone_and_the_likely_ones_come_first() -> None:
    ranks = [find_rank(program, right, wrong) for program, right, wrong in MISTAKES]
    assert median(ranks) < 300
