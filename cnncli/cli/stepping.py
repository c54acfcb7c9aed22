"""`cnncli trace --step`: one step of the chain on the screen, moved by keys."""

import sys

from rich.console import Console

from cnncli.cli.keys import ENTER, ERASE, LEAVE, read_key, read_line, single_keys
from cnncli.errors import UsageError
from cnncli.reports.console import stdout
from cnncli.reports.look import Look
from cnncli.reports.trace.table import print_step
from cnncli.tracing.entries import find_name
from cnncli.tracing.trace import Trace

FORWARDS = (" ", *ENTER, "n", "\x1b[C", "\x1b[B", "àM", "àP")  # arrows right and down, the last two on Windows
BACKWARDS = ("b", *ERASE, "\x1b[D", "\x1b[A", "àK", "àH")  # arrows left and up
QUIT = ("q", *LEAVE)
KEYS = "Enter, → next   b, ← back   j jump to a name   q quit"


def step_through(trace: Trace, look: Look) -> None:
    """Show one step at a time until the person quits. Raises UsageError where nobody can press a key."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--step reads single keys and needs a terminal: leave it out to print every step")
    console = stdout()
    place, message = 0, ""
    with console.screen(hide_cursor=False), single_keys():
        while True:
            _show(console, trace, place, message, look)
            key = read_key()
            message = ""
            if key in FORWARDS:
                place = min(place + 1, len(trace.steps) - 1)
            elif key in BACKWARDS:
                place = max(place - 1, 0)
            elif key == "j":
                place, message = _jump(trace, place)
            elif key in QUIT:
                return


def _show(console: Console, trace: Trace, place: int, message: str, look: Look) -> None:
    step = trace.steps[place]
    head = f"step {place + 1} of {len(trace.steps)} ({step.kind})   {trace.subject.images[0]}\n"
    foot = f"{message}\n\n{KEYS}" if message else KEYS
    taken = sum(1 + len(line) // console.width for line in (*head.split("\n"), *foot.split("\n")))
    console.clear()
    console.print(head, soft_wrap=True)
    print_step(console, step, look, console.height - taken - 1)  # a line for the prompt
    console.print(foot, soft_wrap=True)


def _jump(trace: Trace, place: int) -> tuple[int, str]:
    """The place of the name that the person types, or the same place and what is wrong."""
    names = [step.name for step in trace.steps]
    try:
        written = (read_line("name: ") or "").strip()
        return (names.index(find_name(written, names, "jump")), "") if written else (place, "")
    except UsageError as error:
        return place, f"jump to {error.message}"
