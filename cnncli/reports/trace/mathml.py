"""The record's formulas as MathML, in the part of it that all browsers draw (MathML Core)."""

from collections.abc import Callable
from html import escape

from cnncli.reports.trace.tokens import Kind, Token, end_of_power, read_formula, split_fraction, split_name


def mathml(name: str, formula: str) -> str:
    """The equation of a value: dL/dz2 · Fᵀ becomes a fraction, a dot and F with a raised T."""
    return mathml_of(f"{name} = {formula}" if formula else name)


def mathml_of(formula: str) -> str:
    """A formula, or a number, as one element."""
    return f"<math>{''.join(_atoms([*read_formula(formula)]))}</math>"


def _atoms(tokens: list[Token]) -> list[str]:
    atoms: list[str] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.kind == "transposed":
            atoms.append(f"<msup>{atoms.pop()}<mo>⊤</mo></msup>")
        elif token.kind == "power":
            end = end_of_power(tokens, place + 1)
            raised = "".join(_atoms(tokens[place + 1 : end]))
            atoms.append(f"<msup>{atoms.pop()}<mrow>{raised}</mrow></msup>")
            place = end - 1
        elif token.text in "-−" and _is_sign(tokens, place):
            atoms.append('<mo form="prefix">−</mo>')
        else:
            atoms.append(_write(token))
        place += 1
    return atoms


def _is_sign(tokens: list[Token], place: int) -> bool:
    """Whether a minus there is the sign of what follows, and nothing is taken from what stands before it."""
    before = tokens[place - 1] if place else None
    return before is None or (before.kind == "sign" and before.text not in ")]°")


def _write(token: Token) -> str:
    return WRITERS[token.kind](token.text)


def _fraction(text: str) -> str:
    above, below = (f"<mrow><mo>∂</mo>{_name(part)}</mrow>" for part in split_fraction(text))
    return f"<mfrac>{above}{below}</mfrac>"


def _name(text: str) -> str:
    """Z1 with a lowered 1, F, w1[0,0] with its index behind it."""
    letter, number, index = split_name(text)
    name = f"<msub><mi>{letter}</mi><mn>{number}</mn></msub>" if number else f"<mi>{letter}</mi>"
    return name + (f"<mtext>{escape(index)}</mtext>" if index else "")


def _sum(text: str) -> str:
    return f"<munder><mo>∑</mo><mi>{text[2:]}</mi></munder>" if text[2:] else "<mo>∑</mo>"


def _sign(text: str) -> str:
    stretchy = ' stretchy="false"' if text in "()[]" else ""
    return f"<mo{stretchy}>{escape(text)}</mo>"


WRITERS: dict[Kind, Callable[[str], str]] = {
    "fraction": _fraction,
    "sum": _sum,
    "number": lambda text: f"<mn>{text}</mn>",
    "name": _name,
    "function": lambda text: f"<mi>{text}</mi>",
    "words": lambda text: (
        f"<mtext>{text}</mtext>" if text.startswith(".") else f"<mtext>&nbsp;{escape(text)}&nbsp;</mtext>"
    ),
    "sign": _sign,
}
