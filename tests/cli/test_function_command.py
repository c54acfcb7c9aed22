"""`cnncli gradcheck --function` as a user runs it."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from cnncli.pytest_plugin import GradcheckFixture
from cnncli.vjp.user_functions import load_function
from tests.conftest import Cli

CODE = """
import numpy as np

def f(a, b):
    return a @ b

def vjp(a, b, g):
    return g @ b.T, a.T @ g

def wrong(a, b, g):
    return g @ b.T, 2 * a.T @ g

def scalar(x):
    return (x ** 2).sum()

def gradient(x):
    return 2 * x

def kinked(x, g):
    return 0.5 * g
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    return path


def test_a_right_and_a_wrong_one(cli: Cli, code: Path, tmp_path: Path) -> None:
    right = cli("gradcheck", "--function", f"{code}:f", "--vjp", f"{code}:vjp", "--shape", "3x4,4x5")
    assert (right.code, right.err) == (0, "")
    assert right.out.startswith("PASS: vjp\n")
    np.savez(tmp_path / "case.npz", b=np.ones((4, 5)), a=np.ones((3, 4)))
    arguments = ("gradcheck", "--function", f"{code}:f", "--vjp", f"{code}:wrong", "--inputs", tmp_path / "case.npz")
    wrong = cli(*arguments)
    assert wrong.code == 1
    assert "FAIL: wrong: wrong for input 1" in wrong.out
    assert "diagnosis: input 1: it is 2 times the right one" in wrong.out
    document = json.loads(cli(*arguments, "--format", "json").out)
    assert (document["verdict"], document["wrong"][0]["input"]) == ("FAIL", 1)


