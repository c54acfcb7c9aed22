"""The chain rule for one entry, path by path, for people and for other programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from cnncli.network.terms import multiply
from cnncli.reports.look import Look
from cnncli.reports.trace.blockages import blockage_documents, blockage_lines
from cnncli.reports.trace.formulas import add, find_decimals, write_number
from cnncli.reports.trace.lines import Line
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


def path_lines(paths: Paths, look: Look) -> Iterator[Line]:
    """The chain in symbols, each path link by link with its numbers, and what the paths add up to."""
    tensor = paths.chain[-1].partition("/d")[2]
    yield Line("equation", (f"dL/d{tensor}", " · ".join(paths.chain)))
    rest = paths.number - len(paths.shown)
    others = [paths.derivative - paths.total] if rest else []
    products = [path.product for path in paths.shown]
    decimals = find_decimals([*products, *others], add, paths.derivative, look.precision)
    column = look.precision if decimals is None else decimals
    for place, path in enumerate(paths.shown, 1):
        yield Line("gap")
        yield Line("heading", (f"path {place} of {paths.number:,}",))
        yield from _links(path, column)
    yield Line("gap")
    if not paths.number:
        yield Line("plain", (f"every path from L to {paths.label} has a link that is 0: it carries nothing",))
        yield from blockage_lines(paths.blockages, look)
    if rest:
        together = write_number(sum(others), column)
        more = "" if look.full else f" ({look.written('full')} shows up to {MOST_PATHS_FULL:,})"
        yield Line("plain", (f"… and {rest:,} weaker paths, together {together}{more}",))
    added = [_add([write_number(product, column) for product in products])] if 1 < paths.number <= MOST_PATHS else []
    relation = "≈" if added and decimals is None else "="  # of numbers that cancel out, rounding decides what is left
    yield Line("total", (f"dL/d{paths.label}", *added, write_number(paths.derivative, look.precision)), relation)


def _add(numbers: Sequence[str]) -> str:
    return " + ".join(f"({number})" if place and number[0] == "-" else number for place, number in enumerate(numbers))


def _links(path: Path, precision: int) -> Iterator[Line]:
    decimals = find_decimals([link.value for link in path.links], multiply, path.product, precision)
    column = precision if decimals is None else decimals
    for link in path.links:
        yield Line("link", (link.name, write_number(link.value, column), link.reason))
    yield Line("link", ("product", write_number(path.product, precision), ""))
