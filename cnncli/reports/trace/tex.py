"""The record's formulas as TeX, in the part of it that pdflatex with amsmath and GitHub's Markdown both read."""

import re

TOKENS = re.compile(
    r"d(?P<above>[A-Za-z]\d*)/d(?P<below>[A-Za-z]\d*)"
    r"|(?P<name>\b[A-Za-z]\d*\b(?!'))"
    r"|(?P<words>\.?[A-Za-z]{2,}(?:'s)?(?: [a-z]{2,}(?:'s)?)*)"
    r"|(?P<sign>[·−Σσᵀ°])"
)
SIGNS = {"·": r"\cdot ", "−": "-", "Σ": r"\sum ", "σ": r"\sigma", "ᵀ": r"^{\top}", "°": r"^{\circ}"}


def tex(formula: str) -> str:
    r"""A formula as TeX: dL/dz2 · Fᵀ → \frac{\partial L}{\partial z_{2}} \cdot F^{\top}."""
    return TOKENS.sub(_token, formula)


def _token(match: re.Match[str]) -> str:
    if match["above"]:
        return rf"\frac{{\partial {_name(match['above'])}}}{{\partial {_name(match['below'])}}}"
    if match["name"]:
        return _name(match["name"])
    if match["sign"]:
        return SIGNS[match["sign"]]
    words = match["words"]
    if words == "log":
        return r"\log "
    if match.string[match.end() : match.end() + 1] == "(":
        return rf"\mathrm{{{words}}}"
    return rf"\text{{ {words} }}"


def _name(name: str) -> str:
    """Z1 → Z_{1}, F → F."""
    return f"{name[0]}_{{{name[1:]}}}" if name[1:] else name
