"""Somebody else's functions: right ones pass, and whatever is wrong with one is told and takes no other with it."""

import textwrap
from pathlib import Path
from typing import Any

import pytest

from cnncli.checking.user_code import checks
from cnncli.checking.user_code.checks import check_file, write_template
from cnncli.checking.user_code.contract import FUNCTIONS
from cnncli.checking.user_code.results import FunctionResult
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

def softmax_backward(z2, y):
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True) - np.eye(z2.shape[1])[y]) / len(y)

def relu_backward(Z1, dA1):
    return dA1 * (Z1 > 0)

def conv_backward(X, w1, dZ1, padding=0, stride=1, dilation=1):
    k, p, t, d, (H, W) = w1.shape[-1], padding, stride, dilation, X.shape[2:]
    X = np.pad(X, ((0, 0), (0, 0), (p, p), (p, p)))
    dX, dw1 = np.zeros_like(X), np.zeros_like(w1)
    for i, j in np.ndindex(dZ1.shape[2:]):
        rows, columns = (slice(t * i, t * i + d * (k - 1) + 1, d) for i in (i, j))
        dw1 += np.einsum("mn,mcuv->ncuv", dZ1[:, :, i, j], X[:, :, rows, columns])
        dX[:, :, rows, columns] += np.einsum("mn,ncuv->mcuv", dZ1[:, :, i, j], w1)
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


def alone(function: str) -> str:
    """A file with one of the right functions."""
    return "import numpy as np\ndef " + next(part for part in RIGHT.split("\ndef ") if part.startswith(f"{function}("))


def checked(folder: Path, code: str, *, repair: bool = False, **options: Any) -> dict[str, FunctionResult]:
    path = folder / "mine.py"
    path.write_text(textwrap.dedent(code), encoding="utf-8")
    return {result.function.name: result for result in check_file(path, 0, "complex-step", repair=repair, **options)}


def problems(result: FunctionResult) -> list[str]:
    return [problem for case in result.cases for problem in case.problems]


def sentences(result: FunctionResult) -> list[str]:
    return [finding.explanation.text for finding in result.findings]


def test_a_right_backward_pass_passes(tmp_path: Path) -> None:
    results = checked(tmp_path, RIGHT)
    assert {*results} == {function.name for function in FUNCTIONS}
    assert {name: result.verdict for name, result in results.items()} == dict.fromkeys(results, "PASS")
    assert len(results["dense_backward"].cases) > 15
    assert {"padding", "stride", "dilation"} <= {case.label for case in results["conv_backward"].cases}
    assert {"average pooling", "averages of nine"} < {case.label for case in results["avgpool_backward"].cases}
    assert not any("overlap" in case.label for case in results["avgpool_backward"].cases)


def test_a_function_that_knows_no_padding_is_not_asked_for_it(tmp_path: Path) -> None:
    known = "dZ1, padding=0, stride=1, dilation=1):"
    results = checked(tmp_path, alone("conv_backward").replace(known, "dZ1):\n    padding, stride, dilation = 0, 1, 1"))
    assert results["conv_backward"].verdict == "PASS"
    assert not {"padding", "stride", "dilation"} & {case.label for case in results["conv_backward"].cases}


def test_a_convolution_that_forgets_to_crop_its_padding_fails(tmp_path: Path) -> None:
    results = checked(tmp_path, alone("conv_backward").replace("dX[:, :, p:p + H, p:p + W]", "dX[:, :, :H, :W]"))
    wrong = [case.label for case in results["conv_backward"].cases if not case.passed]
    assert wrong == [
        "padding",
        "padding, stride and dilation",
        "padding of two",
        "padding wider than the kernel",
        "padding and stride",
    ]
    assert "only where there is padding" in sentences(results["conv_backward"])[0]


