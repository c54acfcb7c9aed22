"""The chain rule for one entry, path by path, for people and for other programs."""

from typing import Any

from rich.console import Console
from rich.text import Text

from cnncli.reports.look import Look
from cnncli.reports.trace.formulas import write_number
from cnncli.tracing.paths import Path, Paths

MOST_PATHS, MOST_PATHS_FULL = 8, 10_000  # that are shown, and that are shown in full: there can be millions


def paths_document(paths: Paths) -> dict[str, Any]:
    """The paths at full precision, the strongest first."""
    return {
        "entry": paths.label,
        "derivative": paths.derivative,
        "chain": paths.chain,
        "number_of_paths": paths.number,
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
    for place, path in enumerate(paths.shown, 1):
        console.print()
        console.print(Text("\n").join(_path(path, f"path {place} of {paths.number:,}", look)), soft_wrap=True)
    console.print()
    rest = paths.number - len(paths.shown)
    if not paths.number:
        console.print(f"every path from L to {paths.label} has a link that is 0: it carries nothing", soft_wrap=True)
    if rest:
        others = write_number(paths.derivative - paths.total, look.precision)
        more = "" if look.full else f" ({look.written('full')} shows up to {MOST_PATHS_FULL:,})"
        console.print(Text(f"… and {rest:,} weaker paths, together {others}{more}", "dim"), soft_wrap=True)
    products = [write_number(path.product, look.precision) for path in paths.shown[:MOST_PATHS]]
    written = " + ".join(
        f"({product})" if place and product[0] == "-" else product for place, product in enumerate(products)
    )
    steps = [written] if 1 < paths.number <= MOST_PATHS else []
    result = " = ".join([derivative, *steps, write_number(paths.derivative, look.precision)])
    console.print(Text(result, "bold"), soft_wrap=True)


def _path(path: Path, title: str, look: Look) -> list[Text]:
    rows = [(link.name, write_number(link.value, look.precision), link.reason) for link in path.links]
    rows.append(("product", write_number(path.product, look.precision), ""))
    names, numbers = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [Text(title, "bold")]
    for name, number, reason in rows:
        line = Text(f"  {name:<{names}}  {number:>{numbers}}", "bold" if name == "product" else "")
        lines.append(line.append(f"  {reason}" if reason else "", "dim"))
    return lines
