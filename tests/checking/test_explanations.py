"""Mistakes that are told by what general operations make of a link: winners, orders, thresholds, overflow, labels."""

from pathlib import Path

import pytest

from tests.checking.test_cases import AVERAGE, CONV, DENSE, LARGEST, LOSS, POOL, SOFTMAX
from tests.checking.test_user_code import checked, problems, sentences

RELU = "def relu_backward(Z1, dA1):\n    return dA1 * (Z1 > 0)\n"
PUT = """        a, b = np.unravel_index(window.argmax(), window.shape)
        dA1[m, n, i * pool + a, j * pool + b] = dP1[m, n, i, j]
"""
REPEATED = """
    if t > 1:
        D, dX = dZ1.repeat(t, axis=2).repeat(t, axis=3), np.zeros_like(dX)
        for i, j, u, v in np.ndindex(*D.shape[2:], k, k):
            r, s = i + d * u, j + d * v
            if r < dX.shape[2] and s < dX.shape[3]:
                dX[:, :, r, s] += D[:, :, i, j] @ w1[:, :, u, v]
    return dX"""
JACOBIAN = """
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    A = e / e.sum(axis=1, keepdims=True)
    g = -np.eye(z2.shape[1])[y] / (A + 1e-7)
    return A * (g - (g * A).sum(axis=1, keepdims=True)) / len(y)
"""
# A right function, what stands in it, what is put there, and the words of the first explanation.
EXPLAINED = {
    "e^z": (LOSS.format("A = 1 / (1 + np.exp(-z2))"), "1 / (1 + np.exp(-z2))", "np.exp(z2) / (1 + np.exp(z2))",
        "e^z/(1 + e^z), where e^z overflows from z = 710 on, in the place of A2"),
    "no shift": (SOFTMAX.format(LARGEST), f" - {LARGEST}", "", "∞/∞ from a z of 710 on"),
    "largest of the batch": (SOFTMAX.format(LARGEST), LARGEST, "z2.max()",
        "0/0 where all z of an image are 745 or more below the largest of the batch"),
    "labels numbered anew": (SOFTMAX.format(LARGEST), "[y]",
        "[np.unique(y, return_inverse=True)[1]]", "numbered anew"),
    "a class ignored": (SOFTMAX.format(LARGEST), "[y]) /",
        "[y]) * (y > 0)[:, None] /", "0 for images of the first class"),
    "ε in a quotient": (LOSS.format("A = 1 / (1 + np.exp(-z2))"), "(A - y[:, None])",
        "(A - y[:, None]) / (A * (1 - A) + 1e-8) * A * (1 - A)", "(A2·(1 − A2) + ε), with ε = 1e-08"),
    "ε in a logarithm": ("def softmax_backward(z2, y):" + JACOBIAN, "", "",
        "−y/(A2 + ε), with ε = 1e-07, times the Jacobian"),
    "a bias in one place": (CONV, "dZ1.sum(axis=(0, 2, 3))", "np.r_[dZ1.sum(), np.zeros(len(w1) - 1)]",
        "summed over the filters in the first and 0 in the others"),
    "a kernel reshaped": (CONV, "    dX, dw1", "    w1 = w1.reshape(w1.shape[1], -1, k, k).swapaxes(0, 1)\n    dX, dw1",
        "w1 is reshaped to (channel, filter, kernel row, kernel column), then its axes are put in order"),
    "dense inputs reshaped": (DENSE, "{}", "F = F.T.reshape(F.shape)",
        "F is reshaped from (entry of F, image)"),
    "a threshold": (CONV, "    dX, dw1", "    dZ1 = np.where(np.abs(dZ1) < 1e-8, 0, dZ1)\n    dX, dw1",
        "in dL/dX, dL/dZ1 is set to 0 where it is smaller than about 1e-08"),
    "whole numbers": (CONV, "X = np.pad(X,", "X = np.pad(X.astype(int).astype(float),",
        "X is cut off to whole numbers"),
    "a negative index": (CONV, "    dX, dw1",
        "    if p: X[:, :, :, :p] = X[:, :, :, -2 * p:-p]\n"
        "    if p: X[:, :, :p] = X[:, :, -2 * p:-p]\n    dX, dw1", "at the end (a negative index)"),
    "repeated for a stride": (CONV, "\n    return dX", REPEATED, "repeated for the stride, without the zeros between"),
    "a winner of the whole map": (POOL, PUT,
        "        a, b = np.argwhere(A1[m, n] == window.max())[0]\n        dA1[m, n, a, b] += dP1[m, n, i, j]\n",
        "the first number of the whole map that is as large as its window's maximum"),
    "a flat place": (POOL, PUT, PUT.replace("        dA1[m, n, i * pool + a, j * pool + b] =",
        "        a, b = divmod((i * pool + a) * A1.shape[3] + j * pool + b, A1.shape[2])\n"
        "        if max(a - A1.shape[2], b - A1.shape[3]) < 0: dA1[m, n, a, b] ="),
        "by the number of rows, not of columns"),
    "nearly equal": (POOL, "window.argmax()", "np.isclose(window, window.max()).argmax()",
        "nearly the maximum takes"),
    "cut off averages": (AVERAGE, "dP1[m, n, i, j] /", "np.trunc(dP1[m, n, i, j]) /",
        "dL/dP1 is cut off to whole numbers"),
    "a gate of whole numbers": (RELU, "Z1 > 0", "Z1.astype(int) > 0", "Z1 cut off to whole numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLAINED)
def test_a_mistake_is_explained_by_what_it_does(tmp_path: Path, name: str) -> None:
    right, part, other, words = EXPLAINED[name]
    assert part in right
    (result,) = checked(tmp_path, "import numpy as np\n" + right.replace(part, other, 1)).values()
    assert result.verdict == "FAIL"
    assert words in sentences(result)[0]
    assert result.findings[0].explanation.certain


def test_memory_that_was_never_set_is_not_said_to_be_kept_for_sure(tmp_path: Path) -> None:
    code = "import numpy as np\n" + POOL.replace("np.zeros_like(A1)", "np.empty_like(A1)")
    (result,) = checked(tmp_path, code).values()
    assert result.verdict == "FAIL"
    assert all("np.empty" in each for each in problems(result) if "it keeps" in each)
