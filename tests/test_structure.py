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
    {"cli"},
    {"reports"},
    {"checking"},
    {"training", "tracing", "prediction"},
    {"subject"},
    {"model"},
    {"data"},
    {"network", "examples"},
    {"files", "errors", "text", "__init__"},
]
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
    for name in ("reports", "training", "prediction", "subject", "model", "data", "network", "files", "errors", "text"):
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


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {line.split(">")[0] for line in project["dependencies"]}
    distributions = packages_distributions()
    for path in MODULES:
        for name in {name.split(".")[0] for name in imported_modules(path)} - set(sys.stdlib_module_names) - {"cnncli"}:
            assert {distribution.lower() for distribution in distributions[name]} & declared, f"{path}: {name}"


def test_the_errors_are_the_tree_that_is_drawn() -> None:
    from cnncli import errors

    drawn = (errors.__doc__ or "").split("\n\n")[1].splitlines()
    for line in drawn:
        name, code = line.strip("│├└─ ").split()[:2]
        error = getattr(errors, name)
        assert issubclass(error, errors.CnncliError)
        assert error.exit_code == int(code)
