"""The edits of a program: what each kind makes of a line, and what none may touch."""

import ast
import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.checking.repair.edits.joint import list_joint_edits
from cnncli.checking.repair.edits.list import list_edits
from cnncli.checking.repair.edits.reach import find_reachable
from cnncli.checking.repair.source import Source
from tests.checking.repair.test_undoing import MISTAKES
from tests.conftest import ROOT

# One line of a function, and lines that edits make of it.
LINES = {
    "comparison": ("mask = Z > 0", ["mask = Z >= 0", "mask = Z < 0", "mask = Z == 0"]),
    "chain of comparisons": ("on = 0 < Z < 6", ["on = 0 <= Z < 6", "on = 0 < Z <= 6"]),
    "membership": ("on = 1 not in Z", ["on = 1 in Z"]),
    "function": ("top = np.maximum(Z, 0)", ["top = np.minimum(Z, 0)", "top = Z", "top = (Z > 0)"]),
    "method": ("k = Z.argmax()", ["k = Z.argmin()"]),
    "sum": ("s = Z.sum(axis=0)", ["s = Z.mean(axis=0)", "s = Z.sum()", "s = Z.sum(axis=1)"]),
    "zeros": ("d = np.zeros_like(Z)", ["d = np.ones_like(Z)", "d = np.empty_like(Z)"]),
    "tile": ("d = np.tile(Z, (1, 2))", ["d = np.repeat(Z, (1, 2))", "d = np.kron(Z, np.ones((1, 2)))"]),
    "plus": ("d = Z + A", ["d = Z - A", "d = Z", "d = A"]),
    "minus": ("d = Z - A", ["d = Z + A", "d = A - Z", "d = -A"]),
    "times": ("d = Z * A", ["d = Z / A", "d = Z @ A", "d = (Z > 0) * A"]),
    "precedence": ("d = (Z + A) * Z", ["d = Z + A", "d = Z", "d = (Z - A) * Z", "d = (Z + A) / Z"]),
    "a product for a sum": ("d = Z / (A + 1)", ["d = Z / A", "d = Z", "d = (A + 1) / Z"]),
    "a sum for a product": ("k = pool - pool * 2", ["k = pool - pool", "k = pool - 2", "k = pool - pool / 2"]),
    "rounded up": ("k = pool // 2", ["k = -(-pool // 2)", "k = pool / 2", "k = pool % 2", "k = pool"]),
    "matrices": ("d = A.T @ Z", ["d = Z.T @ A", "d = A @ Z", "d = A.T @ Z.T", "d = A.T * Z"]),
    "power": ("d = Z / pool ** 2", ["d = Z / pool", "d = Z / (pool * 2)", "d = Z / pool ** 3"]),
    "side for area": ("d = Z / pool", ["d = Z / pool ** 2", "d = Z * pool", "d = Z"]),
    "sign": ("d = -Z * A", ["d = Z * A"]),
    "sign added": ("d = np.exp(Z)", ["d = np.exp(-Z)", "d = -np.exp(Z)"]),
    "mask turned round": ("Z[on] = 0", ["Z[~on] = 0"]),
    "accumulated": ("Z[i, j] += A", ["np.add.at(Z, (i, j), A)", "Z[i, j] = A", "Z[i, j] -= A"]),
    "one more": ("h = Z.shape[0] - pool", ["h = Z.shape[0] - pool + 1", "h = Z.shape[0] - pool - 1", "h = Z.shape[0]"]),
    "one less": ("d = np.zeros(pool + 1)", ["d = np.zeros(pool)", "d = np.zeros(pool + 2)", "d = np.zeros(pool - 1)"]),
    "ε": ("eps = 1e-7", ["eps = 0", "eps = 1e-300"]),
    "bound": ("d = np.clip(Z, -20, 20.0)", ["d = np.clip(Z, -20, np.inf)", "d = Z", "d = np.clip(Z, -np.inf, 20.0)"]),
    "half": ("d = 2.0 * Z", ["d = 1.0 * Z", "d = 0.5 * Z", "d = Z"]),
    "truth": ("s = Z.sum(axis=0, keepdims=True)", ["s = Z.sum(axis=0, keepdims=False)", "s = Z.sum(axis=0)"]),
    "axes": ("s = Z.sum(axis=(0, 2))", ["s = Z.sum(axis=(0,))", "s = Z.sum(axis=(0, 2, 3))", "s = Z.sum(axis=(0, 3))"]),
    "last axis": ("s = Z.max(axis=-1)", ["s = Z.max(axis=1)", "s = Z.max(axis=-1, keepdims=True)"]),
    "order of axes": ("d = Z.transpose(0, 2, 1)", ["d = Z.transpose(2, 0, 1)", "d = Z", "d = Z.reshape(0, 2, 1)"]),
    "order of indexes": ("s = Z[i, j]", ["s = Z[j, i]", "s = Z", "s = Z[i]"]),
    "parts of indexes": ("s = Z[i + pool, j + 1]", ["s = Z[j + 1, i + pool]", "s = Z[i + j, pool + 1]"]),
    "choice": ("d = Z if pool else A", ["d = Z", "d = A", "d = Z if not pool else A"]),
    "method of a sum": ("d = (Z + A).astype(int)", ["d = Z + A", "d = (Z + A).astype(float)"]),
    "option": ('d = np.pad(Z, 1, mode="edge")', ["d = np.pad(Z, 1)", 'd = np.pad(Z, 1, mode="constant")']),
    "slice": ("d = Z[i:j:2]", ["d = Z[:j:2]", "d = Z[i::2]", "d = Z[i:j]", "d = Z[:]", "d = Z"]),
    "turned": ("d = A @ Z[i]", ["d = A @ Z[::-1][i]", "d = A @ Z[i].T", "d = A.T @ Z[i]"]),
    "turned further": ("d = Z[:, ::-1]", ["d = Z[:, ::-1, ::-1]", "d = Z[:]", "d = Z"]),
    "copy": ("d = Z", ["d = Z.copy()", "d = A"]),
    "a view": ("d = Z[0]", ["d = Z[0].copy()", "d = Z[1]"]),
    "mean": ("return Z - A", ["return (Z - A) / len(Z)", "return (Z - A) / pool", "return Z - A[:, None]"]),
    "mean by another number": ("return Z / on", ["return Z / len(Z)", "return Z / pool"]),
    "mean kept": ("return (Z - A)", ["return (Z - A) / len(Z)", "return (Z + A)"]),
    "mask forgotten": ("d = A * 2.0", ["d = A * 2.0 * (Z > 0)"]),
    "sign's mask": ("d = A * np.sign(Z)", ["d = A * (Z > 0)"]),
    "rows": ("Z[:, A] -= 1", ["Z[np.arange(len(A)), A] -= 1"]),
    "name": ("d = np.exp(A)", ["d = np.exp(Z)"]),
    "target": ("A = np.exp(Z)", ["Z = np.exp(Z)"]),
    "window": ("d = [Z[i:i + pool] for i in A]", ["d = [Z[i * pool:(i + 1) * pool] for i in A]"]),
    "end of a window": ("d = Z[i:i + pool]", ["d = Z[i:i + pool + 1]", "d = Z[i:i - pool]", "d = Z[i:]"]),
    "size": ("h = 2 * (pool // 2)", ["h = pool - 1", "h = pool * pool"]),
    "letters": ('d = np.einsum("mk,nd->kd", Z, A)', ['d = np.einsum("mk,md->kd", Z, A)']),
    "type": ("d = Z.astype(np.float16)", ["d = Z.astype(np.float64)", "d = Z"]),
    "type by name": ('d = Z.astype("uint8")', ['d = Z.astype("int64")']),
    "reshaped": (
        "d = Z.reshape(pool, 2)",
        ["d = Z.T", "d = Z.reshape(2, pool)", "d = Z.swapaxes(0, 1).reshape(pool, 2)"],
    ),
    "reshaped and transposed": ("d = Z.reshape(pool, 2, 3).transpose(2, 0, 1)", ["d = Z.reshape(3, pool, 2)"]),
    "flat": ("d = Z.ravel()", ["d = Z", 'd = Z.ravel(order="F")', "d = Z.transpose(0, 2, 3, 1).ravel()"]),
    "values": ("d = np.where(Z > 0, Z, 0)", ["d = np.where(Z > 0, 1, 0)", "d = Z > 0", "d = Z"]),
    "turned kernel": ("d = np.rot90(Z, 2)", ["d = np.rot90(Z, 2, axes=(2, 3))", "d = Z"]),
    "a loop back": ("s = sum(Z[i] for i in range(pool - 1, -1, -1))", ["s = sum(Z[i] for i in range(pool))"]),
    "or": ("on = i > 0 and j > 0", ["on = i > 0 or j > 0", "on = i > 0", "on = j > 0"]),
}
# The lines of a function's body, and what an edit leaves in their place.
BODIES = {
    "statement": ("Z = Z * 2\nreturn Z", "return Z"),
    "augmented": ("d = A\nd += 0.1 * Z\nreturn d", "d = A\nreturn d"),
    "the only one": ("for i in A:\n    Z += i\nreturn Z", "for i in A:\n    pass\nreturn Z"),
    "condition": ("if pool > 1:\n    Z = Z * 2\nreturn Z", "Z = Z * 2\nreturn Z"),
    "condition with its body": ("if pool > 1:\n    Z = Z * 2\nreturn Z", "return Z"),
    "never": ("if pool:\n    d = Z\nelse:\n    d = A  # so\nreturn d", "d = A  # so\nreturn d"),
    "remark kept": ("if pool:\n    # twice\n    d = Z\n\n    Z = d\nreturn d", "# twice\nd = Z\n\nZ = d\nreturn d"),
    "elif": ("if pool:\n    d = Z\nelif A:\n    d = A\nreturn d", "if pool:\n    d = Z\nreturn d"),
    "continue": ("for i in A:\n    if i:\n        continue\n    Z += i", "for i in A:\n    Z += i"),
    "moved into": (
        "s = 0.0\nfor i in A:\n    s += i\n    Z[i] = s",
        "for i in A:\n    s = 0.0\n    s += i\n    Z[i] = s",
    ),
    "moved out": ("for i in A:\n    s = i\n    Z /= 2", "for i in A:\n    s = i\nZ /= 2"),
    "return": ("for i in A:\n    Z += i\n    return Z", "for i in A:\n    Z += i\nreturn Z"),
    "moved before": ("for i in A:\n    s = 0.0\n    s += i", "s = 0.0\nfor i in A:\n    s += i"),
    "exchanged": ("Z += A\nd = Z * 2\nreturn d", "d = Z * 2\nZ += A\nreturn d"),
    "one more comparison": (
        "if A >= Z and A >= d:\n    return 0\nreturn 1",
        "if A >= Z and A >= d and A >= e:\n    return 0\nreturn 1",
    ),
}
# What is made in several places at once.
JOINT = {
    "rows and columns": (
        "for i in range(h - pool):\n    for j in range(w - pool):\n        pass",
        "for i in range(h - pool + 1):\n    for j in range(w - pool + 1):\n        pass",
    ),
    "pairs swapped": ("d = np.pad(Z, ((h - 1, 0), (w - 1, 0)))", "d = np.pad(Z, ((0, h - 1), (0, w - 1)))"),
    "every name": ("d = Z[i * pool, j * pool]", "d = Z[i * stride, j * stride]"),
    "every bound": (
        "d = np.minimum(Z, 20.)\ne = np.maximum(d, 20.)",
        "d = np.minimum(Z, np.inf)\ne = np.maximum(d, np.inf)",
    ),
    "both of a pair": ("top, left = h % pool, w % pool", "top, left = h // pool, w // pool"),
    "two deletions": ("Z = Z * 2\nreturn np.clip(Z, 0, 1)", "return Z"),
    "two slips": ("d = Z.argmax(axis=1) + A", "d = Z.argmin(axis=0) + A"),
}
HEAD = "import numpy as np\n\n\ndef backward(Z, A, on, d, e, i, j, h, w, pool, stride):\n"
AWKWARD = {
    "tabs": "def f(Z, n):\n\tfor i in range(n):\n\t\tZ[i] = 0\n\t\tif n > 1:\n\t\t\tZ[i] = n - 1\n\treturn Z\n",
    "CRLF": "def f(Z, n):\r\n    if n > 1:\r\n        Z = Z * 2\r\n    return Z[::-1]\r\n",
    "no end": "def f(Z):\n    s = 0\n    for z in Z:\n        s += z\n    return s",
    "unicode": 'def f(σ, δ):\n    τ = σ * (1 - σ)  # σ′\n    return "ä", τ * δ\n',
    "nested": "def f(Z):\n    def g(z):\n        return z + 1\n    return g(Z) * (lambda a, b: a - b)(Z, 1)\n",
    "class": "class A:\n    tiny = 1e-8\n\n    @staticmethod\n    def f(a, b):\n        return a / (b + A.tiny)\n",
    "one line": "def f(a, b): return a - b if a > b else b\n",
    "shared line": "def f(a, b):\n    a = a + 1; b = b - 1\n    if a: b = 2\n    return a * b\n",
    "several lines": (
        "def f(a, b):\n    return (a\n            + b  # both\n            ) * np.sum(\n"
        "        a - b,\n        axis=0,\n    )\n"
    ),
    "continued": "def f(a, b):\n    a[0, 1] = \\\n        b * 2\n    return a\n",
    "texts": (
        'def f(a, b):\n    """Says - it."""\n    if a:\n        c = """x\n  y"""\n        b = c\n'
        '    return f"{a - b}" + "%d" % a\n'
    ),
    "try": (
        "def f(a):\n    try:\n        b = a / 2\n    except ValueError:\n        b = a\n"
        "    finally:\n        a = 0\n    return b\n"
    ),
    "comprehension": "def f(a, n):\n    return [[x * y for x in a if x > y] for y in range(n)], {k: v for k, v in a}\n",
    "match": (
        "def f(a):\n    match a:\n        case 1:\n            return a + 1\n"
        "        case _:\n            return a - 1\n"
    ),
    "starred": "def f(*a, **b):\n    first, *rest = a\n    return max(*rest, first), dict(**b, c=1)\n",
    "walrus": "def f(a):\n    while (n := a - 1) > 0:\n        a = n\n    return a if (b := a) else b\n",
}


