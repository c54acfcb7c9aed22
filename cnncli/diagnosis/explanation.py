"""What an explanation is."""

from collections.abc import Callable
from dataclasses import dataclass

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.mistakes import Mistake


@dataclass(frozen=True)
class Explanation:
    """What a wrong gradient is."""

    sentence: str
    certain: bool  # whether it explains all cases to rounding, and nothing else does
    left: float = 0.0  # the largest share of the error that is not explained
    where: str | None = (
        None  # "m > 1": what the cases have in common in which it is wrong; None: all cases are, or none is
    )
    mistake: Mistake | None = None
    hypothesis: Hypothesis | None = None
    factor: Callable[["Evidence"], float] | None = None  # of the hypothesis in any case, where it is for all of them
    spares: bool = False  # whether the hypothesis holds in a part of the cases alone, which `where` describes

    @property
    def text(self) -> str:
        """The sentence with what limits it."""
        cases = f", only where {self.where}" if self.where else ""
        if self.left == 1:
            return f"{self.sentence}{cases}"
        if self.left:
            return f"probably: {self.sentence}{cases} (after that {self.left:.0e} of the error is left)"
        return f"{self.sentence}{cases}" if self.certain else f"probably: {self.sentence}{cases}"


def say(words: str, evidence: Evidence, *, certain: bool, where: str | None = None) -> Explanation:
    """An explanation by a sentence alone; {} in it is the name of the gradient."""
    return Explanation(words.format(evidence.name), certain, where=where)
