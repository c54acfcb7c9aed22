"""Mistakes that no list names are said to be what they are; none is explained as something else for sure."""

from pathlib import Path

import pytest

from tests.checking.test_user_code import RIGHT, alone, checked, problems, sentences

POOL = """
    dA1 = np.zeros_like(A1)
    for m, n, i, j in np.ndindex(dP1.shape):
        part = (m, n, slice(i * pool, (i + 1) * pool), slice(j * pool, (j + 1) * pool))
        w, d, g = A1[part], dA1[part], dP1[m, n, i, j]
        {}
    return dA1
"""
CONV = """
    k = w1.shape[-1]
    dX, dw1, db1 = np.zeros_like(X), np.zeros_like(w1), dZ1.sum(axis=(0, 2, 3))
    for i, j in np.ndindex(dZ1.shape[2:]):
        x, d, g = X[:, :, i:i + k, j:j + k], dX[:, :, i:i + k, j:j + k], dZ1[:, :, i, j]
        dw1 += np.einsum("mn,mcuv->ncuv", g, x)
        d += np.einsum("mn,ncuv->mcuv", g, w1)
    {}
    return dX, dw1, db1
"""
DENSE = "\n    dF, dw2, db2 = dz2 @ w2, dz2.T @ F, dz2.sum(axis=0)\n    {}\n    return dF, dw2, db2\n"
LOSS = "\n    A, y = 1 / (1 + np.exp(-z2)), y[:, None]\n    return {} / len(y)\n"
SOFTMAX = """
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    {}
    return p / len(y)
"""
BODIES = {
    "loss_backward(z2, y)": LOSS,
    "softmax_backward(z2, y)": SOFTMAX,
    "dense_backward(F, w2, dz2)": DENSE,
    "maxpool_backward(A1, dP1, pool)": POOL,
    "relu_backward(Z1, dA1)": "\n    return {}\n",
    "conv_backward(X, w1, dZ1)": CONV,
}
# A column for each file: what is put into the body, and the words of the explanation.
MISTAKES = {
    "loss_backward(z2, y)": (
        ("(A - (2 * y - 1))", "labels −1 and 1"),
        ("(A - (0.9 * y + 0.05))", "0.9·y + 0.05 in the place of y"),
        ("(-y / A + (1 - y) / (1 - A)) * A * (1 - A)", "NaN where A2 is 0 or 1"),
    ),
    "softmax_backward(z2, y)": (
        ("p[:, y] -= 1", "A[:, y] −= 1 in the place of A[i, y[i]] −= 1"),
        ("p[range(len(y)), y - 1] -= 1", "the class before in the place of y"),
        ("p -= np.eye(p.shape[1])[y]; p -= p.mean(axis=0)", "less its mean over the images"),
    ),
    "dense_backward(F, w2, dz2)": (
        ("db2 = dz2.sum(axis=1)", "summed over the outputs, and not over the images"),
        ("dw2 = dz2.T @ (F / np.sqrt((F**2).sum(axis=1, keepdims=True)))", "F is divided by its length for each image"),
        ("dw2 *= min(1, 1 / np.linalg.norm(dw2))", "cut down to 1 where its length"),
    ),
    "maxpool_backward(A1, dP1, pool)": (
        ("k = np.argwhere(w == w.max()); d[tuple(k[np.random.randint(len(k))])] = g", "(at random?)"),
        ("d[w == w.max(axis=1, keepdims=True)] = g", "the largest of each row of the window"),
        ("d[np.unravel_index(w.argmax(), w.shape)] = g * w.max() / w.max()", "NaN at the maxima of windows"),
    ),
    "relu_backward(Z1, dA1)": (
        ("dA1 * np.where(Z1 > 0, 1, np.exp(np.minimum(Z1, 0)))", "as of an ELU"),
        ("dA1 * (Z1 > 0).all(axis=1, keepdims=True)", "the smallest over the filters for every one"),
        ("dA1 * (Z1 > 0) / max((Z1 > 0).sum(), 1)", "number of entries that are not 0"),
    ),
    "conv_backward(X, w1, dZ1)": (
        ("dw1 = dw1 - dZ1.sum(axis=(0, 2, 3))[:, None, None, None] * X.mean()", "multiplied by X's mean"),
        ("dX = np.roll(dX, 1, 2)", "rolled by one along the rows"),
        ("dw1 /= np.sqrt((dw1**2).sum(axis=(1, 2, 3), keepdims=True))", "divided by its length for each filter"),
    ),
}  # fmt: skip


