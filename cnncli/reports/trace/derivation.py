"""The derivation without numbers, as lines."""

from collections.abc import Iterator

from cnncli.network.chain import build_chain
from cnncli.reports.trace.heading import HEADINGS
from cnncli.reports.trace.lines import Line
from cnncli.tracing.derivation import Derivation


def derivation_lines(derivation: Derivation) -> Iterator[Line]:
    """The shapes, the equations of both passes as a whole and written out, and the chain for each weight."""
    chain = build_chain(derivation.architecture)
    yield Line("plain", (_sizes(derivation),))
    yield Line(
        "plain",
        (
            "subscripts: row and column, counted from 1; small letters are entries: x12 of X, z12 of Z1, "
            f"w12 of w1{', w2[2] of w2' if chain.shapes['F'] != (1,) else ''}",
        ),
    )
    kind = None
    for equation in derivation.equations:
        yield Line("gap")
        if equation.kind != kind:
            yield Line("section", (HEADINGS[equation.kind],))
            yield Line("gap")
            kind = equation.kind
        yield Line("equation", (equation.name, equation.formula))
        for left, right in equation.lines:
            yield Line("written", (left, right))
    yield Line("gap")
    yield Line("section", ("the chain, from L to the weights",))
    yield Line("gap")
    for name, links in derivation.chains:
        yield Line("equation", (name, links))


def _sizes(derivation: Derivation) -> str:
    """X 3×3 · w1 2×2 · …: the shapes without the axes for one image, one channel and one filter."""
    chain = build_chain(derivation.architecture)
    names = ["X", *chain.parameters, *chain.forward]
    shapes = (chain.shapes[name][-2:] for name in names)
    sizes = ("×".join(map(str, shape)) if shape and shape != (1,) else "a number" for shape in shapes)
    return "shapes: " + ", ".join(f"{name} {size}" for name, size in zip(names, sizes, strict=True))
