"""The record's formulas as TeX, in the part of it that pdflatex with amsmath and GitHub's Markdown both read."""

from collections.abc import Callable

from cnncli.reports.trace.tokens import Kind, Token, end_of_power, read_formula, split_fraction, split_name

SIGNS = {"·": r"\cdot ", "−": "-", "σ": r"\sigma", "°": r"^{\circ}", "≈": r"\approx ", "≤": r"\le ", "…": r"\dots "}
SIGNS |= {"∞": r"\infty ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "×": r"\times ", "_": r"\_", "%": r"\%", "&": r"\&"}


def tex(formula: str) -> str:
    r"""A formula as TeX: dL/dz2 · Fᵀ → \frac{\partial L}{\partial z_{2}} \cdot F^{\top}, e^z2[0] → e^{z_{2}[0]}."""
    tokens = [*read_formula(formula)]
    written = []
    place = 0
    while place < len(tokens):
        if tokens[place].kind == "power":
            end = end_of_power(tokens, place + 1)
            written.append("^{" + "".join(map(_write, tokens[place + 1 : end])) + "}")
            place = end
        else:
            written.append(_write(tokens[place]))
            place += 1
    return "".join(written).strip()


def _write(token: Token) -> str:
    return WRITERS[token.kind](token.text)


def _fraction(text: str) -> str:
    above, below = map(_name, split_fraction(text))
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


def _name(text: str) -> str:
    """Z1 → Z_{1}, F → F, w1[0,0,1,2] → w_{1}[0,0,1,2]."""
    letter, number, index = split_name(text)
    return letter + (f"_{{{number}}}" if number else "") + index.replace("−", "-")


def _number(text: str) -> str:
    digits, e, exponent = text.partition("e")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if e else digits


def _sum(text: str) -> str:
    return rf"\sum_{{{text[2:]}}} " if text[2:] else r"\sum "


WRITERS: dict[Kind, Callable[[str], str]] = {
    "fraction": _fraction,
    "sum": _sum,
    "number": _number,
    "name": _name,
    "function": lambda text: r"\log " if text == "log" else rf"\{text}" if text == "max" else rf"\mathrm{{{text}}}",
    "words": lambda text: rf"\mathrm{{{text}}}" if text.startswith(".") else rf"\text{{ {text} }}",
    "transposed": lambda _: r"^{\top}",
    "sign": lambda text: SIGNS.get(text, {"=": " = ", ",": ", ", "+": " + "}.get(text, text)),
}
