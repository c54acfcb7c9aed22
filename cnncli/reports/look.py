"""How numbers are shown to people. Nothing here imports NumPy, so that the help is quick."""

from collections.abc import Callable
from dataclasses import dataclass

PRECISION = 4  # decimals


@dataclass(frozen=True)
class Look:
    """How arrays are shown to people."""

    full: bool = False  # nothing is cut
    precision: int = PRECISION
    shades: bool = True  # else two colours for the signs: a terminal of 16 colours has no shades
    edge: int = 3  # rows and columns that are left on each side of a cut
    written: Callable[[str], str] = str  # how the reader writes the arguments "full" and "only"
