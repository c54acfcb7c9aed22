"""Lines as one HTML document without scripts: formulas as MathML, terms and links as tables."""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import groupby

from cnncli.reports.trace.lines import Line
from cnncli.reports.trace.mathml import mathml_of
from cnncli.text import capitalise

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
math { font-size: 1.1em; }
table { border-collapse: collapse; margin: .3rem 0 .3rem 1.5rem; }
td { padding: .1rem .6rem .1rem 0; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
p { margin: .3rem 0; }
p.note { opacity: .8; }
b.won { outline: 2px solid; padding: 0 .3rem; }
""".strip()


def render(title: str, lines: Sequence[Line]) -> str:
    """The whole document."""
    body = "\n".join(part for kind, group in groupby(lines, lambda line: line.kind) for part in _group(kind, [*group]))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _group(kind: str, lines: Sequence[Line]) -> Iterator[str]:
    if kind in ROWS:
        yield "<table>" + "".join(f"<tr>{ROWS[kind](line)}</tr>" for line in lines) + "</table>"
    else:
        yield from map(PARAGRAPHS[kind], lines)


def _equation(line: Line) -> str:
    signs = [" = " for _ in line.parts[:-2]] + [f" {line.relation} "]
    written = line.parts[0] + "".join(sign + part for sign, part in zip(signs, line.parts[1:], strict=True))
    return f"<p>{mathml_of(written)}</p>"


def _term(line: Line) -> str:
    symbols, numbers, value = line.parts
    middle = mathml_of(f"= {numbers}") if numbers else ""
    return f"<td>{mathml_of(symbols)}</td><td>{middle}</td><td>=</td>{_number(value)}"


def _link(line: Line) -> str:
    name, number, reason = line.parts
    return f"<td>{mathml_of(name)}</td>{_number(number)}<td>{mathml_of(reason)}</td>"


def _number(written: str) -> str:
    return f'<td class="number">{escape(written.replace("-", "−"))}</td>'


def _window(line: Line) -> str:
    return "".join(
        f'<td class="number"><b class="won">{cell[1:-1]}</b></td>' if cell.startswith("[") else _number(cell)
        for cell in line.parts
    )


def _written(line: Line) -> str:
    left, right = line.parts
    return f"<td>{mathml_of(left)}</td><td>{mathml_of(f'= {right}')}</td>"


ROWS: dict[str, Callable[[Line], str]] = {"term": _term, "written": _written, "link": _link, "window": _window}
PARAGRAPHS: dict[str, Callable[[Line], str]] = {
    "section": lambda line: f"<h2>{escape(capitalise(line.parts[0]))}</h2>",
    "heading": lambda line: f"<h3>{escape(capitalise(line.parts[0]))}</h3>",
    "equation": _equation,
    "continued": lambda line: f"<p>{mathml_of(f'{line.relation} {line.parts[0]}')}</p>",
    "result": _equation,
    "total": _equation,
    "plain": lambda line: f"<p>{escape(line.parts[0])}</p>",
    "remark": lambda line: f'<p class="note">{escape(line.parts[0])}</p>',
    "folded": lambda line: f'<p class="note">{escape(line.parts[0])}</p>',
    "gap": lambda _: "",
}
