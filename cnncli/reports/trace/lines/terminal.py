"""Lines as they stand in a terminal."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from cnncli.reports.trace.lines import Line

STYLES = {"remark": "italic", "folded": "dim"}


def print_lines(console: Console, lines: Sequence[Line]) -> None:
    """Print lines, terms and links one below the other with aligned columns."""
    console.print(Text("\n").join(write_lines(lines)), soft_wrap=True)


def write_lines(lines: Sequence[Line]) -> Iterator[Text]:
    """The lines one after the other."""
    indent = ""
    for kind, group in groupby(lines, lambda line: line.kind):
        each = list(group)
        if kind == "term":
            yield from _terms(each)
        elif kind == "written":
            yield from _written(each)
        elif kind == "link":
            yield from _links(each)
        elif kind == "window":
            yield from _window(each)
        else:
            for line in each:
                if kind == "equation":
                    indent = " " * len(line.parts[0])
                yield _single(line, indent)


def _single(line: Line, indent: str) -> Text:
    match line.kind:
        case "gap":
            return Text()
        case "section":
            return Text(f"── {line.parts[0]} ──", "bold")
        case "heading":
            return Text(line.parts[0], "bold")
        case "equation":
            name, *rest = line.parts
            return Text(name, "bold").append("".join(f" = {part}" for part in rest), "not bold")
        case "continued":
            return Text(f"{indent} {line.relation} {line.parts[0]}")
        case "result" | "total":
            *before, last = line.parts
            indent = "  " if line.kind == "result" else ""
            return Text(f"{indent}{' = '.join(before)} {line.relation} {last}", "bold")
        case "plain":
            return Text(line.parts[0])
        case _:
            return Text(f"  {line.parts[0]}", STYLES.get(line.kind, ""))


def _written(lines: Sequence[Line]) -> Iterator[Text]:
    width = max(len(line.parts[0]) for line in lines)
    for line in lines:
        left, right = line.parts
        yield Text(f"    {left:<{width}} = {right}")


def _terms(lines: Sequence[Line]) -> Iterator[Text]:
    """A term that is one entry is its own value."""
    rows = [(line.parts[0], f" = {line.parts[1]}" if line.parts[1] else "", line.parts[2]) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for symbols, numbers, value in rows:
        yield Text(f"  {symbols:<{widths[0]}}{numbers:<{widths[1]}} = {value:>{widths[2]}}")


def _links(lines: Sequence[Line]) -> Iterator[Text]:
    names, numbers = (max(len(line.parts[column]) for line in lines) for column in (0, 1))
    for line in lines:
        name, number, reason = line.parts
        text = Text(f"  {name:<{names}}  {number:>{numbers}}", "" if reason else "bold")
        yield text.append(f"  {reason}" if reason else "", "dim")


def _window(lines: Sequence[Line]) -> Iterator[Text]:
    """The numbers as they lie; brackets mark the winner."""
    width = max(len(cell.strip("[]")) for line in lines for cell in line.parts)
    for line in lines:
        text = Text("   ")
        for cell in line.parts:
            won = cell.startswith("[")
            text.append(f" [{cell[1:-1]:>{width}}]" if won else f"  {cell:>{width}} ", "bold" if won else "")
        yield text