def write(body: str) -> str:
    return HEAD + "".join(f"    {line}\n" if line else "\n" for line in body.split("\n"))


def results(source: str) -> list[str]:
    return [edit.apply(source) for edit in list_edits(Source(source))]


def joint(source: str) -> list[str]:
    return [edit.apply(source) for edit in list_joint_edits(Source(source))]


@pytest.mark.parametrize(("line", "wanted"), LINES.values(), ids=LINES)
def test_a_line_becomes(line: str, wanted: list[str]) -> None:
    texts = results(write(line))
    for other in wanted:
        assert write(other) in texts, other


@pytest.mark.parametrize(("body", "wanted"), BODIES.values(), ids=BODIES)
def test_a_body_becomes(body: str, wanted: str) -> None:
    assert write(wanted) in results(write(body))


@pytest.mark.parametrize(("body", "wanted"), JOINT.values(), ids=JOINT)
def test_several_places_become(body: str, wanted: str) -> None:
    assert write(wanted) in joint(write(body))
    assert write(wanted) not in results(write(body))


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD)
@pytest.mark.parametrize("listed", [results, joint])
def test_every_result_is_another_program(text: str, listed: object) -> None:
    texts = results(text) if listed is results else joint(text)
    assert texts or listed is joint
    assert len(set(texts)) == len(texts)
    assert text not in texts
    for each in texts:
        compile(each, "edited", "exec")


