"""Lines of mathematics as the rows of an aligned environment of TeX."""

from collections.abc import Iterator, Sequence

from cnncli.reports.trace.lines import Line
from cnncli.reports.trace.tex import tex

RELATIONS = {"=": "=", "≈": r"\approx"}


def align(lines: Sequence[Line]) -> Iterator[str]:
    """A row for each line: what stands before the first equals sign, & and the rest."""
    for line in lines:
        if line.kind == "continued":
            yield f"& {RELATIONS[line.relation]} {tex(line.parts[0])}"
        elif line.kind == "link":
            name, number, reason = line.parts
            yield rf"{_left(name)} & = {tex(number)}" + (f" && {tex(reason)}" if reason else "")
        else:
            left, *rest = (part for part in line.parts if part)
            signs = ["=" for _ in rest[:-1]] + [RELATIONS[line.relation]]
            indent = r"\qquad " if line.kind in ("term", "written") else ""
            right = " ".join(f"{sign} {tex(part)}" for sign, part in zip(signs, rest, strict=True))
            yield f"{indent}{_left(left)} & {right}"


def window_cells(line: Line) -> str:
    """The numbers of a row of a window, the winner boxed."""
    cells = (rf"\boxed{{{tex(cell[1:-1])}}}" if cell.startswith("[") else tex(cell) for cell in line.parts)
    return r" \quad ".join(cells)


def _left(name: str) -> str:
    return r"\text{product}" if name == "product" else tex(name)
