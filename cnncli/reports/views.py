"""The views of a trace: what each shows in which format, and where it goes."""

from functools import partial

from rich.console import Console

from cnncli.inspection.entries import parse_entries
from cnncli.inspection.expansion import Expander
from cnncli.inspection.paths import Follower
from cnncli.inspection.symbolic import Derivation
from cnncli.inspection.trace import Trace
from cnncli.errors import UsageError
from cnncli.reports.arrays_files import trace_csv, trace_npz
from cnncli.reports.console import json_text, stderr
from cnncli.reports.expansion import expansion_documents, print_expansions
from cnncli.reports.grids import Look
from cnncli.reports.output import Destination
from cnncli.reports.papers import trace_latex, trace_markdown
from cnncli.reports.paths import MOST_PATHS, MOST_PATHS_FULL, paths_document, print_paths
from cnncli.reports.symbolic import print_derivation
from cnncli.reports.trace import print_trace, subject_document, trace_document


def show_trace(trace: Trace, look: Look, to: Destination) -> None:
    """Every step, in any format."""
    format = to.resolve("table", "json", "npz", "markdown", "latex", "csv", "svg")  # noqa: A001
    if format == "json":
        to.deliver(json_text(trace_document(trace)))
    elif format == "npz":
        to.deliver(trace_npz(trace))
    elif format == "csv":
        to.deliver(trace_csv(trace))
    elif format == "markdown":
        to.deliver(trace_markdown(trace, look))
    elif format == "latex":
        to.deliver(trace_latex(trace, look))
    else:
        to.draw(lambda console: print_trace(console, trace, look), format)


def show_expansions(trace: Trace, text: str, look: Look, to: Destination) -> None:
    """Where some entries come from. Raises UsageError for what names none."""
    format = to.resolve("table", "json", "svg")  # noqa: A001
    entries = parse_entries(text, trace.subject.architecture.shapes, "--expand")
    expander = Expander(trace)
    expansions = map(expander.expand, entries)
    if format == "json":
        to.deliver(json_text(subject_document(trace) | {"expansions": expansion_documents(expansions)}))
    else:
        to.draw(lambda console: print_expansions(console, expansions, len(entries), look), format)


def show_paths(trace: Trace, text: str, look: Look, to: Destination) -> None:
    """The chain from L to one entry. Raises UsageError for what names none, or several."""
    format = to.resolve("table", "json", "svg")  # noqa: A001
    shapes = trace.subject.architecture.shapes
    entries = parse_entries(text, shapes, "--follow")
    if len(entries) > 1:
        first, last = (entry.label(shapes[entry.name]) for entry in (entries[0], entries[-1]))
        raise UsageError(f"--follow {text} names {len(entries):,} entries, {first} to {last}: name one of them")
    paths = Follower(trace).follow(entries[0], MOST_PATHS_FULL if look.full else MOST_PATHS)
    if format == "json":
        to.deliver(json_text(subject_document(trace) | paths_document(paths)))
    else:
        to.draw(lambda console: print_paths(console, paths, look), format)


def show_derivation(derivation: Derivation, to: Destination) -> None:
    """The derivation without numbers."""
    to.draw(lambda console: print_derivation(console, derivation), to.resolve("table", "svg"))
