"""The cases that functions are called with show mistakes that ordinary numbers hide, and accuse no right function."""

from pathlib import Path

import pytest

from cnncli.checking.user_code import checks, findings
from cnncli.reports.gradcheck.user_code import report_user_code
from tests.checking.test_user_code import RIGHT, checked

SIGMA, LARGEST = "1 / (1 + np.exp(-z2))", "z2.max(axis=1, keepdims=True)"
LOSS = "def loss_backward(z2, y):\n    {}\n    return (A - y[:, None]) / len(y)\n"
SOFTMAX = """
def softmax_backward(z2, y):
    e = np.exp(z2 - {})
    return (e / e.sum(axis=1, keepdims=True) - np.eye(z2.shape[1])[y]) / len(y)
"""
POOL = RIGHT[RIGHT.index("def maxpool_backward") : RIGHT.index("def avgpool_backward")]
AVERAGE = RIGHT[RIGHT.index("def avgpool_backward") : RIGHT.index("def softmax_backward")]
CONV = RIGHT[RIGHT.index("def conv_backward") : RIGHT.index("def backward")]
DENSE = "def dense_backward(F, w2, dz2):\n    {}\n    return dz2 @ w2, dz2.T @ F, dz2.sum(axis=0)\n"
WHOLE = """
def convolve(X, w, b, p):
    k = w.shape[-1]
    V = np.lib.stride_tricks.sliding_window_view(np.pad(X, ((0, 0), (0, 0), (p, p), (p, p))), (k, k), axis=(2, 3))
    return np.einsum("mcijuv,ncuv->mnij", V, w) + b[:, None, None]

def pool_max(A, pool):
    m, N, h, w = A.shape
    p, q = h // pool, w // pool
    cut = A[:, :, :p * pool, :q * pool].reshape(m, N, p, pool, q, pool)
    return cut.max(axis=(3, 5))

def backward(X, y, parameters, padding=0, pool=2, classes=2):
    P, kept, B = X, [], len(parameters) // 2 - 1
    for b in range(1, B + 1):
        w = parameters[f"w{b}"]
        Z = convolve(P, w, parameters[f"b{b}"], padding)
        kept.append((P, w, Z))
        P = pool_max(np.maximum(Z, 0), pool)
    w, F = parameters[f"w{B + 1}"], P.reshape(len(X), -1)
    z = F @ w.T + parameters[f"b{B + 1}"]
    dz = loss_backward(z, y) if classes == 2 else softmax_backward(z, y)
    dF, dw, db = dense_backward(F, w, dz)
    g, dP = {f"dw{B + 1}": dw, f"db{B + 1}": db}, dF.reshape(P.shape)
    for b in range(B, 0, -1):
        P, w, Z = kept[b - 1]
        dZ = relu_backward(Z, maxpool_backward(np.maximum(Z, 0), dP, pool))
        dP, g[f"dw{b}"], g[f"db{b}"] = conv_backward(P, w, dZ, padding)
    return g
"""
ALL = RIGHT[: RIGHT.index("def backward")] + WHOLE

