"""The views of a trace: what each shows in which format, and where it goes."""

from cnncli.errors import UsageError
from cnncli.reports.console import stderr
from cnncli.reports.grids import Look
from cnncli.reports.output import Destination
from cnncli.reports.trace.arrays import trace_csv, trace_npz
from cnncli.reports.trace.derivation import print_derivation
from cnncli.reports.trace.documents import trace_latex, trace_markdown
from cnncli.reports.trace.expansion import expansion_documents, print_expansions
from cnncli.reports.trace.heat import print_heat
from cnncli.reports.trace.paths import MOST_PATHS, MOST_PATHS_FULL, paths_document, print_paths
from cnncli.reports.trace.picture import picture_png
from cnncli.reports.trace.table import print_trace, subject_document, trace_document
from cnncli.reports.trace.tiles import tile_rows
from cnncli.tracing.derivation import Derivation
from cnncli.tracing.entries import parse_entries
from cnncli.tracing.trace import Trace


def show_trace(trace: Trace, look: Look, to: Destination) -> None:
    """Every step, in any format."""
    chosen = to.resolve("table", "json", "npz", "markdown", "latex", "csv", "svg")
    if chosen == "json":
        to.deliver_json(trace_document(trace))
    elif chosen == "npz":
        to.deliver(trace_npz(trace))
    elif chosen == "csv":
        to.deliver(trace_csv(trace))
    elif chosen == "markdown":
        to.deliver(trace_markdown(trace, look))
    elif chosen == "latex":
        to.deliver(trace_latex(trace, look))
    else:
        to.draw(lambda console: print_trace(console, trace, look), chosen)
        if chosen == "table":
            k = trace.subject.architecture.kernel
            weight = f"w1[0,0,{min(1, k - 1)},{min(2, k - 1)}]"
            _hint(f"--expand 'dL/d{weight}', --follow '{weight}'; more in --help")


def show_expansions(trace: Trace, text: str, look: Look, to: Destination) -> None:
    """Where some entries come from. Raises UsageError for what names none."""
    chosen = to.resolve("table", "json", "svg")
    shapes = trace.chain.shapes
    entries = parse_entries(text, shapes, "--expand")
    expansions = map(trace.expander.expand, entries)
    if chosen == "json":
        to.deliver_json(subject_document(trace) | {"expansions": expansion_documents(expansions)})
    else:
        to.draw(lambda console: print_expansions(console, expansions, len(entries), look), chosen)
        if chosen == "table" and f"dL/d{entries[0].name}" in shapes:
            _hint(f"--follow '{entries[0].label(shapes[entries[0].name])}' for the chain from L to it")


def show_paths(trace: Trace, text: str, look: Look, to: Destination) -> None:
    """The chain from L to one entry. Raises UsageError for what names none, or several."""
    chosen = to.resolve("table", "json", "svg")
    shapes = trace.chain.shapes
    entries = parse_entries(text, shapes, "--follow")
    if len(entries) > 1:
        first, last = (entry.label(shapes[entry.name]) for entry in (entries[0], entries[-1]))
        raise UsageError(f"--follow {text} names {len(entries):,} entries, {first} to {last}: name one of them")
    paths = trace.follower.follow(entries[0], MOST_PATHS_FULL if look.full else MOST_PATHS)
    if chosen == "json":
        to.deliver_json(subject_document(trace) | paths_document(paths))
    else:
        to.draw(lambda console: print_paths(console, paths, look), chosen)
        if chosen == "table":
            _hint(f"--expand 'dL/d{paths.label}' for the sum in which these paths end")


def show_derivation(derivation: Derivation, to: Destination) -> None:
    """The derivation without numbers."""
    to.draw(lambda console: print_derivation(console, derivation), to.resolve("table", "svg"))


def show_tiles(trace: Trace, shown: Trace, look: Look, to: Destination) -> None:
    """The tensors as coloured pictures: in the terminal, as an SVG of it, or as the contact sheet, a PNG file."""
    chosen = to.resolve("table", "svg", "png")
    rows = list(tile_rows(trace, shown))
    if not rows:
        raise UsageError("none of these values is a picture: there are X, w1, Z1, A1, P1 and their derivatives")
    if chosen == "png":
        to.deliver(picture_png(rows, full=look.full))
    else:
        to.draw(lambda console: print_heat(console, rows, look), chosen)


def _hint(text: str) -> None:
    """What to try next, after everything else."""
    stderr().print(f"try next: {text}", style="dim", soft_wrap=True)