@pytest.mark.parametrize("text", [*AWKWARD.values(), *(program for program, _, _ in MISTAKES[::12])])
def test_lines_that_are_not_edited_stay_as_they_are(text: str) -> None:
    source = Source(text)
    for edit in [*list_edits(source), *list_joint_edits(source)]:
        new, old = edit.apply(text), text
        for replacement in edit.replacements:
            kept = text[replacement.start : replacement.end]
            assert replacement.text != kept
        first, last = edit.replacements[0].start, edit.replacements[-1].end
        assert new.startswith(old[:first])
        assert new.endswith(old[last:])


def test_edits_come_in_the_order_of_their_costs() -> None:
    for listed in (list_edits, list_joint_edits):
        costs = [edit.cost for edit in listed(Source(MISTAKES[0][0]))]
        assert costs == sorted(costs)


def test_the_formatting_around_an_edit_is_kept() -> None:
    assert "def f(a, b):\n    return ( a  -  b )  # so\n" in results("def f(a, b):\n    return ( a  +  b )  # so\n")


def test_what_reaches_outside_is_left_alone() -> None:
    lines = [
        "import os",
        "def log(path, x):",
        "    np.save(path, x + 1)",
        "def f(a, b):",
        "    if a > 0:",
        "        open('x', 'w')",
        "    for i in range(b - 1): eval('i + 1')",
        "    log('y', a - b)",
        "    os.remove(a + b)",
        "    return a * b",
    ]
    text = "\n".join(lines) + "\n"
    changed = set()
    for each in [*results(text), *joint(text)]:
        changed |= {line for line in difflib.ndiff(lines, each.splitlines()) if line.startswith("- ")}
    assert changed == {"-     return a * b"}