# Right functions, and what makes them wrong without ordinary numbers showing it: what stands there, what is put there.
WRONG = {
    "e^z overflows": (LOSS.format(f"A = {SIGMA}"), SIGMA, "np.exp(z2) / (1 + np.exp(z2))"),
    "e^-z overflows": (LOSS.format(f"A = {SIGMA}"), SIGMA, "1 - np.exp(-z2) / (1 + np.exp(-z2))"),
    "z near 0": (LOSS.format(f"A = {SIGMA}"), "1 / (", "(np.abs(z2) > 1e-6) / ("),
    "no shift": (SOFTMAX.format(LARGEST), f" - {LARGEST}", ""),
    "the largest of the batch": (SOFTMAX.format(LARGEST), LARGEST, "z2.max()"),
    "labels by np.unique": (
        SOFTMAX.format(LARGEST),
        "[y]) /",
        "[np.unique(y, return_inverse=True)[1]]) /",
    ),
    "more padding than a kernel": (CONV, "p:p + H", "min(p, k):min(p, k) + H"),
    "a tiny gradient in conv": (CONV, "    dX, dw1", "    dZ1 = np.where(np.abs(dZ1) < 1e-8, 0, dZ1)\n    dX, dw1"),
    "a gradient of 1e-12": (CONV, "    dX, dw1", "    dZ1 = np.where(np.abs(dZ1) < 1e-11, 0, dZ1)\n    dX, dw1"),
    "a huge gradient": (CONV, "    return dX", "    dw1 = np.clip(dw1, -1e8, 1e8)\n    return dX"),
    "the loop ends at a dead filter": (
        CONV,
        "    dX, dw1",
        "    dead = [n for n in range(len(w1)) if not dZ1[:, n].any()] + [len(w1)]\n"
        "    dZ1 = np.where(np.arange(len(w1))[:, None, None] < dead[0], dZ1, 0)\n    dX, dw1",
    ),
    "empty images left out": (
        CONV,
        "dw1, dZ1.sum(axis=(0, 2, 3))",
        "dw1, dZ1[X.any(axis=(1, 2, 3))].sum(axis=(0, 2, 3))",
    ),
    "16 images at a time": (CONV, "    return dX", "    dX[16:] = 0\n    return dX"),
    "a kernel of 1": (CONV, "    return dX", "    dw1 = dw1 * (k > 1)\n    return dX"),
    "a kernel as large as the image": (CONV, "    return dX", "    dw1 = dw1 * (k < H)\n    return dX"),
    "a maximum below 0": (POOL, "        a, b", "        if window.max() < 0: continue\n        a, b"),
    "0 for numbers below 0": (POOL, "window.argmax()", "np.maximum(window, 0).argmax()"),
    "maxima in float32": (POOL, "window.argmax()", "window.astype(np.float32).argmax()"),
    "maxima that are nearly equal": (POOL, "window.argmax()", "np.isclose(window, window.max(), atol=0).argmax()"),
    "a tiny gradient in pooling": (
        POOL,
        "        a, b",
        "        if dP1[m, n, i, j]**2 < 1e-16: continue\n        a, b",
    ),
    "an average of 16": (AVERAGE, "/ pool**2", "/ min(pool**2, 9)"),
    "tiny averages": (AVERAGE, "= dP1[m, n, i, j]", "= dP1[m, n, i, j] * (abs(dP1[m, n, i, j]) > 1e-20)"),
    "a tiny gradient in dense": (DENSE, "{}", "dz2 = np.where(np.abs(dz2) > 1e-8, dz2, 0)"),
    "the loop ends at an image without gradient": (DENSE, "{}", "dz2 = dz2 * np.cumprod(dz2.any(axis=1))[:, None]"),
    "a tiny gradient in relu": (
        "def relu_backward(Z1, dA1):\n    return dA1 * (Z1 > 0)\n", "dA1 *", "np.where(np.abs(dA1) > 1e-20, dA1, 0) *",
    ),
    "places in a byte": (
        "def relu_backward(Z1, dA1):\n    return dA1 * (Z1 > 0)\n",
        "return dA1 * (Z1 > 0)",
        "flat = (dA1 * (Z1 > 0)).reshape(len(Z1), Z1.shape[1], -1)\n"
        "    return flat[:, :, np.arange(flat.shape[2]) % 256].reshape(Z1.shape)",
    ),
    "padding left at one side between two blocks": (
        ALL,
        "relu_backward(Z, maxpool_backward(np.maximum(Z, 0), dP, pool))\n        dP, g",
        "relu_backward(Z, maxpool_backward(np.maximum(Z, 0), dP, pool))\n"
        "        if b < B: dZ[:, :, :, :padding] = 0\n        dP, g",
    ),
    "a softmax behind two blocks": (ALL, "softmax_backward(z, y)\n", "softmax_backward(z, y) * (1 + (B > 1))\n"),
    "windows of 3 in two blocks": (
        ALL,
        "maxpool_backward(np.maximum(Z, 0), dP, pool)",
        "maxpool_backward(np.maximum(Z, 0), dP, 2 if b > 1 else pool)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_ordinary_numbers_hide_is_found(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_causes", lambda *_, **__: ((), ()))  # what it is takes longer than that it is
    right, part, other = WRONG[name]
    assert part in right
    wrong = right.replace(part, other, 1)
    results = checked(tmp_path, wrong if "import" in wrong else "import numpy as np\n" + wrong)
    *others, last = results.values()
    assert last.verdict == "FAIL"
    assert {result.verdict for result in others} <= {"PASS"}


def test_a_whole_backward_pass_that_is_not_explained_tells_the_links_that_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "explain", lambda *_, **__: None)  # it would not be, after a long search
    between = '        dP, g[f"dw{b}"], g[f"db{b}"] = conv_backward(P, w, dZ, padding)\n'
    assert between in ALL
    wrong = ALL.replace(between, between + "        dP = np.tanh(3 * dP + dP[:, ::-1])\n")
    result = checked(tmp_path, "import numpy as np\n" + wrong)["backward"]
    assert result.findings == ()
    assert result.wrong_links == ("dL/dZ2 → dL/dP1", "dL/dP1 → dL/dA1", "dL/dA1 → dL/dZ1")
    (reported,) = report_user_code(tmp_path, [result])
    told = "the mistake is in dL/dZ2 → dL/dP1 or dL/dP1 → dL/dA1 or dL/dA1 → dL/dZ1, or in the forward pass before"
    assert f"backward: {told}" in reported.message.splitlines()