BLOCKS = """
import numpy as np

def backward(X, y, parameters):
    B = len(parameters) // 2 - 1
    P, kept = X, []
    for b in range(1, B + 1):
        w, bias = parameters[f"w{b}"], parameters[f"b{b}"]
        V = np.lib.stride_tricks.sliding_window_view(P, w.shape[2:], axis=(2, 3))
        Z = np.einsum("mcijuv,ncuv->mnij", V, w) + bias[:, None, None]
        (m, N, h, v), (p, q) = Z.shape, (Z.shape[2] // 2, Z.shape[3] // 2)
        windows = np.maximum(Z, 0)[:, :, :2 * p, :2 * q].reshape(m, N, p, 2, q, 2).swapaxes(3, 4).reshape(m, N, p, q, 4)
        kept.append((P, V, w, Z, windows))
        P = windows.max(-1)
    w, F = parameters[f"w{B + 1}"], P.reshape(len(X), -1)
    dz = (1 / (1 + np.exp(-F @ w.T - parameters[f"b{B + 1}"])) - y[:, None]) / len(y)
    g, dP = {f"dw{B + 1}": dz.T @ F, f"db{B + 1}": dz.sum(axis=0)}, (dz @ w).reshape(P.shape)
    for b in range(B, 0, -1):
        P, V, w, Z, windows = kept[b - 1]
        m, N, p, q, _ = windows.shape
        won = (np.arange(4) == windows.argmax(-1)[..., None]) * dP[..., None]
        dA = np.zeros_like(Z)
        dA[:, :, :2 * p, :2 * q] = won.reshape(m, N, p, q, 2, 2).swapaxes(3, 4).reshape(m, N, 2 * p, 2 * q)
        dZ = dA * (Z > 0)
        g |= {f"dw{b}": np.einsum("mnij,mcijuv->ncuv", dZ, V), f"db{b}": dZ.sum(axis=(0, 2, 3))}
        dP, k = np.zeros_like(P), w.shape[-1]
        for i, j in np.ndindex(dZ.shape[2:]):
            dP[:, :, i:i + k, j:j + k] += np.einsum("mn,ncuv->mcuv", dZ[:, :, i, j], w)
    return g
"""


@pytest.mark.parametrize("column", [0, *(pytest.param(column, marks=pytest.mark.slow) for column in (1, 2))])
def test_mistakes_that_no_list_names_are_explained(tmp_path: Path, column: int) -> None:
    chosen = {signature: each[column] for signature, each in MISTAKES.items()}
    functions = (f"def {s}:{BODIES[s].format(code)}" for s, (code, _) in chosen.items())
    results = checked(tmp_path, "import numpy as np\n" + "\n".join(functions))
    for signature, (_, words) in chosen.items():
        result = results[signature.partition("(")[0]]
        said = sentences(result)
        assert result.verdict == "FAIL"
        assert any(words in sentence for sentence in said), said
        assert all(words in finding.explanation.text for finding in result.findings if finding.explanation.certain)


def test_what_belongs_to_an_option_is_said_with_it(tmp_path: Path) -> None:
    right = alone("conv_backward")
    code = right.replace("slice(t * i, t * i + d * (k - 1) + 1, d)", "slice(i, i + d * (k - 1) + 1, d)")
    said = sentences(checked(tmp_path, code)["conv_backward"])
    assert said == [
        f"dL/d{name} is made as if the stride were 1, only where the stride is not 1" for name in ("X", "w1")
    ]
    said = sentences(checked(tmp_path, right.replace("dX[:, :, p:p + H, p:p + W]", "dX"))["conv_backward"])
    assert "rows and columns are left around it" in said[0]


# What is exchanged in the right file, the function, and the words of the explanation of its first wrong link.
COMPOSED = {
    "stride of one axis": (
        "slice(t * i, t * i + d * (k - 1) + 1, d) for i in (i, j))",
        "slice(s * i, s * i + d * (k - 1) + 1, d) for s, i in ((t, i), (1, j)))",
        "conv_backward",
        "as if the stride were 1 along the columns, not along the rows",
    ),
    "padding of one side": (
        "dX[:, :, p:p + H, p:p + W]",
        "dX[:, :, p:p + H, :W]",
        "conv_backward",
        "as if there were no padding along the columns, not along the rows",
    ),
    "padding left at the end": (
        "dX[:, :, p:p + H, p:p + W]",
        "dX[:, :, p:, p:]",
        "conv_backward",
        "rows and columns are left after it",
    ),
    "bias from dw": (
        "dX[:, :, p:p + H, p:p + W], dw1, dZ1.sum(axis=(0, 2, 3))",
        "dX[:, :, p:p + H, p:p + W], dw1, dw1.sum(axis=(1, 2, 3))",
        "conv_backward",
        "dL/db1 is dL/dw1, summed over all its other axes",
    ),
    "softmax over the batch": (
        "e / e.sum(axis=1, keepdims=True)",
        "e / e.sum(axis=0, keepdims=True)",
        "softmax_backward",
        "divided by its sum over the images, in the place of A2",
    ),
    "a class left out": (
        "e / e.sum(axis=1, keepdims=True)",
        "e / e[:, :-1].sum(axis=1, keepdims=True)",
        "softmax_backward",
        "divided by its sum over the outputs without the last class, in the place of A2",
    ),
    "a mask that is kept": (
        "return dA1 * (Z1 > 0)",
        "return dA1 * MASKS.setdefault(Z1.shape, Z1 > 0)",
        "relu_backward",
        "the Z1 of the first call with one of its shape",
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if number % 3 else ()) for number, name in enumerate(COMPOSED)]
)
def test_what_is_composed_of_simple_things_is_explained(tmp_path: Path, name: str) -> None:
    right, wrong, function, words = COMPOSED[name]
    code = alone(function).replace(right, wrong)
    assert wrong in code
    result = checked(tmp_path, f"MASKS = {{}}\n{code}")[function]
    assert result.verdict == "FAIL"
    assert words in sentences(result)[0]
    assert all(finding.explanation.certain for finding in result.findings)


