"""The derivation without numbers: every equation of a small network written out, with the note's subscripts.

The terms are those of the expansion of a trace of zeros: which entries meet does not depend on the numbers. Only the
choices of relu and max pooling do, and are written as such.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnncli.errors import UsageError
from cnncli.network.architecture import Architecture
from cnncli.network.record import Kind
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject
from cnncli.tracing.entries import Entry, parse_entries
from cnncli.tracing.expansion import Expander
from cnncli.tracing.paths import Follower
from cnncli.tracing.terms import Term
from cnncli.tracing.trace import trace_image

LARGEST = 9  # a subscript is one digit for the row and one for the column
AS_A_WHOLE = ("A2", "L", "dL/dA2", "dA2/dz2", "dL/dz2", "dL/db2")  # single numbers: their equation says all


@dataclass(frozen=True)
class Equation:
    """One value of the chain: its equation as a whole, and entry by entry where it has several."""

    name: str
    kind: Kind
    formula: str
    lines: tuple[tuple[str, str], ...]  # ("dL/dw11", "dL/dz11·x11 + …")


@dataclass(frozen=True)
class Derivation:
    """All equations in order, and the chain for each parameter."""

    architecture: Architecture
    equations: tuple[Equation, ...]
    chains: tuple[tuple[str, str], ...]  # ("dL/dw1", "dL/dA2 · dA2/dz2 · …")


def derive(fresh: FreshNetwork) -> Derivation:
    """The derivation for one filter and one gray channel; the note's 3×3 image and 2×2 kernel where not given.

    Raises UsageError for what has no place on a page: several filters, channels, classes, or more than 9 rows.
    """
    for option, several in (("--filters", fresh.filters not in (None, (1,))), ("--channels", fresh.channels == "rgb")):
        if several:
            raise UsageError(f"--symbolic writes out one filter and one gray channel: leave out {option}")
    if fresh.classes not in (None, 2):
        raise UsageError("--symbolic writes out the note's two classes: leave out --classes")
    side = fresh.image_size or 3
    if side > LARGEST:
        raise UsageError(f"--symbolic writes out images of at most {LARGEST}×{LARGEST}: choose a smaller --image-size")
    architecture = Architecture(side, side, 1, (1,), fresh.kernel or 2, fresh.pool or 2, 2)
    zeros = {name: np.zeros(shape) for name, shape in architecture.parameter_shapes.items()}
    X = np.zeros((1, *architecture.shapes["X"]))
    trace = trace_image(Subject(architecture, zeros, ("0", "1"), X, np.array([1]), ("zeros",), "zeros"))
    written = _Writer(architecture, Expander(trace))
    equations = tuple(
        Equation(step.name, step.kind, step.formula, tuple(written.lines(step.name)))
        for step in trace.steps
        if step.kind in ("forward", "gradient")
    )
    follower = Follower(trace)
    chains = tuple((f"dL/d{name}", " · ".join(follower.chain(name))) for name in ("w2", "w1"))
    return Derivation(architecture, equations, chains)


class _Writer:
    def __init__(self, architecture: Architecture, expander: Expander) -> None:
        self._architecture = architecture
        self._expander = expander

    def lines(self, name: str) -> Iterator[tuple[str, str]]:
        """One equation for each entry, of the tensors of which the page writes them."""
        if name in AS_A_WHOLE:
            return
        for entry in parse_entries(name, self._architecture.shapes, "--symbolic"):
            yield self._label(entry), self._right_side(entry)

    def _right_side(self, entry: Entry) -> str:
        name, index = entry
        A, Z = (self._label(Entry(tensor, index)) for tensor in ("A1", "Z1"))
        if name == "dL/dA1":
            s = self._architecture.pool
            n, r, q = index
            _, p, width = self._architecture.shapes["P1"]
            if r >= p * s or q >= width * s:
                return "0, it lies in no window"
            window = self._label(Entry("dL/dP1", (n, r // s, q // s)))
            return f"{window} if {A} is the first maximum of its window, else 0"
        if name == "dA1/dZ1":
            return f"1 if {Z} > 0, else 0"
        return " + ".join(self._term(term) for term in self._expander.expand(entry).terms)

    def _term(self, term: Term) -> str:
        return term.template.format(*(self._label(factor.entry) for factor in term.factors))

    def _label(self, entry: Entry) -> str:
        """x12 for X[0,0,1]: small letters, row and column counted from 1; numbers that stand alone keep their name."""
        name, index = entry
        size = int(np.prod(self._architecture.shapes[name]))
        if name in ("w2", "dL/dw2", "dz2/dF"):
            place = index[1] + 1
            return f"dz2/df{place}" if name == "dz2/dF" else name if size == 1 else f"{name}[{place}]"
        if name[-1] in "XF" or name[-2:] in ("Z1", "A1", "P1", "w1"):
            subscript = "".join(str(place + 1) for place in index[-2:])
            return "/".join(_small(part) + subscript for part in name.split("/")).replace(f"dL{subscript}", "dL")
        return name


def _small(part: str) -> str:
    """Z1 → z, dA1 → da, dL stays."""
    d, tensor = ("d", part[1:]) if part[0] == "d" else ("", part)
    return part if tensor == "L" else d + tensor[0].lower()
