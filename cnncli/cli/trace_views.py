"""The views of `cnncli trace`: what each shows in which format, and what to try next."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnncli import memory
from cnncli.cli.destination import PNG, SVG, Destination
from cnncli.errors import UsageError
from cnncli.reports.console import stderr, stdout
from cnncli.reports.look import Look
from cnncli.reports.trace.formats import FORMATS, render
from cnncli.reports.trace.lines import DOCUMENTS, Line, render_lines
from cnncli.subject.subject import Subject
from cnncli.tracing.derivation import Derivation
from cnncli.tracing.entries import parse_entries
from cnncli.tracing.trace import Trace


def show(view: str | None, wanted: Any, trace: Trace, shown: Trace, look: Look, to: Destination) -> None:
    """One view of a trace, of which `shown` is the part that was asked for; `wanted` is the value of its option."""
    _tell_scaling(trace.subject)
    if view == "expand":
        show_expansions(trace, wanted, look, to)
    elif view == "follow":
        show_paths(trace, wanted, look, to)
    elif view == "step":
        from cnncli.cli.stepping import step_through

        step_through(shown, look)
    elif view == "open":
        show_page(trace, look, to)
    elif view in ("heat", "picture"):
        show_tiles(trace, shown, look, to, *(("table", SVG, PNG) if view == "heat" else (PNG, SVG)))
    else:
        show_trace(shown, look, to)


def show_trace(trace: Trace, look: Look, to: Destination) -> None:
    """Every step, in any format."""
    chosen = to.resolve(*FORMATS)
    if chosen in ("table", SVG):
        from cnncli.reports.trace.table import print_trace

        to.draw(lambda console: print_trace(console, trace, look), chosen)
    else:
        if not FORMATS[chosen].for_people:
            memory.require(memory.estimate_text, trace.subject.architecture, f"this trace as {chosen}")
        to.deliver(render(chosen, trace, look))
    if chosen == "table":
        k = trace.subject.architecture.kernel
        weight = f"w1[0,0,{min(1, k - 1)},{min(2, k - 1)}]"
        _hint(f"--expand 'dL/d{weight}', --follow '{weight}'; more in --help")


def show_expansions(trace: Trace, text: str, look: Look, to: Destination) -> None:
    """Where some entries come from. Raises UsageError for what names none."""
    from cnncli.reports.trace.expansion import expansion_documents, expansion_lines
    from cnncli.reports.trace.heading import subject_document

    chosen = to.resolve("table", "json", "svg", *DOCUMENTS)
    shapes = trace.chain.shapes
    entries = parse_entries(text, trace.chain.tensors, "expand")
    expansions = map(trace.expander.expand, entries)
    if chosen == "json":
        to.deliver(subject_document(trace) | {"expansions": expansion_documents(expansions)})
    else:
        _deliver_lines(f"Where {text} comes from", [*expansion_lines(expansions, len(entries), look)], to, chosen)
        if chosen == "table" and f"dL/d{entries[0].name}" in shapes:
            _hint(f"--follow '{entries[0].label(shapes[entries[0].name])}' for the chain from L to it")


def show_paths(trace: Trace, text: str, look: Look, to: Destination) -> None:
    """The chain from L to one entry. Raises UsageError for what names none, or several."""
    from cnncli.reports.trace.heading import subject_document
    from cnncli.reports.trace.paths import MOST_PATHS, MOST_PATHS_FULL, path_lines, paths_document

    chosen = to.resolve("table", "json", "svg", *DOCUMENTS)
    paths = trace.follow(text, MOST_PATHS_FULL if look.full else MOST_PATHS)
    if chosen == "json":
        to.deliver(subject_document(trace) | paths_document(paths))
    else:
        _deliver_lines(f"The chain from L to {paths.label}", [*path_lines(paths, look)], to, chosen)
        if chosen == "table":
            _hint(f"--expand 'dL/d{paths.label}' for the sum in which these paths end")


def show_derivation(derivation: Derivation, to: Destination, *, sizes_given: bool) -> None:
    """The derivation without numbers, of a network that is as small as it can be where no sizes were given."""
    from cnncli.reports.trace.derivation import derivation_lines

    chosen = to.resolve("table", "svg", *DOCUMENTS)
    _deliver_lines("The derivation without numbers", [*derivation_lines(derivation)], to, chosen)
    if not sizes_given:
        _hint("--image-size 6 --kernel 3, the sizes of the example; these are smaller, so that the equations are short")


def _deliver_lines(title: str, lines: Sequence[Line], to: Destination, chosen: str) -> None:
    """The lines of an explanation: in a terminal, as text or a drawing of one, or as a document."""
    if chosen in DOCUMENTS:
        to.deliver(render_lines(chosen, title, lines))
        return
    from cnncli.reports.trace.lines.terminal import print_lines

    to.draw(lambda console: print_lines(console, lines), chosen)


def show_tiles(trace: Trace, shown: Trace, look: Look, to: Destination, *possible: str) -> None:
    """The tensors as coloured pictures: in the terminal, as an SVG of it, or the picture of the chain, a PNG file."""
    from cnncli.reports.trace.tiles import tile_rows

    chosen = to.resolve(*possible)
    rows = list(tile_rows(trace, shown))
    if not rows:
        raise UsageError("none of these values is a picture: there are X, w1, Z1, A1, P1 and their derivatives")
    if chosen == PNG:
        from cnncli.reports.trace.picture import picture_png

        to.deliver(picture_png(shown, rows, full=look.full))
        return
    if chosen == "table" and (to.output is not None or stdout().color_system is None or stdout().no_color):
        raise UsageError("--heat needs a terminal with colours: write a picture with --picture FILE.png instead")
    from cnncli.reports.trace.heat import print_heat

    to.draw(lambda console: print_heat(console, rows, look), chosen)


def show_page(trace: Trace, look: Look, to: Destination) -> None:
    """The page in the person's browser, from a temporary file where none is named; its path where there is no browser.

    Raises UsageError for a file of another format.
    """
    import webbrowser

    page = to.as_page()
    page.deliver(render(page.resolve("html"), trace, look))
    path = (page.output or Path()).resolve()
    opened = webbrowser.open(path.as_uri())
    stderr().print(
        f"{'the page' if opened else 'no browser starts here: open this file in one'}: {path}", soft_wrap=True
    )


def _tell_scaling(subject: Subject) -> None:
    """A line where the image was scaled though nobody asked for it."""
    own = subject.scaled_from
    if own is None:
        return
    height, width = subject.X.shape[-2:]
    how = "scaled" if own.height == own.width else "scaled and cropped"
    stderr().print(
        f"{subject.images[0]} is {own.width} pixels wide and {own.height} high: {how} to {width}×{height}; "
        "--image-size N chooses another size",
        soft_wrap=True,
    )


def _hint(text: str) -> None:
    """What to try next, after everything else."""
    stderr().print(f"try next: {text}", style="dim", soft_wrap=True)