@pytest.mark.parametrize(
    ("divisor", "words"),
    [
        ("(pool * pool_stride)", "multiplied by s, the side of a window and divided by the stride of the windows"),
        ("pool", "multiplied by s, the side of a window"),
    ],
)
def test_another_divisor_of_an_average_is_named(tmp_path: Path, divisor: str, words: str) -> None:
    code = f"""
        import numpy as np
        def avgpool_backward(A1, dP1, pool, pool_stride):
            dA1 = np.zeros_like(A1)
            for i, j in np.ndindex(dP1.shape[2:]):
                rows, columns = (slice(at * pool_stride, at * pool_stride + pool) for at in (i, j))
                dA1[:, :, rows, columns] += dP1[:, :, i, j, None, None] / {divisor}
            return dA1
    """
    assert sentences(checked(tmp_path, code)["avgpool_backward"])[0].startswith(f"dL/dA1 is {words}")


def test_what_is_wrong_in_several_blocks_alone_is_found_there(tmp_path: Path) -> None:
    assert checked(tmp_path, BLOCKS)["backward"].verdict == "PASS"
    result = checked(tmp_path, BLOCKS.replace("dA * (Z > 0)", "dA * (Z > 0) if b == B else dA"))["backward"]
    assert result.wrong_links == ("dL/dA1 → dL/dZ1",)
    assert sentences(result)[0].endswith("the mask Z > 0 is missing, only where there are several blocks")


def test_a_backward_pass_of_another_forward_pass_is_said_to_be_one(tmp_path: Path) -> None:
    result = checked(tmp_path, RIGHT.replace("F @ w2.T + b2", "F @ w2.T"))["backward"]
    assert sentences(result) == ["the backward pass belongs to another forward pass: b2 is left out of z2"]


def test_what_no_window_covers_is_no_winner_at_random(tmp_path: Path) -> None:
    pool = POOL.replace("np.zeros_like(A1)", "np.random.default_rng().normal(size=A1.shape)").format(
        "d[...] = 0; d[np.unravel_index(w.argmax(), w.shape)] = g"
    )
    result = checked(tmp_path, f"import numpy as np\ndef maxpool_backward(A1, dP1, pool):{pool}")["maxpool_backward"]
    assert result.verdict == "FAIL"
    assert not any("at random" in sentence for sentence in sentences(result))


def test_what_nothing_explains_is_not_explained_for_sure(tmp_path: Path) -> None:
    code = "import numpy as np\ndef relu_backward(Z1, dA1):\n    return dA1 * (Z1 > 0) * (1 + np.sin(7 * Z1) ** 2)\n"
    result = checked(tmp_path, code)["relu_backward"]
    assert not problems(result)
    assert not any(finding.explanation.certain for finding in result.findings)


def test_an_explanation_that_other_cases_refute_is_not_certain(tmp_path: Path) -> None:
    code = "import numpy as np\ndef dense_backward(F, w2, dz2):\n    {}\n    return dz2 @ w2, dw2, dz2.sum(axis=0)\n"
    never_usual = (15, 25, 30, 40, 42, 50, 60, 72, 90)  # sizes that only fresh cases have
    code = code.format(f"dw2 = dz2.T @ F * (2 if F.shape[1] in {never_usual} else 3)")
    result = checked(tmp_path, code)["dense_backward"]
    assert result.verdict == "FAIL"
    assert not any(finding.explanation.certain for finding in result.findings), sentences(result)


def test_clipping_by_the_length_of_all_gradients_together_is_said_of_each(tmp_path: Path) -> None:
    body = CONV.replace(
        "return dX, dw1, db1",
        """
    length = np.sqrt(sum((part**2).sum() for part in (dX, dw1, db1)))
    return [part * min(1, 60 / length) for part in (dX, dw1, db1)]""",
    )
    code = f"import numpy as np\ndef conv_backward(X, w1, dZ1):{body.format('')}"
    result = checked(tmp_path, code)["conv_backward"]
    said = [f.explanation.text for f in result.findings if f.explanation.certain]
    assert len(said) == 3
    assert all("cut down to 60 where the gradients' common length √Σg² is more" in each for each in said), said


def test_channels_that_no_filter_of_the_same_number_stands_beside_are_missed(tmp_path: Path) -> None:
    code = alone("conv_backward").replace("    return dX[", "    dw1[:, len(w1):] = 0\n    return dX[")
    result = checked(tmp_path, code)["conv_backward"]
    assert result.wrong_links == ("dL/dZ1 → dL/dw1",)
    assert not any(finding.explanation.certain for finding in result.findings)