def test_overlapping_windows_show_what_overwrites(tmp_path: Path) -> None:
    code = """
        import numpy as np
        def maxpool_backward(A1, dP1, pool, pool_stride):
            dA1 = np.zeros_like(A1)
            for m, n, i, j in np.ndindex(dP1.shape):
                top, left = i * pool_stride, j * pool_stride
                window = A1[m, n, top:top + pool, left:left + pool]
                a, b = np.unravel_index(window.argmax(), window.shape)
                dA1[m, n, top + a, left + b] SIGN dP1[m, n, i, j]
            return dA1
        """
    assert checked(tmp_path, code.replace("SIGN", "+="))["maxpool_backward"].verdict == "PASS"
    wrong = checked(tmp_path, code.replace("SIGN", "="))["maxpool_backward"]
    failed = [case.label for case in wrong.cases if not case.passed]
    assert failed == ["windows that overlap", "windows of two that overlap", "windows of four that overlap"]


def test_other_layouts_are_stated_once(tmp_path: Path) -> None:
    code = """
        import numpy as np
        LAYOUT, KERNEL, DENSE, BIAS = "NHWC", "kkCN", "DK", (1, -1)
        def conv_backward(X, w1, dZ1):
            k = w1.shape[0]
            dX, dw1 = np.zeros_like(X), np.zeros_like(w1)
            for i, j in np.ndindex(dZ1.shape[1:3]):
                dw1 += np.einsum("muvc,mn->uvcn", X[:, i:i + k, j:j + k], dZ1[:, i, j])
                dX[:, i:i + k, j:j + k] += np.einsum("mn,uvcn->muvc", dZ1[:, i, j], w1)
            return dX, dw1, dZ1.sum(axis=(0, 1, 2)).reshape(1, -1)
        def flatten_backward(dF, shape):
            return dF.reshape(-1, *shape)
        def dense_backward(F, w2, dz2):
            return dz2 @ w2.T, F.T @ dz2, dz2.sum(axis=0, keepdims=True)
        """
    results = checked(tmp_path, code)
    assert {name: result.verdict for name, result in results.items()} == dict.fromkeys(results, "PASS")
    with pytest.raises(DataError, match="KERNEL is 'kkC'; it is an order of N, C, k and k"):
        checked(tmp_path, code.replace("kkCN", "kkC"))


