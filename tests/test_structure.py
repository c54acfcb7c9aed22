"""The structure that docs/architecture.md promises: imports point downwards, and what is imported is declared."""

import ast
import re
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "cnncli"
FLOORS = [  # each room may import from its own floor and the floors below
    {"__main__"},
    {"cli", "pytest_plugin"},
    {"api"},
    {"reports"},
    {"checking", "exporting"},
    {"diagnosis"},
    {"training", "tracing", "prediction"},
    {"subject"},
    {"model"},
    {"model_file"},
    {"data"},
    {"vjp"},
    {"memory", "distributed"},
    {"network", "examples"},
    {"files", "pages", "stopping", "children"},
    {"errors", "text", "cores", "limits", "__init__"},
]
INNER = (
    "reports",
    "checking",
    "diagnosis",
    "exporting",
    "tracing",
    "training",
    "prediction",
    "subject",
    "model",
    "data",
    "network",
    "files",
    "pages",
    "text",
)
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if name in rooms)


def imported_modules(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" if node.module == "cnncli" else node.module for alias in node.names]
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    own = room(path)
    if own == "__init__":  # it hands out the public names, each when it is first used
        return
    for name in imported_modules(path):
        if name.startswith("cnncli."):
            other = name.split(".")[1] if not name.startswith("cnncli.__") else "__init__"
            allowed = other == own or floor(other) > floor(own)
            assert allowed, f"{own} must not import {other}"


def test_the_core_imports_no_file_format_and_no_screen() -> None:
    allowed = {"numpy", "threadpoolctl", "cnncli"} | set(sys.stdlib_module_names)
    for path in (PACKAGE / "network").rglob("*.py"):
        assert {name.split(".")[0] for name in imported_modules(path)} <= allowed, path


def test_the_inner_rooms_name_no_option() -> None:
    for name in (
        "reports",
        "checking",
        "diagnosis",
        "exporting",
        "tracing",
        "training",
        "prediction",
        "subject",
        "model",
        "data",
        "network",
        "files",
        "errors",
        "pages",
        "text",
    ):
        path = PACKAGE / name
        for file in sorted(path.rglob("*.py")) or [path.with_suffix(".py")]:
            assert not re.findall(r"--[a-z][a-z-]+", file.read_text(encoding="utf-8")), file


def test_the_reports_import_each_other_in_no_circle() -> None:
    below = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): {
            name for name in imported_modules(path) if name.startswith("cnncli.reports.")
        }
        for path in (PACKAGE / "reports").rglob("*.py")
    }
    list(TopologicalSorter(below).static_order())  # raises CycleError


def test_the_modules_import_each_other_in_no_circle() -> None:
    below = {}
    for path in MODULES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):  # what is imported for its type alone is no import when the program runs
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                node.body = []
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        named = {f"{node.module}.{alias.name}" for node in imports for alias in node.names}
        named |= {str(node.module) for node in imports}
        below[name] = {other for other in named if other.startswith("cnncli.")}
    known = {name: (others & below.keys()) - {name} for name, others in below.items()}
    list(TopologicalSorter(known).static_order())  # raises CycleError


def test_no_file_and_no_function_is_too_long_and_no_room_too_full() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {path.name: count for path, count in lines.items() if count > 300} == {}
    long = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.body[0].lineno >= 40:
                long[f"{path.name}:{node.name}"] = (node.end_lineno or 0) - node.body[0].lineno + 1
    assert long == {}
    rooms: dict[str, int] = {}
    for path, count in lines.items():
        rooms[room(path)] = rooms.get(room(path), 0) + count
    assert {name: count for name, count in rooms.items() if count > sum(lines.values()) / 4} == {}
    assert lines[PACKAGE / "network" / "textbook.py"] < 100


def test_only_the_network_the_known_mistakes_the_exports_and_the_words_of_NumPy_know_kinds_of_steps() -> None:
    steps = PACKAGE / "network" / "steps"
    general = {"step", "output_step", "__init__"}
    kinds = {path.stem for path in steps.glob("*.py")} - general
    words = re.compile(
        r"(?<![a-z])(conv(olution)?|relu|max.?pool(ing)?|av(era)?ge?.?pool(ing)?|flatten|softmax)(?![a-z])",
        re.IGNORECASE,
    )
    for path in MODULES:
        if any(
            path.is_relative_to(PACKAGE / home)
            for home in ("network", "diagnosis/mistakes", "exporting", "checking/repair/edits")
        ):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("cnncli.network.steps"):
                named = {node.module.split(".")[-1], *(alias.name for alias in node.names)}
                assert not named & kinds, f"{path} imports {named & kinds}"
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                assert not words.search(node.value), f"{path}:{node.lineno} names {node.value!r}"


def test_nothing_asks_a_name_what_it_is() -> None:
    asks = re.compile(
        r"""name(\[\d\])? (not )?in "[A-Za-z]+"|name\[\d:?\d?\] (==|in)|name\.startswith\("(d?[A-Zwb]|dL/d)"\)"""
    )
    for path in MODULES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert not asks.search(line), f"{path}:{number} {line.strip()}"


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    declared = {line.split(">")[0] for line in (*project["dependencies"], *extras)}
    distributions = packages_distributions()
    for path in MODULES:
        for name in {name.split(".")[0] for name in imported_modules(path)} - set(sys.stdlib_module_names) - {"cnncli"}:
            homes = distributions.get(name, [name])  # an extra need not be installed
            assert {distribution.lower() for distribution in homes} & declared, f"{path}: {name}"


def test_the_errors_are_the_tree_that_is_drawn() -> None:
    from cnncli import errors

    drawn = (errors.__doc__ or "").split("\n\n")[1].splitlines()
    for line in drawn:
        name, code = line.strip("│├└─ ").split()[:2]
        error = getattr(errors, name)
        assert issubclass(error, errors.CnncliError)
        assert error.exit_code == int(code)
