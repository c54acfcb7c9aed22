"""Somebody else's functions: right ones pass, and whatever is wrong with one is told and takes no other with it."""

import textwrap
from pathlib import Path

import pytest

from cnncli.checking.user_code import checks
from cnncli.checking.user_code.checks import FunctionResult, check_file, write_template
from cnncli.checking.user_code.contract import FUNCTIONS
from cnncli.errors import DataError, UsageError

RIGHT = """
import numpy as np

def loss_backward(z2, y):
    return (1 / (1 + np.exp(-z2)) - y[:, None]) / len(y)

def dense_backward(F, w2, dz2):
    return dz2 @ w2, dz2.T @ F, dz2.sum(axis=0)

def flatten_backward(dF, shape):
    return dF.reshape(-1, *shape)

def maxpool_backward(A1, dP1, pool):
    dA1 = np.zeros_like(A1)
    for m, n, i, j in np.ndindex(dP1.shape):
        window = A1[m, n, i * pool:(i + 1) * pool, j * pool:(j + 1) * pool]
        a, b = np.unravel_index(window.argmax(), window.shape)
        dA1[m, n, i * pool + a, j * pool + b] = dP1[m, n, i, j]
    return dA1

def avgpool_backward(A1, dP1, pool):
    dA1 = np.zeros_like(A1)
    for m, n, i, j in np.ndindex(dP1.shape):
        dA1[m, n, i * pool:(i + 1) * pool, j * pool:(j + 1) * pool] = dP1[m, n, i, j] / pool**2
    return dA1

def relu_backward(Z1, dA1):
    return dA1 * (Z1 > 0)

def conv_backward(X, w1, dZ1, padding=0):
    k, p, (H, W) = w1.shape[-1], padding, X.shape[2:]
    X = np.pad(X, ((0, 0), (0, 0), (p, p), (p, p)))
    dX, dw1 = np.zeros_like(X), np.zeros_like(w1)
    for i, j in np.ndindex(dZ1.shape[2:]):
        dw1 += np.einsum("mn,mcuv->ncuv", dZ1[:, :, i, j], X[:, :, i:i + k, j:j + k])
        dX[:, :, i:i + k, j:j + k] += np.einsum("mn,ncuv->mcuv", dZ1[:, :, i, j], w1)
    return dX[:, :, p:p + H, p:p + W], dw1, dZ1.sum(axis=(0, 2, 3))

def backward(X, y, w1, b1, w2, b2):
    k, (h, w) = w1.shape[-1], X.shape[2:]
    Z1 = np.zeros((len(X), len(w1), h - w1.shape[-1] + 1, w - w1.shape[-1] + 1))
    for i, j in np.ndindex(Z1.shape[2:]):
        Z1[:, :, i, j] = np.einsum("mcuv,ncuv->mn", X[:, :, i:i + k, j:j + k], w1) + b1
    A1 = np.maximum(Z1, 0)
    p, q = Z1.shape[2] // 2, Z1.shape[3] // 2
    P1 = A1[:, :, :2 * p, :2 * q].reshape(len(X), -1, p, 2, q, 2).max(axis=(3, 5))
    F = P1.reshape(len(X), -1)
    dF, dw2, db2 = dense_backward(F, w2, loss_backward(F @ w2.T + b2, y))
    dA1 = maxpool_backward(A1, dF.reshape(P1.shape), 2)
    _, dw1, db1 = conv_backward(X, w1, relu_backward(Z1, dA1))
    return {"dw1": dw1, "db1": db1, "dw2": dw2, "db2": db2}
"""


def checked(folder: Path, code: str) -> dict[str, FunctionResult]:
    path = folder / "mine.py"
    path.write_text(textwrap.dedent(code), encoding="utf-8")
    return {result.function.name: result for result in check_file(path, 0, "complex-step")}


def problems(result: FunctionResult) -> list[str]:
    return [problem for case in result.cases for problem in case.problems]


def test_a_right_backward_pass_passes(tmp_path: Path) -> None:
    results = checked(tmp_path, RIGHT)
    assert [*results] == [function.name for function in FUNCTIONS]
    assert {name: result.verdict for name, result in results.items()} == dict.fromkeys(results, "PASS")
    assert len(results["dense_backward"].cases) == 10
    assert "padding" in [case.label for case in results["conv_backward"].cases]
    assert [case.label for case in results["avgpool_backward"].cases] == ["average pooling"]


def test_a_function_that_knows_no_padding_is_not_asked_for_it(tmp_path: Path) -> None:
    results = checked(tmp_path, RIGHT.replace("dZ1, padding=0):", "dZ1):\n    padding = 0"))
    assert results["conv_backward"].verdict == "PASS"
    assert "padding" not in [case.label for case in results["conv_backward"].cases]


def test_a_convolution_that_forgets_to_crop_its_padding_fails(tmp_path: Path) -> None:
    results = checked(tmp_path, RIGHT.replace("dX[:, :, p:p + H, p:p + W]", "dX[:, :, :H, :W]"))
    assert [case.label for case in results["conv_backward"].cases if not case.passed] == ["padding"]


