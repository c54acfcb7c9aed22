"""Where entries come from, for people and for other programs."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from cnncli.network.terms import Window
from cnncli.reports.look import Look
from cnncli.reports.trace.blockages import blockage_documents, blockage_lines
from cnncli.reports.trace.formulas import add, find_decimals, in_numbers, in_symbols, write_number
from cnncli.reports.trace.lines import Line
from cnncli.tracing.expansion import Expansion

MOST_ENTRIES = 16  # that are explained one after the other
MOST_TERMS = 24  # of a sum: the largest


def expansion_documents(expansions: Iterable[Expansion]) -> list[dict[str, Any]]:
    """Each entry with all of its terms, at full precision."""
    return [
        {
            "name": expansion.entry.name,
            "index": expansion.entry.place,
            "value": expansion.value,
            "formula": expansion.formula or " + ".join(in_symbols(term) for term in expansion.terms),
            "reason": expansion.reason,
            "blocked": blockage_documents(expansion.blockages),
            "terms": [
                {
                    "term": in_symbols(term),
                    "entries": {factor.label: factor.value for factor in term.factors},
                    "value": term.value,
                }
                for term in expansion.terms
            ],
        }
        for expansion in expansions
    ]


def expansion_lines(expansions: Iterable[Expansion], number: int, look: Look) -> Iterator[Line]:
    """One entry after the other: the formula, the same with the numbers, the result and the reason."""
    most = number if look.full else MOST_ENTRIES
    for place, expansion in enumerate(islice(expansions, most)):
        if place:
            yield Line("gap")
        yield from _explain(expansion, look)
    if number > most:
        yield Line("gap")
        more = f"{number - most:,} more entries: name one by its index, or see all with {look.written('full')}"
        yield Line("plain", (f"… and {more}",))


def _explain(expansion: Expansion, look: Look) -> Iterator[Line]:
    if len(expansion.terms) > 1:
        yield Line("equation", (expansion.label, expansion.formula))
        yield from _sum(expansion, look)
    else:
        yield from _chain(expansion, look)
    if expansion.reason:
        yield Line("remark", (expansion.reason,))
    if expansion.window:
        yield from _window(expansion.window, look)
    yield from blockage_lines([each for each in expansion.blockages if each.reason != expansion.reason], look)


def _chain(expansion: Expansion, look: Look) -> Iterator[Line]:
    """An entry that is a single term, or was given: what it is, again and again."""
    result = write_number(expansion.value, look.precision)
    if not expansion.terms:
        yield Line("equation", (expansion.label, result))
        return
    (term,) = expansion.terms
    symbols, numbers = in_symbols(term), in_numbers(term, look.precision)
    first, *others = (expansion.formula, symbols) if expansion.formula else (symbols,)
    yield Line("equation", (expansion.label, first))
    for other in others:
        yield Line("continued", (other,))
    if numbers is not None and numbers not in (symbols, result):
        yield Line("continued", (numbers,))
    if symbols != result:
        yield Line("continued", (result,))


def _sum(expansion: Expansion, look: Look) -> Iterator[Line]:
    """The terms that are not zero, in their order; of too many the largest, and what the others add up to."""
    shown = [term for term in expansion.terms if term.value != 0 or look.full]
    zeros = len(expansion.terms) - len(shown)
    rest = shown[:0]
    if len(shown) > MOST_TERMS and not look.full:
        ranked = sorted(shown, key=lambda term: -abs(term.value))
        shown, rest = ranked[:MOST_TERMS], ranked[MOST_TERMS:]
    others = [sum(term.value for term in rest)] if rest else []
    decimals = find_decimals([*(term.value for term in shown), *others], add, expansion.value, look.precision)
    column = look.precision if decimals is None else decimals
    for term in shown:
        numbers, value = in_numbers(term, column), write_number(term.value, column)
        yield Line("term", (in_symbols(term), "" if numbers in (None, value) else str(numbers), value))
    full = look.written("full")
    for total in others:
        together = f"together {write_number(total, column)}"
        yield Line("folded", (f"… and {len(rest):,} smaller terms, {together} ({full} shows them)",))
    if zeros:
        more = f"{zeros:,} more {'terms are' if zeros > 1 else 'term is'} 0"
        yield Line("folded", (f"{more if shown else f'all {zeros:,} terms are 0'} ({full} shows them)",))
    relation = "≈" if decimals is None else "="  # of numbers that cancel out, rounding decides what is left
    yield Line("result", (expansion.label, write_number(expansion.value, look.precision)), relation)


def _window(window: Window, look: Look) -> Iterator[Line]:
    """The numbers of a pooling window as they lie, the winner in brackets."""
    side = round(len(window.factors) ** 0.5)
    cells = [write_number(factor.value, look.precision) for factor in window.factors]
    cells[window.winner] = f"[{cells[window.winner]}]"
    for first in range(0, len(cells), side):
        yield Line("window", tuple(cells[first : first + side]))
