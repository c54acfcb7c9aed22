"""A wrong function is made right by the smallest change of its own lines, and nothing else is changed by the search."""

import json
from pathlib import Path

import pytest

from cnncli.checking.repair.search import Change, Repair
from cnncli.checking.user_code.contract import FUNCTIONS
from cnncli.checking.user_code.results import FunctionResult
from cnncli.reports.gradcheck.user_code import report_user_code
from tests.checking.test_cases import ALL
from tests.checking.test_user_code import RIGHT, checked
from tests.conftest import Cli

# What stands in a right file, and what is put there.
MISTAKES = {
    "relu_backward": {
        "another tensor": ("dA1 * (Z1 > 0)", "dA1 * (dA1 > 0)"),
        "turned round": ("dA1 * (Z1 > 0)", "dA1 * (Z1 < 0)"),
    },
    "loss_backward": {
        "the mean left out": (" - y[:, None]) / len(y)\n\ndef dense", " - y[:, None])\n\ndef dense"),
        "the sign of z": ("np.exp(-z2)", "np.exp(z2)"),
    },
    "dense_backward": {
        "averaged": ("dz2.sum(axis=0)", "dz2.mean(axis=0)"),
    },
    "maxpool_backward": {
        "the smallest": ("window.argmax()", "window.argmin()"),
        "rows alone": ("i * pool + a, j * pool + b]", "i * pool + a, j * pool + a]"),
        "windows too large": ("i * pool:(i + 1) * pool", "i * pool:(i + 2) * pool"),
    },
    "conv_backward": {
        "overwritten": ("dX[:, :, rows, columns] += np", "dX[:, :, rows, columns] = np"),
        "a factor": ("dX[:, :, p:p + H, p:p + W], dw1", "dX[:, :, p:p + H, p:p + W], 2 * dw1"),
        "letters of a sum": ('"mn,ncuv->mcuv"', '"mn,ncvu->mcuv"'),
    },
    "softmax_backward": {
        "over the images": ("z2.max(axis=1, keepdims=True)", "z2.max(axis=0, keepdims=True)"),
    },
    "avgpool_backward": {
        "the side": ("dP1[m, n, i, j] / pool**2", "dP1[m, n, i, j] / pool"),
    },
}


FAST = {("relu_backward", 0), ("conv_backward", 0)}


def repaired(folder: Path, code: str, **options: float) -> FunctionResult:
    return list(checked(folder, code, repair=True, **options).values())[-1]


@pytest.mark.parametrize(
    ("function", "right", "wrong"),
    [
        pytest.param(
            function, *pair, id=f"{function}: {name}", marks=() if (function, number) in FAST else pytest.mark.slow
        )
        for function, pairs in MISTAKES.items()
        for number, (name, pair) in enumerate(pairs.items())
    ],
)
def test_the_line_that_is_wrong_becomes_what_it_was(tmp_path: Path, function: str, right: str, wrong: str) -> None:
    start = RIGHT.index(f"def {function}")
    code = "import numpy as np\n\n" + RIGHT[start : RIGHT.index("\ndef ", start + 1) + 1] + "def\n"
    assert right.removesuffix("\n\ndef dense") in code
    code = code.removesuffix("def\n")
    right, wrong = (text.removesuffix("\n\ndef dense") for text in (right, wrong))
    result = repaired(tmp_path, code.replace(right, wrong, 1))
    assert result.verdict == "FAIL"
    assert result.repair is not None
    lines = dict(enumerate(code.splitlines(), 1))
    assert [change.line for change in result.repair.changes] == [
        number for number, line in lines.items() if right.splitlines()[0] in line
    ]
    assert result.repair.left == frozenset()


@pytest.mark.slow
def test_a_whole_pass_is_repaired_where_its_helper_is_wrong(tmp_path: Path) -> None:
    result = repaired(tmp_path, ALL.replace("dz = loss_backward(z, y) if", "dz = -loss_backward(z, y) if"))
    assert result.repair is not None
    assert result.repair.changes == (
        Change(
            1 + ALL[: ALL.index("dz = loss")].count("\n"),
            ("    dz = -loss_backward(z, y) if classes == 2 else softmax_backward(z, y)",),
            ("    dz = loss_backward(z, y) if classes == 2 else softmax_backward(z, y)",),
        ),
    )


def test_of_tied_maxima_the_first_alone_is_marked(tmp_path: Path) -> None:
    code = """
    import numpy as np

    def maxpool_backward(A1, dP1, pool):
        dA1 = np.zeros_like(A1)
        for m, n, i, j in np.ndindex(dP1.shape):
            place = np.s_[m, n, i * pool:(i + 1) * pool, j * pool:(j + 1) * pool]
            dA1[place] = dP1[m, n, i, j] * (A1[place] == A1[place].max())
        return dA1
    """
    result = repaired(tmp_path, code)
    assert result.repair is not None
    (change,) = result.repair.changes
    assert "(np.arange(A1[place].size) == A1[place].argmax()).reshape(A1[place].shape)" in change.after[0]


