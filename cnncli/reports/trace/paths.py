"""The chain rule for one entry, path by path, for people and for other programs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from cnncli.network.terms import multiply
from cnncli.reports.look import Look
from cnncli.reports.trace.blockages import blockage_documents, blockage_lines
from cnncli.reports.trace.formulas import add, find_decimals, write_number
from cnncli.tracing.paths import Path, Paths

MOST_PATHS, MOST_PATHS_FULL = 8, 10_000  # that are shown, and that are shown in full: there can be millions


def paths_document(paths: Paths) -> dict[str, Any]:
    """The paths at full precision, the strongest first."""
    return {
        "entry": paths.label,
        "derivative": paths.derivative,
        "chain": paths.chain,
        "number_of_paths": paths.number,
        "blocked": blockage_documents(paths.blockages),
        "paths": [
            {"product": path.product, "links": [{"name": link.name, "value": link.value} for link in path.links]}
            for path in paths.shown
        ],
    }


def print_paths(console: Console, paths: Paths, look: Look) -> None:
    """The chain in symbols, each path link by link with its numbers, and what the paths add up to."""
    derivative = f"dL/d{paths.label}"
    tensor = paths.chain[-1].partition("/d")[2]
    console.print(Text(f"dL/d{tensor}", "bold").append(f" = {' · '.join(paths.chain)}", "not bold"), soft_wrap=True)
    rest = paths.number - len(paths.shown)
    others = [paths.derivative - paths.total] if rest else []
    products = [path.product for path in paths.shown]
    decimals = find_decimals([*products, *others], add, paths.derivative, look.precision)
    column = look.precision if decimals is None else decimals
    for place, path in enumerate(paths.shown, 1):
        console.print()
        console.print(Text("\n").join(_path(path, f"path {place} of {paths.number:,}", column)), soft_wrap=True)
    console.print()
    if not paths.number:
        console.print(f"every path from L to {paths.label} has a link that is 0: it carries nothing", soft_wrap=True)
        console.print(Text("\n").join(blockage_lines(paths.blockages, look)), soft_wrap=True)
    if rest:
        together = write_number(sum(others), column)
        more = "" if look.full else f" ({look.written('full')} shows up to {MOST_PATHS_FULL:,})"
        console.print(Text(f"… and {rest:,} weaker paths, together {together}{more}", "dim"), soft_wrap=True)
    sum_ = (
        f" = {_add([write_number(product, column) for product in products])}" if 1 < paths.number <= MOST_PATHS else ""
    )
    equals = "≈" if sum_ and decimals is None else "="  # of numbers that cancel out, rounding decides what is left
    result = f"{derivative}{sum_} {equals} {write_number(paths.derivative, look.precision)}"
    console.print(Text(result, "bold"), soft_wrap=True)


def _add(numbers: Sequence[str]) -> str:
    return " + ".join(f"({number})" if place and number[0] == "-" else number for place, number in enumerate(numbers))


def _path(path: Path, title: str, precision: int) -> list[Text]:
    decimals = find_decimals([link.value for link in path.links], multiply, path.product, precision)
    column = precision if decimals is None else decimals
    rows = [(link.name, write_number(link.value, column), link.reason) for link in path.links]
    rows.append(("product", write_number(path.product, precision), ""))
    names, numbers = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [Text(title, "bold")]
    for name, number, reason in rows:
        line = Text(f"  {name:<{names}}  {number:>{numbers}}", "bold" if name == "product" else "")
        lines.append(line.append(f"  {reason}" if reason else "", "dim"))
    return lines