def test_reports_for_machines(cli: Cli, code: Path, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    wrong = ("gradcheck", "--function", f"{code}:f", "--vjp", f"{code}:wrong", "--shape", "3x4,4x5")
    result = cli(*wrong, "--junit", junit, "--github", "-q")
    assert result.code == 1
    line = CODE.splitlines().index("def wrong(a, b, g):") + 1
    assert f"mine.py,line={line},title=gradcheck%3A wrong::FAIL" in result.out
    (case,) = ElementTree.parse(junit).getroot()  # noqa: S314  our own file
    assert case[0].tag == "failure"
    whole = cli("gradcheck", "--junit", junit, "-q")
    assert (whole.code, whole.out) == (0, "")
    assert whole == cli("gradcheck", "--junit", junit, "-q")  # it replaces its own report
    suite = ElementTree.parse(junit).getroot()  # noqa: S314
    derivatives_and_links = 20
    assert (suite.attrib["name"], suite.attrib["failures"]) == ("cnncli gradcheck", "0")
    assert int(suite.attrib["tests"]) == len(suite) > derivatives_and_links  # and a row for each engine that is there


def test_a_report_replaces_nothing_but_a_report(cli: Cli, code: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"mine")
    function = ("--function", f"{code}:f", "--vjp", f"{code}:wrong", "--shape", "3x4,4x5")
    for arguments in ((), function):
        result = cli("gradcheck", *arguments, "--junit", tmp_path / "photo.png")
        assert (result.code, result.sentence) == (
            2, f"Error: --junit {tmp_path / 'photo.png'} is there and is no report of a check: name another file"
        )  # fmt: skip
    assert (tmp_path / "photo.png").read_bytes() == b"mine"
    assert cli("gradcheck", "--junit", tmp_path).code == 3


def test_the_gradient_of_a_scalar_and_strict(cli: Cli, code: Path, tmp_path: Path) -> None:
    scalar = cli("gradcheck", "--function", f"{code}:scalar", "--gradient", f"{code}:gradient", "--shape", "5", "-q")
    assert (scalar.code, scalar.out) == (0, "")
    np.savez(tmp_path / "zero.npz", x=np.zeros(1))
    arguments = ("gradcheck", "--function", "numpy:abs", "--vjp", f"{code}:kinked", "--inputs", tmp_path / "zero.npz")
    assert cli(*arguments).code == 0
    assert cli(*arguments, "--strict").code == 1


def test_what_cannot_be_done_is_told(cli: Cli, code: Path, tmp_path: Path) -> None:
    def tell(*arguments: object) -> str:
        return cli("gradcheck", *arguments).sentence

    f = ("--function", f"{code}:f")
    backward = ("--vjp", f"{code}:vjp", "--gradient", f"{code}:gradient")
    assert tell(*f, "--shape", "3") == "Error: --function needs a backward pass: give --vjp or --gradient"
    assert tell(*f, *backward[:2]) == "Error: --function needs inputs: give --inputs or --shape"
    assert "--vjp and --gradient are two ways to say the same: give one" in tell(*f, *backward, "--shape", "3")
    assert "name a function as module:f or file.py:f" in tell("--function", "f", "--vjp", "g:g", "--shape", "3")
    assert "has no function nothing" in tell("--function", f"{code}:nothing", "--vjp", f"{code}:vjp", "--shape", "3")
    assert "nowhere cannot be imported" in tell("--function", "nowhere:f", "--vjp", f"{code}:vjp", "--shape", "3")
    assert "no such file" in tell("--function", "none.py:f", "--vjp", f"{code}:vjp", "--shape", "3")
    assert "are no shapes like 3x4,4x5" in tell(*f, "--vjp", f"{code}:vjp", "--shape", "3xx")
    assert "no such file" in tell(*f, "--vjp", f"{code}:vjp", "--inputs", tmp_path / "none.npz")
    assert "--vjp means nothing without --function" in tell("--vjp", f"{code}:vjp")


SHARED = """
import numpy as np

def two(x, w):
    return x * w

def raising(x):
    raise ValueError("never")

def noisy(x):
    return x + np.random.rand()

def abs(x):
    return np.abs(x)

def half(x, g):
    return g * np.sign(x) + 0.5 * g * (x == 0)

def double(x, g):
    return 2 * g
"""


@pytest.mark.parametrize(
    ("f", "vjp", "x", "fails"),
    [
        ("two", "half", 1.0, True),  # an argument is missing
        ("raising", "half", 1.0, True),
        ("noisy", "half", 1.0, True),
        ("abs", "double", 1.0, True),
        ("abs", "half", 1.0, False),
        ("abs", "half", 0.0, False),  # on a kink
    ],
)
def test_the_shell_and_the_plugin_fail_the_same(
    cli: Cli, tmp_path: Path, f: str, vjp: str, x: float, fails: bool
) -> None:
    path, inputs, junit = tmp_path / "shared.py", tmp_path / "case.npz", tmp_path / "report.xml"
    path.write_text(SHARED)
    np.savez(inputs, x=np.array([x]))
    arguments = ("--function", f"{path}:{f}", "--vjp", f"{path}:{vjp}", "--inputs", inputs)
    assert cli("gradcheck", *arguments, "--junit", junit, "-q").code == fails
    assert ElementTree.parse(junit).getroot().attrib["failures"] == str(int(fails))  # noqa: S314
    functions = [load_function(f"{path}:{name}") for name in (f, vjp)]
    with pytest.raises(AssertionError) if fails else nullcontext():
        GradcheckFixture()(*functions, np.array([x]))


def test_arrays_go_by_their_names_or_by_their_places_and_never_by_both(cli: Cli, code: Path, tmp_path: Path) -> None:
    a, b = np.ones((3, 4)), np.ones((4, 5))
    path = tmp_path / "case.npz"
    check = ("gradcheck", "--function", f"{code}:f", "--vjp", f"{code}:vjp", "--inputs", path)
    named: tuple[dict[str, Any], ...] = ({"b": b, "a": a}, {"arr_0": a, "arr_1": b})
    for arrays in named:
        np.savez(path, **arrays)
        assert cli(*check).code == 0
    partly: tuple[dict[str, Any], ...] = ({"a": a, "q": b}, {"b": b})
    for arrays in partly:
        np.savez(path, **arrays)
        refused = cli(*check)
        assert refused.code == 3
        assert "and the arguments are a, b: name all arrays after the first arguments, or none" in refused.sentence


KINKED = """
import numpy as np

def relu_backward(Z1, dA1):
    return dA1 * (Z1 >= 0)
"""


def test_the_functions_of_a_file_have_their_lines_in_reports_and_a_convention(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(KINKED)
    check = ("gradcheck", "--code", tmp_path / "mine.py", "--no-repair", "-q")
    assert (cli(*check).code, cli(*check).out) == (0, "")
    strict = cli(*check, "--strict", "--github", "--junit", tmp_path / "report.xml")
    assert strict.code == 1
    assert [line for line in strict.out.splitlines() if line.startswith("FAIL")] == [
        "FAIL: relu_backward: on a kink, where strict lets nothing pass"
    ]
    cases, passed = (int(cell) for cell in strict.out.partition("│ relu_backward(Z1, dA1) │")[2].split("│")[:2])
    assert 0 < passed < cases
    last = cli(*check[:-1]).out.splitlines()[-1]
    assert last.startswith("PASS: relu_backward; where a unit sits on a kink the gradient lies between")
    assert "mine.py,line=4,title=gradcheck%3A relu_backward::relu_backward, ties" in strict.out
    assert ElementTree.parse(tmp_path / "report.xml").getroot().attrib["failures"] == "1"  # noqa: S314
    assert "18 of 72 entries are wrong" in cli(*check, "--convention", "first-max,relu0").out
    declared = cli("gradcheck", "--code", tmp_path / "mine.py", "--convention", "relu1", "--strict")
    assert (declared.code, declared.out.splitlines()[-1]) == (0, "PASS: relu_backward")
    for names, sentence in (("relu2", "is no convention"), ("relu0,relu1", "two conventions for the same")):
        refused = cli(*check, "--convention", names)
        assert refused.code == 2
        assert sentence in refused.sentence


def test_a_declared_convention_holds_on_every_kink_of_the_example(cli: Cli) -> None:
    central = ("gradcheck", "--method", "central", "--convention")
    assert cli(*central, "first-max,relu0").out.splitlines()[-1] == "PASS: 10 derivatives and 10 links, 184 entries"
    strict = cli("gradcheck", "--method", "central", "--strict", "-q")
    assert strict.code == 1
    assert strict.out.splitlines()[-1] == "FAIL: dL/dA1, dL/dP1 → dL/dA1: on a kink, where strict lets nothing pass"
    other = cli(*central, "last-max")
    assert other.code == 1
    assert "dL/dP1 → dL/dA1 is the first wrong link; worst entry [0, 2, 2]: -0.0450166 instead of 0" in other.out


def test_a_failing_case_is_written_out_as_python_that_repeats_it(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(KINKED.replace("(Z1 >= 0)", "(Z1 > 1)"))
    out = cli("gradcheck", "--code", path, "--case", "the-notes-example").out
    lines = [line[4:] for line in out.partition("in Python:\n")[2].splitlines()]
    namespace: dict[str, object] = {}
    exec("\n".join(lines[:-1]), namespace)  # noqa: S102  what a person does with it
    assert lines[-1] == "print(relu_backward(Z1, dA1))"
    exec(f"answer = {lines[-1][6:-1]}", namespace)  # noqa: S102
    assert isinstance(namespace["answer"], np.ndarray)
    assert namespace["answer"].shape == (1, 1, 4, 4)