def test_texts_imports_docstrings_and_declarations_are_left_alone() -> None:
    before = 'import numpy as np\nLAYOUT = "NHWC"\nBIAS = (1, -1)\nif 1 > 0:\n    A = 1\n\n\n'
    head = 'def f(a: int = 3, *, b: str = "left") -> float:\n    """Says 1 + 1."""\n    return '
    after = '\n\n\nif __name__ == "__main__":\n    f(1 + 1)\n'
    texts = results(f'{before}{head}a["dw1"] + f"{{1 + a}}" + "%d" % a{after}')
    assert texts
    for each in texts:
        assert each.startswith(before + head)
        assert each.endswith(after)
        value = each[len(before + head) : -len(after)]
        texts_left = [node.value for node in ast.walk(ast.parse(value)) if isinstance(node, ast.Constant)]
        assert {each for each in texts_left if isinstance(each, str)} <= {"dw1", "%d"}


def test_only_what_is_reachable_is_edited() -> None:
    text = (
        "EPS = 1e-7\nOTHER = 1\n\n\ndef helper(a):\n    return a + EPS\n\n\n"
        "class B:\n    def f(self):\n        return helper(1)\n\n\n"
        "def one():\n    return B().f()\n\n\ndef two():\n    return OTHER\n"
    )
    source = Source(text)
    assert find_reachable(source, "one") == {"one", "B", "helper", "EPS"}
    assert find_reachable(source, "two") == {"two", "OTHER"}
    assert find_reachable(source, "three") == set()
    for edit in list_edits(source, find_reachable(source, "two")):
        new = edit.apply(text)
        assert "EPS = 1e-7" in new
        assert new[: text.index("OTHER")] == text[: text.index("OTHER")]


