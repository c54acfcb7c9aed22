"""What a wrong gradient is: from what is given and what is right, the simplest thing that explains every case."""

from cnncli.diagnosis.explain import Explanation, explain

__all__ = ["Explanation", "explain"]
