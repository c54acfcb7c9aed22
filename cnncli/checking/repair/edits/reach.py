"""Which parts of a file can matter to a function, and which must never be changed."""

import ast
from collections.abc import Collection

from cnncli.checking.repair.source import Source

CONTRACT = {"LAYOUT", "KERNEL", "DENSE", "BIAS"}  # what the file declares; it is not what goes wrong
HARMFUL = {
    *("open", "exec", "eval", "compile", "input", "__import__", "globals", "setattr", "delattr"),
    *("os", "sys", "subprocess", "shutil", "pathlib", "Path", "socket", "importlib", "ctypes", "pickle", "tempfile"),
    *("save", "savez", "savez_compressed", "savetxt", "tofile", "dump", "load", "loadtxt", "fromfile", "memmap"),
    "as_strided",  # a wrong stride reads and writes what belongs to nobody
    *("unlink", "remove", "rmdir", "rmtree", "rename", "mkdir", "write", "write_text", "write_bytes", "system"),
}


def find_reachable(source: Source, name: str) -> set[str]:
    """The functions, classes and constants of the file that a function may use, itself among them; by name."""
    uses = _find_uses(source)
    found: set[str] = set()
    waiting = [name] if name in uses else []
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += uses[one] & uses.keys()
    return found


def list_changeable(source: Source, functions: Collection[str] | None) -> list[ast.stmt]:
    """The statements of the file's top level that an edit may be in."""
    chosen = []
    for statement in source.tree.body:
        names = _find_defined(statement) - CONTRACT
        if names and (functions is None or names & set(functions)):
            chosen.append(statement)
    return chosen


def find_harmful(source: Source) -> set[str]:
    """Names whose statements must be left alone: what reaches outside the program, and functions that use it."""
    harmful = set(HARMFUL)
    uses = _find_uses(source)
    for _ in uses:
        harmful |= {name for name, used in uses.items() if used & harmful}
    return harmful


def find_names(node: ast.AST) -> set[str]:
    """Every name and attribute in it."""
    names = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            names.add(each.id)
        elif isinstance(each, ast.Attribute):
            names.add(each.attr)
    return names


def _find_uses(source: Source) -> dict[str, set[str]]:
    uses: dict[str, set[str]] = {}
    for statement in source.tree.body:
        for name in _find_defined(statement):
            uses[name] = uses.get(name, set()) | find_names(statement)
    return uses


def _find_defined(statement: ast.stmt) -> set[str]:
    """The names that a function, a class or a plain assignment defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value:
        targets = [statement.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}
