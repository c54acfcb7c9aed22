"""Where entries come from, for people and for other programs."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from rich.console import Console
from rich.text import Text

from cnncli.network.terms import Term, Window
from cnncli.reports.look import Look
from cnncli.reports.trace.blockages import blockage_documents, blockage_lines
from cnncli.reports.trace.formulas import add, find_decimals, in_numbers, in_symbols, write_number
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


def print_expansions(console: Console, expansions: Iterable[Expansion], number: int, look: Look) -> None:
    """One entry after the other: the formula, the same with the numbers, the result and the reason."""
    most = number if look.full else MOST_ENTRIES
    for place, expansion in enumerate(islice(expansions, most)):
        if place:
            console.print()
        console.print(Text("\n").join(_lines(expansion, look)), soft_wrap=True)
    if number > most:
        console.print(
            f"\n… and {number - most:,} more entries: name one by its index, or see all with {look.written('full')}",
            soft_wrap=True,
        )


def _lines(expansion: Expansion, look: Look) -> Iterator[Text]:
    name, result = expansion.label, write_number(expansion.value, look.precision)
    if len(expansion.terms) > 1:
        yield Text(name, "bold").append(f" = {expansion.formula}", "not bold")
        yield from _sum(expansion, look)
    elif not expansion.terms:
        yield Text(name, "bold").append(f" = {result}")
    else:
        (term,) = expansion.terms
        indent = " " * len(name)
        symbols, numbers = in_symbols(term), in_numbers(term, look.precision)
        if expansion.formula:
            yield Text(name, "bold").append(f" = {expansion.formula}", "not bold")
            yield Text(f"{indent} = {symbols}")
        else:
            yield Text(name, "bold").append(f" = {symbols}", "not bold")
        if numbers not in (None, symbols, result):
            yield Text(f"{indent} = {numbers}")
        if symbols != result:
            yield Text(f"{indent} = ").append(result, "bold")
    if expansion.reason:
        yield Text(f"  {expansion.reason}", "italic")
    if expansion.window:
        yield from _window(expansion.window, look)
    yield from blockage_lines([each for each in expansion.blockages if each.reason != expansion.reason], look)


def _sum(expansion: Expansion, look: Look) -> Iterator[Text]:
    """The terms that are not zero, in their order; of too many the largest, and what the others add up to."""
    shown = [term for term in expansion.terms if term.value != 0 or look.full]
    zeros = len(expansion.terms) - len(shown)
    rest: Sequence[Term] = ()
    if len(shown) > MOST_TERMS and not look.full:
        ranked = sorted(shown, key=lambda term: -abs(term.value))
        shown, rest = ranked[:MOST_TERMS], ranked[MOST_TERMS:]
    others = [sum(term.value for term in rest)] if rest else []
    decimals = find_decimals([*(term.value for term in shown), *others], add, expansion.value, look.precision)
    column = look.precision if decimals is None else decimals
    yield from _aligned(shown, column)
    for total in others:
        together = f"together {write_number(total, column)}"
        yield Text(f"  … and {len(rest):,} smaller terms, {together} ({look.written('full')} shows them)", "dim")
    if zeros:
        folded = (
            f"all {zeros:,} terms are 0" if not shown else f"{zeros:,} more {'terms are' if zeros > 1 else 'term is'} 0"
        )
        yield Text(f"  {folded} ({look.written('full')} shows them)", "dim")
    equals = "≈" if decimals is None else "="  # of numbers that cancel out, rounding decides what is left
    yield Text(f"  {expansion.label} {equals} {write_number(expansion.value, look.precision)}", "bold")


def _aligned(terms: Sequence[Term], precision: int) -> Iterator[Text]:
    """Each term with its names, its numbers and its value, one below the other; a single entry is its own value."""
    rows = []
    for term in terms:
        numbers, value = in_numbers(term, precision), write_number(term.value, precision)
        rows.append((in_symbols(term), f" = {numbers}" if numbers not in (None, value) else "", value))
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for symbols, numbers, value in rows:
        yield Text(f"  {symbols:<{widths[0]}}{numbers:<{widths[1]}} = {value:>{widths[2]}}")


def _window(window: Window, look: Look) -> Iterator[Text]:
    """The numbers of a pooling window as they lie, the winner in brackets."""
    side = round(len(window.factors) ** 0.5)
    cells = [write_number(factor.value, look.precision) for factor in window.factors]
    width = max(map(len, cells))
    for row in range(side):
        line = Text("   ")
        for place in range(row * side, (row + 1) * side):
            won = place == window.winner
            line.append(f" [{cells[place]:>{width}}]" if won else f"  {cells[place]:>{width}} ", "bold" if won else "")
        yield line
