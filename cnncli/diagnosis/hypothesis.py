"""What a hypothesis is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cnncli.diagnosis.evidence import Arrays, Evidence
from cnncli.diagnosis.mistakes import Mistake
from cnncli.network.arrays import Array


@dataclass(frozen=True)
class Hypothesis:
    """A wrong gradient that is predicted, and what it is in words; {} is the name of the gradient."""

    words: str
    answer: Callable[[Evidence], Array]
    mistake: Mistake | None = None

    def predict(self, evidence: Evidence) -> Arrays | None:
        """What would have been found; None where it says nothing of the case."""
        try:
            with np.errstate(all="ignore"):
                if self.mistake:
                    predicted = evidence.plant(self.mistake)
                else:
                    answer = self.answer(evidence)
                    predicted = evidence.observe(answer) if answer.shape == evidence.products.shape else None
        except (ValueError, LookupError):
            return None
        shapes = predicted and [part.shape for part in predicted]
        return predicted if shapes == [part.shape for part in evidence.right] else None
