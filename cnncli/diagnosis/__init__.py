"""What a wrong gradient is: from what is given and what is right, the simplest thing that explains every case."""

from cnncli.diagnosis.explain import explain
from cnncli.diagnosis.explanation import Explanation

__all__ = ["Explanation", "explain"]