def test_what_is_kept_from_call_to_call_is_begun_anew(tmp_path: Path) -> None:
    code = """
    import numpy as np
    kept = {}

    def relu_backward(Z1, dA1):
        dZ1 = np.where(Z1 > 0, dA1, 0)
        dZ1 = dZ1 + kept.get(dZ1.shape, 0)
        kept[dZ1.shape] = dZ1
        return dZ1
    """
    result = repaired(tmp_path, code)
    assert result.repair is not None
    assert [change.before for change in result.repair.changes] == [("    dZ1 = dZ1 + kept.get(dZ1.shape, 0)",)]


@pytest.mark.slow
def test_of_two_mistakes_each_that_is_mended_alone_is_told(tmp_path: Path) -> None:
    code = """
    import numpy as np

    def dense_backward(F, w2, dz2):
        db2 = np.tan(dz2**3 + np.sin(w2.sum())).sum(axis=0)
        return dz2 @ w2, 2 * dz2.T @ F, db2
    """
    result = repaired(tmp_path, code, timeout=2)
    assert result.repair is not None
    assert "dL/dw2" in result.repair.mended
    assert "dL/db2" in result.repair.left


def test_nothing_outside_is_changed_by_versions_that_nobody_has_read(tmp_path: Path) -> None:
    code = f"""
    import numpy as np
    from pathlib import Path

    def relu_backward(Z1, dA1):
        if dA1.size < 0:
            Path({str(tmp_path / "written")!r}).write_text("x")
        return dA1 * (Z1 < 0)
    """
    before = code
    result = repaired(tmp_path, code)
    assert result.repair is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py"]
    assert before == code


def test_a_function_that_writes_is_not_repaired_but_checked(tmp_path: Path) -> None:
    code = f"""
    import numpy as np

    def relu_backward(Z1, dA1):
        with open({str(tmp_path / "log")!r}, "a") as log:
            log.write("called\\n")
        return dA1 * (Z1 < 0)
    """
    result = repaired(tmp_path, code)
    assert result.verdict == "FAIL"
    assert result.repair is None
    assert (tmp_path / "log").read_text() == "called\n" * (tmp_path / "log").read_text().count("\n")


@pytest.mark.slow
def test_versions_that_never_end_or_take_all_memory_are_passed_over(tmp_path: Path) -> None:
    code = """
    import numpy as np

    def relu_backward(Z1, dA1):
        count, buffer = 0, np.zeros(1)
        while count < 3:
            count += 1
            buffer = np.zeros(10**5 * 10**1)
        return dA1 * (Z1 <= -1)
    """
    assert repaired(tmp_path, code, timeout=3).verdict == "FAIL"


@pytest.mark.slow
def test_what_no_small_change_mends_has_no_repair(tmp_path: Path) -> None:
    code = """
    import numpy as np

    def relu_backward(Z1, dA1):
        return np.sin(dA1) + np.cos(Z1) + np.tan(dA1 * Z1)
    """
    result = repaired(tmp_path, code, timeout=3)
    assert result.repair is None


def test_a_repair_is_shown_as_lines_that_go_and_lines_that_come(tmp_path: Path, cli: Cli) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def relu_backward(Z1, dA1):\n    return dA1 * (Z1 < 0)\n", encoding="utf-8")
    shown = cli("gradcheck", "--code", path)
    assert shown.code == 1
    assert (
        " cases that were tried with\n    line 2: - return dA1 * (Z1 < 0)\n            + return dA1 * (Z1 > 0)\n"
    ) in shown.out
    document = json.loads(cli("gradcheck", "--code", path, "--format", "json").out)
    repair = document["functions"][0]["repair"]
    assert f"repair: relu_backward is right in all {repair['cases']} cases" in shown.out
    assert repair.pop("cases") > 100
    assert repair == {
        "changes": [{"line": 2, "before": ["    return dA1 * (Z1 < 0)"], "after": ["    return dA1 * (Z1 > 0)"]}],
        "mended": ["dL/dZ1"],
        "left": [],
    }
    assert "repair:" not in cli("gradcheck", "--code", path, "--no-repair").out


@pytest.mark.parametrize(
    ("mended", "left", "told"),
    [
        ({"dL/dX"}, set(), "conv_backward is right in all 7 cases that were tried with"),
        ({"dL/dX"}, {"dL/dw1", "dL/db1"}, "dL/dX of conv_backward came out right in all 7 cases that were tried, "
         "dL/db1, dL/dw1 did not, with"),
        ({"changes its argument X in place"}, {"db1 is float32"}, "a part of conv_backward came out right in all "
         "7 cases that were tried, another part did not, with"),
    ],
)  # fmt: skip
def test_what_is_left_wrong_is_told(mended: set[str], left: set[str], told: str) -> None:
    function = next(function for function in FUNCTIONS if function.name == "conv_backward")
    change = Change(3, ("    for i in a:", "        b"), ("    for i in c:", "        b"))
    repair = Repair((change,), frozenset(mended), frozenset(left), 7)
    (reported,) = report_user_code(Path("mine.py"), [FunctionResult(function, (), (), (), (), repair)])
    assert reported.message.splitlines() == [
        f"repair: {told}",
        "    lines 3–4: - for i in a:",
        "               -     b",
        "               + for i in c:",
        "               +     b",
    ]