def test_each_fault_is_told_as_what_it_is_and_the_others_are_still_checked(tmp_path: Path) -> None:
    results = checked(
        tmp_path,
        """
        import os
        import numpy as np

        def loss_backward(z2, y):
            print("hello")
            raise ValueError("no idea")

        def dense_backward(F, w2, dz2):
            os._exit(3)

        def flatten_backward(dF, shape):
            return dF.reshape(-1, *shape).astype(np.float32)

        def maxpool_backward(A1, dP1):
            return A1

        def relu_backward(Z1, dA1):
            dA1 *= Z1 > 0
            return dA1

        def conv_backward(X, w1, dZ1):
            return X * np.nan, w1.tolist()

        def backward(X, y, w1, b1, w2, b2):
            return {"dw1": w1[0], "db1": [0.0], "dw2": np.full_like(w2, np.inf)}
        """,
    )
    assert problems(results["loss_backward"])[0] == "ValueError in line 7: no idea"
    assert results["loss_backward"].remarks == ("prints to stdout (line 6)",)
    assert problems(results["dense_backward"]) == ["the process ended with exit code 3"]
    assert problems(results["flatten_backward"])[0] == "dP1 is float32 instead of a float64 array"
    assert problems(results["maxpool_backward"])[0].startswith("TypeError in line 15: maxpool_backward() takes 2")
    assert set(problems(results["relu_backward"])) == {"changes its argument dA1 in place"}
    assert problems(results["conv_backward"])[0] == "returns 2 values instead of dX, dw1, db1"
    whole = results["backward"]
    assert set(problems(whole)[:3]) == {
        "db1 is list instead of a float64 array",
        "dw2 has 4 entries that are no finite numbers, the first at [0, 0]: inf",
        "returns no db2",
    }
    assert whole.cases[0].checks[0].problem == "has the shape (1, 3, 3) instead of (1, 1, 3, 3)"
    assert not any(result.passed for result in results.values())


def test_an_endless_loop_is_stopped_and_its_line_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "TIME_LIMIT", 2.0)
    results = checked(
        tmp_path,
        """
        def relu_backward(Z1, dA1):
            while True:
                pass

        def flatten_backward(dF, shape):
            return dF.reshape(-1, *shape)
        """,
    )
    assert problems(results["relu_backward"])[0].startswith("still running in line ")
    assert problems(results["relu_backward"])[0].endswith("after 2 s and stopped")
    assert results["flatten_backward"].passed


def test_mistakes_are_named(tmp_path: Path) -> None:
    results = checked(
        tmp_path,
        """
        import numpy as np

        def loss_backward(z2, y):
            return 1 / (1 + np.exp(-z2)) - y[:, None]

        def relu_backward(Z1, dA1):
            return dA1 * (Z1 >= 0)

        def conv_backward(X, w1, dZ1):
            k = w1.shape[-1]
            dX, dw1 = np.zeros_like(X), np.zeros_like(w1)
            for i, j in np.ndindex(dZ1.shape[2:]):
                dw1 += np.einsum("mn,mcuv->ncuv", dZ1[:, :, i, j], X[:, :, i:i + k, j:j + k])
                dX[:, :, i:i + k, j:j + k] = np.einsum("mn,ncuv->mcuv", dZ1[:, :, i, j], w1)
            return dX, dw1[:, :, ::-1, ::-1].copy(), dZ1
        """,
    )
    assert [d.partition(":")[0] for d in results["loss_backward"].diagnoses] == ["1/m is missing"]
    assert results["relu_backward"].verdict == "KINK"
    assert results["relu_backward"].diagnoses == ("relu′(0) is taken as 1; the convention is 0",)
    said = " | ".join(results["conv_backward"].diagnoses)
    for words in ("overwrite each other", "turned by 180°", "one number for each filter"):
        assert words in said


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("def f(:\n", "cannot be run: SyntaxError in line 1: "),
        ("x = 1\nraise KeyError('x')\n", "cannot be run: KeyError in line 2: 'x'"),
        ("import os\nos._exit(7)\n", "cannot be run: the process ended with exit code 7"),
        ("def forward(X): pass\n", "defines none of the functions loss_backward, "),
    ],
)
def test_a_file_that_cannot_be_checked_is_refused(tmp_path: Path, code: str, sentence: str) -> None:
    with pytest.raises(DataError) as refused:
        checked(tmp_path, code)
    assert sentence in str(refused.value)


def test_the_template_is_whole_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "start.py"
    write_template(path, "cnncli gradcheck --code")
    text = path.read_text("utf-8")
    compile(text, "start.py", "exec")
    for function in FUNCTIONS:
        assert (f"def {function.signature}:" in text) == (function.name != "avgpool_backward")  # the note's network
    with pytest.raises(UsageError, match="exists and is left as it is"):
        write_template(path, "cnncli gradcheck --code")
    assert path.read_text("utf-8") == text
    with pytest.raises(DataError, match="cannot be written"):
        write_template(tmp_path / "nowhere" / "start.py", "check")
