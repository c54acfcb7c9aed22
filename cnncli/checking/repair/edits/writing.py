"""How expressions are written: which of them need parentheses where."""

import ast
import re

BARE, NAMED, CHOICE, OR, AND, NOT, COMPARISON, BIT_OR, BIT_XOR, BIT_AND = range(10)  # what binds least comes first
SHIFT, SUM, PRODUCT, SIGN, POWER, ATOM = range(10, 16)
OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", SUM),
    ast.Sub: ("-", SUM),
    ast.Mult: ("*", PRODUCT),
    ast.MatMult: ("@", PRODUCT),
    ast.Div: ("/", PRODUCT),
    ast.Mod: ("%", PRODUCT),
    ast.FloorDiv: ("//", PRODUCT),
    ast.Pow: ("**", POWER),
    ast.LShift: ("<<", SHIFT),
    ast.RShift: (">>", SHIFT),
    ast.BitOr: ("|", BIT_OR),
    ast.BitXor: ("^", BIT_XOR),
    ast.BitAnd: ("&", BIT_AND),
}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_LEVELS: dict[type[ast.expr], int] = {
    ast.NamedExpr: BARE,
    ast.Yield: BARE,
    ast.YieldFrom: BARE,
    ast.Starred: BARE,
    ast.Slice: BARE,
    ast.Lambda: NAMED,
    ast.IfExp: CHOICE,
    ast.Compare: COMPARISON,
}


def find_level(node: ast.expr) -> int:
    """How closely an expression holds together."""
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)][1]
    if isinstance(node, ast.BoolOp):
        return OR if isinstance(node.op, ast.Or) else AND
    if isinstance(node, ast.UnaryOp):
        return NOT if isinstance(node.op, ast.Not) else SIGN
    return _LEVELS.get(type(node), ATOM)


def find_needed_level(parent: ast.AST | None, node: ast.AST) -> int:
    """How closely an expression must hold together to stand in the place of node without parentheses."""
    if isinstance(parent, ast.BinOp):
        level = find_level(parent)
        if isinstance(parent.op, ast.Pow):
            return ATOM if node is parent.left else SIGN
        return level if node is parent.left else level + 1
    if isinstance(parent, ast.UnaryOp):
        return find_level(parent)
    if isinstance(parent, ast.BoolOp | ast.Compare):
        return find_level(parent) + 1
    if isinstance(parent, ast.IfExp):
        return CHOICE if node is parent.orelse else OR
    if isinstance(parent, ast.Attribute | ast.Starred) or (isinstance(parent, ast.Subscript) and node is parent.value):
        return ATOM
    if isinstance(parent, ast.Call) and node is parent.func:
        return ATOM
    return NAMED


def find_operator(gap: str, symbol: str) -> tuple[int, int]:
    """Where an operator stands in the text between its operands, which may hold comments and parentheses."""
    blank = re.sub(r"#[^\r\n]*", lambda comment: " " * len(comment[0]), gap)
    words = r"\s+".join(map(re.escape, symbol.split()))
    match = re.search(words, blank)
    assert match is not None  # noqa: S101  it was parsed
    return match.start(), match.end()
