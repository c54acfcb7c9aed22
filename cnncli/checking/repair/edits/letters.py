"""The letters of einsum's formulas."""

import ast
from collections.abc import Iterator
from itertools import combinations

from cnncli.checking.repair.edits.costs import FAR, MORE
from cnncli.checking.repair.edits.program import Program
from cnncli.checking.repair.source import Edit


def change_formulas(program: Program, node: ast.AST) -> Iterator[Edit]:
    """Two letters of a term swapped, one replaced by another of the formula, one left out of the result."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not _is_formula(program, node):
        return
    formula, text = node.value, program.read(node)
    if "->" not in formula or text.count(formula) != 1:
        return
    for other, extra in list_formulas(formula).items():
        yield program.edit("letters", program.source.replace(node, text.replace(formula, other)), extra=extra)


def _is_formula(program: Program, node: ast.expr) -> bool:
    parent = program.parent(node)
    return isinstance(parent, ast.Call) and parent.args[:1] == [node] and getattr(parent.func, "attr", "") == "einsum"


def list_formulas(formula: str) -> dict[str, float]:
    """Formulas that differ in little from one, and how much less likely each is."""
    left, result = formula.split("->")
    terms = left.split(",")
    letters = sorted({letter for letter in left if letter.isalpha()})
    others: dict[str, float] = {}
    for place, term in enumerate([*terms, result]):
        for new, extra in _change_term(term, letters):
            changed = [*terms, result]
            changed[place] = new
            other = ",".join(changed[:-1]) + "->" + changed[-1]
            if _is_legal(changed) and other != formula:
                others.setdefault(other, extra)
    return others


def _change_term(term: str, letters: list[str]) -> Iterator[tuple[str, float]]:
    for one, other in combinations(range(len(term)), 2):
        swapped = list(term)
        swapped[one], swapped[other] = term[other], term[one]
        yield "".join(swapped), 0.0 if other - one == 1 else MORE
    for place, letter in enumerate(term):
        for new in letters:
            if letter.isalpha() and new != letter:
                yield term[:place] + new + term[place + 1 :], MORE if new not in term else FAR


def _is_legal(terms: list[str]) -> bool:
    *given, result = terms
    plain = [letter for letter in result if letter.isalpha()]
    return len(set(plain)) == len(plain) and set(plain) <= set("".join(given))
