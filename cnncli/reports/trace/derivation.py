"""The derivation without numbers, for people."""

from rich.console import Console
from rich.text import Text

from cnncli.network.chain import build_chain
from cnncli.reports.trace.heading import HEADINGS
from cnncli.tracing.derivation import Derivation, Equation


def print_derivation(console: Console, derivation: Derivation) -> None:
    """The shapes, the equations of both passes as a whole and written out, and the chain for each weight."""
    chain = build_chain(derivation.architecture)
    _print(console, Text(_sizes(derivation)))
    _print(
        console,
        Text(
            "subscripts: row and column, counted from 1; small letters are entries: x12 of X, z12 of Z1, "
            f"w12 of w1{', w2[2] of w2' if chain.shapes['F'] != (1,) else ''}\n"
        ),
    )
    kind = None
    for equation in derivation.equations:
        if equation.kind != kind:
            _print(console, Text(f"── {HEADINGS[equation.kind]} ──\n", "bold"))
            kind = equation.kind
        _print(console, _equation(equation))
    _print(console, Text("── the chain, from L to the weights ──\n", "bold"))
    for name, links in derivation.chains:
        _print(console, Text(name, "bold").append(f" = {links}", "not bold"))


def _sizes(derivation: Derivation) -> str:
    """X 3×3 · w1 2×2 · …: the shapes without the axes for one image, one channel and one filter."""
    chain = build_chain(derivation.architecture)
    names = ["X", *chain.parameters, *chain.forward]
    shapes = (chain.shapes[name][-2:] for name in names)
    sizes = ("×".join(map(str, shape)) if shape and shape != (1,) else "a number" for shape in shapes)
    return "shapes: " + ", ".join(f"{name} {size}" for name, size in zip(names, sizes, strict=True))


def _equation(equation: Equation) -> Text:
    text = Text(equation.name, "bold").append(f" = {equation.formula}\n", "not bold")
    width = max((len(left) for left, _ in equation.lines), default=0)
    for left, right in equation.lines:
        text.append(f"    {left:<{width}} = {right}\n", "not bold")
    return text


def _print(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True)