def test_each_fault_is_told_as_what_it_is_and_the_others_are_still_checked(tmp_path: Path) -> None:
    results = checked(
        tmp_path,
        """
        import os
        import numpy as np

        def loss_backward(z2, y):
            print("hello")
            return np.zeros(3) @ np.zeros(4)

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
    assert problems(results["loss_backward"])[0].startswith("ValueError in line 7: matmul")
    assert results["loss_backward"].remarks == ("prints to stdout (line 6)",)
    assert problems(results["dense_backward"]) == ["the process ended with exit code 3"]
    assert problems(results["flatten_backward"])[0] == "dP1 is float32 instead of a float64 array"
    assert problems(results["maxpool_backward"])[0].startswith("TypeError in line 15: maxpool_backward() takes 2")
    assert "changes its argument dA1 in place" in problems(results["relu_backward"])
    assert problems(results["conv_backward"])[0] == "returns 2 values instead of dX, dw1, db1"
    assert {
        "db1 is list instead of a float64 array",
        "dw2 has 4 entries that are no finite numbers, the first at [0, 0]: inf",
        "returns no db2",
    } <= set(problems(results["backward"]))
    assert not any(result.passed for result in results.values())


def test_what_prints_is_the_function_that_prints(tmp_path: Path) -> None:
    results = checked(tmp_path, RIGHT.replace("    return dA1 * (", "    print()\n    return dA1 * (") + "\nprint()\n")
    assert results["flatten_backward"].passed
    printing = {name for name, result in results.items() if result.remarks}
    assert printing == {"relu_backward", "backward"}  # which calls it


def test_a_forgotten_return_is_told(tmp_path: Path) -> None:
    code = "def relu_backward(Z1, dA1):\n    dA1 * (Z1 > 0)\ndef dense_backward(F, w2, dz2):\n    dz2 @ w2\n"
    for result in checked(tmp_path, code).values():
        assert result.verdict == "FAIL"
        assert problems(result)[0] == "returns nothing (None): is a return missing?"


def test_of_an_array_in_float32_nothing_else_is_said(tmp_path: Path) -> None:
    code = alone("dense_backward").replace("return dz2 @ w2, dz2.T @ F", "return (dz2 @ w2).astype('f4'), dz2.T @ F")
    result = checked(tmp_path, code)["dense_backward"]
    assert set(problems(result)) == {"dF is float32 instead of a float64 array"}
    assert sentences(result) == []


def test_refusing_and_leaving_out_are_no_failures(tmp_path: Path) -> None:
    results = checked(
        tmp_path,
        """
        def relu_backward(Z1, dA1):
            if Z1.shape[2] != Z1.shape[3]:
                raise ValueError("square images only")
            return dA1 * (Z1 > 0)

        def dense_backward(F, w2, dz2):
            return None, dz2.T @ F, None

        def flatten_backward(dF, shape):
            raise NotImplementedError
        """,
    )
    relu = results["relu_backward"]
    assert relu.verdict == "PASS"
    assert {case.unsupported for case in relu.cases} == {"", "square images only"}
    assert results["dense_backward"].verdict == "PASS"
    assert results["dense_backward"].remarks == ("does not compute dF, db2",)
    assert results["flatten_backward"].verdict == "NOT WRITTEN"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("return dA1 * (Z1 > 0) * (1 + (np.random.rand() < 2) * np.random.rand())", "something else each time"),
        ("kept.append(0); return dA1 * (Z1 > 0) * len(kept)", "something else each time"),
        (
            "kept.append(Z1.sum()); return dA1 * (Z1 > 0) + (kept[0] != Z1.sum()) * (len(kept) > 9)",
            "it keeps something",
        ),
        ("return dA1 * (Z1 > 0) + 1e-3", "is not 0 where dA1 is 0"),
        ("return np.where(Z1 > 0, dA1, 0) * np.abs(dA1)", "is not linear in dA1"),
        ("store[:dA1.size] = (dA1 * (Z1 > 0)).ravel(); return store[:dA1.size].reshape(dA1.shape)", "overwrites it"),
    ],
)
def test_behaviour_from_call_to_call_is_named(
    tmp_path: Path, code: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        checks, "find_causes", lambda *_, **__: ((), ())
    )  # a long search for what the behaviour explains
    body = code.replace("; ", "\n    ")
    file = f"import numpy as np\nkept, store = [], np.zeros(9999)\ndef relu_backward(Z1, dA1):\n    {body}\n"
    assert any(sentence in problem for problem in problems(checked(tmp_path, file)["relu_backward"]))


def test_an_endless_loop_is_stopped_and_its_line_told_and_imports_do_not_count(tmp_path: Path) -> None:
    results = checked(
        tmp_path,
        """
        import time
        end = time.process_time() + 1.2
        while time.process_time() < end:
            pass

        def relu_backward(Z1, dA1):
            while True:
                pass

        def flatten_backward(dF, shape):
            return dF.reshape(-1, *shape)
        """,
        timeout=0.5,
    )
    (told,) = problems(results["relu_backward"])
    assert told.startswith("still running in line ")
    assert told.endswith(" after 0.5 s of computing and stopped")
    assert results["flatten_backward"].passed


@pytest.mark.parametrize("junk", ["b'x' * 100", "b'\\x04' + bytes(7) + b'junk'"])
@pytest.mark.parametrize("repair", [False, True])
def test_a_file_that_writes_to_the_pipe_of_its_report_is_told(tmp_path: Path, junk: str, repair: bool) -> None:
    code = f"""
    import os

    def relu_backward(Z1, dA1):
        for number in range(3, 64):
            try:
                os.write(number, {junk})
            except OSError:
                pass
        return dA1 * (Z1 < 0)
    """
    result = checked(tmp_path, code, repair=repair)["relu_backward"]
    (problem,) = problems(result)
    assert problem == "the process wrote an answer that is not ours: the file writes to the pipe of its report"
    assert result.repair is None


def test_a_file_that_patches_what_reports_are_made_of_cannot_change_them(tmp_path: Path) -> None:
    results = checked(
        tmp_path,
        """
        import json, pickle
        import numpy as np
        json.dumps = repr = lambda *_: "{}"
        pickle.dumps = lambda *_: b""
        np.array_equal = lambda *_, **__: True
        print("{'parts': []}")

        def relu_backward(Z1, dA1):
            dA1 *= Z1 > 0
            return dA1 * 2
        """,
    )
    assert results["relu_backward"].verdict == "FAIL"


def test_one_case_can_be_looked_at_alone_and_more_can_be_drawn(tmp_path: Path) -> None:
    assert [c.label for c in checked(tmp_path, RIGHT, only="a-batch")["relu_backward"].cases] == ["a batch"]
    more = checked(tmp_path, "def relu_backward(Z1, dA1):\n    return dA1 * (Z1 > 0)\n", more=3)
    assert [case.label for case in more["relu_backward"].cases][-3:] == ["random 1", "random 2", "random 3"]
    with pytest.raises(UsageError, match="no such case, there are the-notes-example, "):
        checked(tmp_path, RIGHT, only="nothing")


def test_several_blocks_by_a_dictionary_of_parameters(tmp_path: Path) -> None:
    whole = RIGHT[RIGHT.index("def backward(") :]
    code = RIGHT.replace(whole, "") + whole.replace("X, y, w1, b1, w2, b2):", "X, y, parameters):").replace(
        "    k, (h", "    w1, b1, w2, b2 = (parameters[name] for name in ('w1', 'b1', 'w2', 'b2'))\n    k, (h"
    )
    labels = [case.label for case in checked(tmp_path, code)["backward"].cases]
    assert {"a batch", "two blocks", "three blocks"} <= set(labels)


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
    assert [text.partition(":")[0] for text in sentences(results["loss_backward"])] == ["1/m is missing"]
    assert sentences(results["loss_backward"])[0].endswith("only where m > 1")
    assert results["relu_backward"].verdict == "KINK"
    assert sentences(results["relu_backward"])[0].startswith("relu′(0) is taken as 1; the convention is 0")
    said = " | ".join(sentences(results["conv_backward"]))
    for words in ("overwrite each other", "turned by 180°", "not summed over the images and rows and columns"):
        assert words in said
    assert results["conv_backward"].wrong_links == ("dL/dZ1 → dL/dX", "dL/dZ1 → dL/dw1", "dL/dZ1 → dL/db1")


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
        assert (f"def {function.signature}:" in text) == (
            function.name not in ("avgpool_backward", "softmax_backward")
        )  # the note's network
    for told in ("padding, stride, dilation", "LAYOUT", "None", "softmax_backward(z2, y)", "avgpool_backward(A1, dP1"):
        assert told in text.partition("import numpy")[0]
    with pytest.raises(UsageError, match="exists and is left as it is"):
        write_template(path, "cnncli gradcheck --code")
    assert path.read_text("utf-8") == text
    with pytest.raises(DataError, match="cannot be written"):
        write_template(tmp_path / "nowhere" / "start.py", "check")


def test_a_whole_backward_pass_with_two_bugs_has_two_links_and_no_third_is_accused(tmp_path: Path) -> None:
    whole = RIGHT[RIGHT.index("def backward(") :].replace(
        '    return {"dw1": dw1, "db1": db1,',
        '    dw1, db2 = dw1[:, :, ::-1, ::-1], db2 / len(X)\n    return {"dw1": dw1, "db1": db1,',
    )
    result = checked(tmp_path, RIGHT[: RIGHT.index("def backward(")] + whole)["backward"]
    assert set(result.wrong_links) == {"dL/dZ1 → dL/dw1", "dL/dz2 → dL/db2"}
    assert all(finding.explanation.certain for finding in result.findings)