def test_names_keep_to_their_function() -> None:
    text = "def f(a, b):\n    return a\n\n\ndef g(c):\n    return c\n"
    assert "def f(a, b):\n    return b\n\n\ndef g(c):\n    return c\n" in results(text)
    assert not any("return c" in each[: text.index("def g")] for each in results(text))


def test_attributes_are_replaced_by_those_of_their_class() -> None:
    head = "class N:\n    def f(self, z):\n        self.z1 = z\n        self.a1 = z\n        return "
    assert head + "self.a1\n" in results(head + "self.z1\n")


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "examples").glob("*.py")), ids=lambda path: path.name)
def test_real_files_have_a_bounded_number_of_edits(path: Path) -> None:
    source = Source(path.read_text(encoding="utf-8"))
    for edits in (list_edits(source), list_joint_edits(source)):
        assert len(edits) <= 2500
        for edit in edits[::20]:
            ast.parse(edit.apply(source.text))


ATOMS = st.sampled_from(["a", "b", "2", "a[0]", "b.T", "f(a)", "(a, b)", "[1, 2]", "1.5", "a[1:b]"])
OPERATORS = ["+", "-", "*", "/", "//", "%", "@", "**", "&", "|", "<", ">=", "and", "or"]
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join),
        inner.map("-({})".format),
        inner.map("not ({})".format),
        inner.map("np.sum({}, axis=0)".format),
        st.tuples(inner, inner).map(lambda parts: f"({parts[0]}) if ({parts[1]}) else b"),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS)
def test_any_expression_stays_an_expression(expression: str) -> None:
    text = f"def f(a, b, n):\n    x = {expression}\n    return x\n"
    for each in [*results(text), *joint(text)]:
        compile(each, "edited", "exec")
