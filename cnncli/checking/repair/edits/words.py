"""Words of NumPy: one function for another, and the words that its options know."""

import ast
from collections.abc import Iterator

from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit, Replacement

_ALIKE = {  # what each may stand for, the likeliest first
    "min": ("max",),
    "max": ("min", "sum"),
    "minimum": ("maximum",),
    "maximum": ("minimum",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "sum": ("mean", "max"),
    "mean": ("sum", "max"),
    "prod": ("sum",),
    "zeros_like": ("ones_like", "empty_like"),
    "ones_like": ("zeros_like",),
    "empty_like": ("zeros_like",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "empty": ("zeros",),
    "tile": ("repeat",),
    "repeat": ("tile",),
    "flipud": ("fliplr", "flip"),
    "fliplr": ("flipud", "flip"),
    "floor": ("ceil", "round"),
    "ceil": ("floor", "round"),
    "round": ("floor", "ceil"),
    "all": ("any",),
    "any": ("all",),
    "hstack": ("vstack", "concatenate"),
    "vstack": ("hstack", "concatenate"),
    "dot": ("multiply", "outer"),
    "outer": ("multiply", "dot"),
    "multiply": ("dot", "divide"),
    "divide": ("multiply",),
    "floor_divide": ("divide",),
    "add": ("subtract",),
    "subtract": ("add",),
    "logical_and": ("logical_or",),
    "logical_or": ("logical_and",),
    "greater": ("greater_equal", "less"),
    "greater_equal": ("greater", "less_equal"),
    "less": ("less_equal", "greater"),
    "less_equal": ("less", "greater_equal"),
    "var": ("std",),
    "std": ("var",),
    "log2": ("log",),
    "log10": ("log",),
    "exp2": ("exp",),
    "logaddexp2": ("logaddexp",),
}
_PLAIN = {"min", "max", "sum", "all", "any", "round"}  # those that Python has without NumPy
_WORDS = (  # the values that an option knows
    ("constant", "edge", "wrap", "reflect", "symmetric"),
    ("C", "F", "A"),
    ("valid", "full", "same"),
    ("left", "right"),
)
_WIDER = {
    "float16": "float64",
    "float32": "float64",
    "half": "float64",
    "single": "float64",
    "bool": "float64",
    "bool_": "float64",
}
_WIDER |= {f"{sign}int{bits}": "int64" for sign in ("", "u") for bits in (8, 16, 32)}
_TYPE_CALLS = {
    "astype",
    "array",
    "asarray",
    "zeros",
    "empty",
    "ones",
    "full",
    "view",
    "zeros_like",
    "empty_like",
    "full_like",
}


def swap_functions(program: Program, node: ast.AST) -> Iterator[Edit]:
    """np.maximum for np.minimum, and so on; never a function of the user's own."""
    if not isinstance(node, ast.Call):
        return
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    plain = isinstance(function, ast.Name)
    for place, other in enumerate(_ALIKE.get(name, ())):
        if not plain or {name, other} <= _PLAIN:
            yield program.edit("function", _rename(program, function, name, other), extra=MORE * place)


def _rename(program: Program, function: ast.expr, name: str, other: str) -> Replacement:
    end = program.source.find(function)[1]
    return Replacement(end - len(name), end, other)


def swap_words(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Pad modes, orders of memory, modes of a convolution."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for row in _WORDS:
            if node.value in row and _is_option(program, node):
                for other in row:
                    if other != node.value:
                        text = program.read(node)
                        yield program.edit("word", program.source.replace(node, text.replace(node.value, other)))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from _give_order(program, node, node.func.attr)


def _is_option(program: Program, node: ast.expr) -> bool:
    parent = program.parent(node)
    return isinstance(parent, ast.keyword) or (isinstance(parent, ast.Call) and node in parent.args)


def _give_order(program: Program, node: ast.Call, name: str) -> Iterator[Edit]:
    """Column by column instead of row by row."""
    if name == "tile" and len(node.args) == 2:
        array, times = map(program.read, node.args)
        yield program.edit("function", program.put(node, f"np.kron({array}, np.ones({times}))"))
    if name in ("reshape", "ravel", "flatten") and "order" not in {word.arg for word in node.keywords}:
        yield program.edit("word", add_argument(program, node, 'order="F"'), extra=MORE)


def add_argument(program: Program, node: ast.Call, text: str) -> Replacement:
    """One more argument at the end of a call."""
    end = program.source.find(node)[1] - 1
    before = program.text[:end].rstrip()
    if not (node.args or node.keywords):
        return Replacement(end, end, text)
    end = len(before)
    return Replacement(end, end, f" {text}" if before.endswith(",") else f", {text}")


def widen_types(program: Program, node: ast.AST) -> Iterator[Edit]:
    """float64 for a type that holds less."""
    if isinstance(node, ast.Attribute) and node.attr in _WIDER and program.read(node.value) in ("np", "numpy"):
        end = program.source.find(node)[1]
        for other, extra in _list_types(_WIDER[node.attr]):
            yield program.edit("type", Replacement(end - len(node.attr), end, other), extra=extra)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in _WIDER:
        text = program.read(node)
        for other, extra in _list_types(_WIDER[node.value]):
            yield program.edit("type", program.source.replace(node, text.replace(node.value, other)), extra=extra)
    elif isinstance(node, ast.Name) and node.id in ("int", "bool") and _is_type(program, node):
        yield program.edit("type", program.source.replace(node, "float"))


def _list_types(wider: str) -> list[tuple[str, float]]:
    return [(wider, 0.0)] if wider == "float64" else [(wider, 0.0), ("float64", MORE)]


def _is_type(program: Program, node: ast.Name) -> bool:
    parent = program.parent(node)
    if isinstance(parent, ast.keyword):
        return parent.arg == "dtype"
    if isinstance(parent, ast.Call) and node in parent.args:
        return getattr(parent.func, "attr", "") in _TYPE_CALLS
    return False


def give_types(program: Program, node: ast.AST) -> Iterator[Edit]:
    """dtype=float where an array takes the type of what it is made of."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TYPE_CALLS:
        typed = "dtype" in {word.arg for word in node.keywords}
        if (
            node.func.attr in ("zeros_like", "empty_like", "full_like", "array", "asarray")
            and not typed
            and len(node.args) == 1
        ):
            yield program.edit("type", add_argument(program, node, "dtype=float"), extra=FAR)
