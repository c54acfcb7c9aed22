"""The changes of a program that are tried: each undoes a mistake that people make in a line."""

import ast
from collections.abc import Collection

from cnncli.checking.repair.source import Edit, Source


def find_reachable(source: Source, name: str) -> set[str]:
    return set()


def list_edits(source: Source, functions: Collection[str] | None = None) -> list[Edit]:
    out = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            for v in (node.value + 1, node.value - 1, 0, 1, 2):
                out.append(Edit((source.replace(node, str(v)),), 1.0, "constant"))
        if isinstance(node, ast.BinOp):
            out.append(Edit((source.replace(node, source.read(node.left)),), 1.0, "term"))
            out.append(Edit((source.replace(node, source.read(node) + " + 1"),), 1.0, "plus"))
        if isinstance(node, ast.Assign):
            out.append(Edit((source.replace(node, "pass"),), 1.0, "deletion"))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            out.append(Edit((source.replace(node, source.read(node.func.value)),), 1.0, "call"))
    return out


def list_joint_edits(source: Source, functions: Collection[str] | None = None) -> list[Edit]:
    return []