def test_the_stride_of_a_pooling_is_that_of_its_windows_and_it_has_no_padding(tmp_path: Path) -> None:
    code = """
        import numpy as np
        def maxpool_backward(A1, dP1, pool, stride, padding, dilation=1):
            assert (padding, dilation) == (0, 1)
            dA1 = np.zeros_like(A1)
            for m, n, i, j in np.ndindex(dP1.shape):
                window = A1[m, n, i * stride:i * stride + pool, j * stride:j * stride + pool]
                a, b = np.unravel_index(window.argmax(), window.shape)
                dA1[m, n, i * stride + a, j * stride + b] += dP1[m, n, i, j]
            return dA1
        """
    result = checked(tmp_path, code)["maxpool_backward"]
    assert result.verdict == "PASS"
    assert not any(case.unsupported for case in result.cases)
    assert {"windows that overlap", "windows that lie apart"} < {case.label for case in result.cases}


@pytest.mark.parametrize(
    "code",
    [
        LOSS.format(f"A = {SIGMA}"),  # e^z overflows, to the right answer
        LOSS.format("A = (1 + np.tanh(z2 / 2)) / 2"),  # A to the rounding of 1, not to its own
        LOSS.format("z2 = np.clip(z2, -500, 500)\n    A = " + SIGMA),
        LOSS.format("A = np.where(z2 > 0, 1, np.exp(-np.abs(z2))) / (1 + np.exp(-np.abs(z2)))"),
        LOSS.format("A = np.exp(-np.logaddexp(0, -z2))"),
        SOFTMAX.format(LARGEST),
        SOFTMAX.format("np.logaddexp.reduce(z2, axis=1)[:, None]"),
        DENSE.replace("{}", "pass"),
        CONV.replace("padding=0, stride=1, dilation=1", "padding, stride, dilation"),
        POOL,
        AVERAGE,
        ALL,
    ],
)
def test_what_is_right_is_right_in_every_case(tmp_path: Path, code: str) -> None:
    results = checked(tmp_path, code if "import" in code else "import numpy as np\n" + code)
    assert {name: result.verdict for name, result in results.items()} == dict.fromkeys(results, "PASS")
