"""What a report is about: answers on images, and the run that made the model, where there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnncli.model import Model
from cnncli.training.evaluation import Evaluation


@dataclass(frozen=True)
class ReportSubject:
    """A model, its answers, and what its run folder tells."""

    title: str
    model: Model
    evaluation: Evaluation
    history: Sequence[Mapping[str, str]] = ()  # the rows of history.csv
    settings: Mapping[str, Any] = field(default_factory=dict)  # settings.json
