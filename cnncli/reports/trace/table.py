"""A trace for people, one table per step."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from rich import box
from rich.console import Console, RenderableType
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table
from rich.text import Text

from cnncli.network.arrays import Array
from cnncli.network.record import Recorded
from cnncli.reports.drawing import text_of
from cnncli.reports.grids import GAP, grid, number_writer
from cnncli.reports.look import Look
from cnncli.reports.trace.heading import HEADINGS, header, shape_text
from cnncli.tracing.trace import Trace

FACTS = 16  # the width of the column beside the numbers: the shape, and the statistics of what is cut
MOST_LINES = 200  # of a trace that is not asked for in full: large arrays are cut ever shorter until it fits


def render(trace: Trace, look: Look) -> str:
    """The table as plain text."""
    return text_of(lambda console: print_trace(console, trace, look))


def print_trace(console: Console, trace: Trace, look: Look) -> None:
    """A header, then a table for each step: its formula, its shape and its values.

    Where not `full`, a trace of more than 200 lines leaves less of large arrays, and last of all their statistics only.
    """
    head = header(trace)
    look = _suit(look, console)
    console.print(head, soft_wrap=True)
    if look.full:
        _print_steps(console, _steps(console, trace, look))
        return
    for edge in range(look.edge, 0, -1):
        parts = list(_steps(console, trace, replace(look, edge=edge)))
        if head.count("\n") + 1 + sum(len(console.render_lines(part)) for part in parts) <= MOST_LINES:
            _print_steps(console, iter(parts))
            return
    _print_steps(console, iter([_summary(trace, look)]))
    some, everything = look.written("only"), look.written("full")
    console.print(
        f"too many steps for a page: {some} NAMES shows some with their numbers, {everything} all", soft_wrap=True
    )


def step_table(step: Recorded, width: int, look: Look) -> Table:
    """One step: the formula over the values, the shape over the statistics of what is cut."""
    values, cut = grid(step.value, width, look)
    head = Text(step.name, "bold").append(f" = {step.formula}" if step.formula else "", "not bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    widest = max(line.cell_len for line in values.split())  # Rich would cut what is wider than its column
    table.add_column(head, no_wrap=look.full, min_width=max(width, widest))
    table.add_column(Text(shape_text(step.value.shape), "not bold"), no_wrap=True, min_width=FACTS)
    table.add_row(values, _statistics(step.value, look) if cut else "")
    table.add_row("", "")
    return table


def print_step(console: Console, step: Recorded, look: Look, most: int) -> None:
    """One step alone, the top of it where it takes more than `most` lines of the console."""
    table = step_table(step, console.width - FACTS - 4, _suit(look, console))
    options = console.options.update(max_width=100_000)
    width = max(console.width, console.measure(table, options=options).minimum)
    lines = console.render_lines(table, options.update(width=width))
    fitting = max(most // -(-width // console.width), 1)  # what is wider than the console is wrapped there
    if len(lines) > fitting:
        lines = [*lines[: max(fitting - 1, 1)], [Segment(f"{GAP} a larger window shows the rest", Style(dim=True))]]
    for line in lines:
        console.print(Segments([*line, Segment.line()]), end="", soft_wrap=True)


def _suit(look: Look, console: Console) -> Look:
    """The look that the console's colours allow."""
    return replace(look, shades=console.color_system != "standard")


def _steps(console: Console, trace: Trace, look: Look) -> Iterator[RenderableType]:
    """A heading for each part of the chain, and a table for each step."""
    kind = None
    for step in trace.steps:
        if step.kind != kind:
            yield Text(f"── {HEADINGS[step.kind]} ──\n", "bold")
            kind = step.kind
        yield step_table(step, console.width - FACTS - 4, look)


def _print_steps(console: Console, parts: Iterator[RenderableType]) -> None:
    """Print tables whole: what is wider than the console makes it wider."""
    for part in parts:
        least = console.measure(part, options=console.options.update(max_width=100_000)).minimum
        console.width = max(console.width, least)
        console.print(part)


def _summary(trace: Trace, look: Look) -> Table:
    table = Table("value", "shape", box=box.SIMPLE_HEAD)
    for heading in ("min", "max", "mean", "norm"):
        table.add_column(heading, justify="right")
    for step in trace.steps:
        numbers = _four(step.value)
        write = number_writer(np.array([*numbers.values()]), look.precision)
        table.add_row(step.name, shape_text(step.value.shape), *(write(number) for number in numbers.values()))
    return table


def _statistics(values: Array, look: Look) -> str:
    write = number_writer(np.array([values.mean(), values.max(), values.min()]), look.precision)
    return "\n".join(f"{name:<4}{write(number):>12}" for name, number in _four(values).items())


def _four(values: Array) -> dict[str, float]:
    return {
        "min": float(values.min()),
        "max": float(values.max()),
        "mean": float(values.mean()),
        "norm": float(np.linalg.norm(values)),
    }
