"""The record's formulas as MathML, in the part of it that all browsers draw (MathML Core)."""

import re
from html import escape

TOKENS = re.compile(
    r"d(?P<above>[A-Za-z]\d*)/d(?P<below>[A-Za-z]\d*)"
    r"|(?P<name>(?<![A-Za-z])[A-Za-z]\d*(?![A-Za-z\d']))"
    r"|(?P<words>\.?[A-Za-z]{2,}(?:'s)?(?: [a-z]{2,}(?:'s)?)*)"
    r"|(?P<number>\d+°?)"
    r"|(?P<transposed>ᵀ)"
    r"|(?P<sign>[^\sA-Za-z\d])"
)


def mathml(name: str, formula: str) -> str:
    """The equation of a value: dL/dz2 · Fᵀ becomes a fraction, a dot and F with a raised T."""
    equation = f"{name} = {formula}" if formula else name
    atoms: list[str] = []
    for match in TOKENS.finditer(equation):
        if match["transposed"]:
            atoms.append(f"<msup>{atoms.pop()}<mo>⊤</mo></msup>")
        else:
            atoms.append(_atom(match))
    return f"<math>{''.join(atoms)}</math>"


def _atom(match: re.Match[str]) -> str:
    if match["above"]:
        above, below = (f"<mrow><mo>∂</mo>{_name(match[part])}</mrow>" for part in ("above", "below"))
        return f"<mfrac>{above}{below}</mfrac>"
    if match["name"]:
        return _name(match["name"])
    if match["words"]:
        words = match["words"]
        function = match.string[match.end() : match.end() + 1] == "(" or words == "log"
        return f"<mi>{words}</mi>" if function else f"<mtext>&nbsp;{escape(words)}&nbsp;</mtext>"
    if match["number"]:
        return f"<mn>{match['number']}</mn>"
    stretchy = ' stretchy="false"' if match["sign"] in "()[]" else ""
    return f"<mo{stretchy}>{escape(match['sign'])}</mo>"


def _name(name: str) -> str:
    """Z1 with a lowered 1, F."""
    return f"<msub><mi>{name[0]}</mi><mn>{name[1:]}</mn></msub>" if name[1:] else f"<mi>{name}</mi>"
