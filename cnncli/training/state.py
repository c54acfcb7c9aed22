"""Where a training stands between two steps: with the parameters all that is needed to go on as if it never stopped."""

from dataclasses import dataclass, field

from cnncli.training.activity import Activity
from cnncli.training.optimisers import Optimiser


@dataclass(frozen=True)
class Score:
    """Mean loss and share of right answers over a set of images."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Epoch:
    """One row of the history.

    `training` is the mean over the epoch's images, each measured with the parameters of its moment; `gradient_norms` is
    the mean over the epoch's batches of each gradient's Euclidean norm, `update_ratios` the mean of
    ‖change of a parameter‖/‖parameter‖ over some steps of the epoch.
    """

    number: int
    training: Score
    validation: Score
    gradient_norms: dict[str, float]
    update_ratios: dict[str, float]
    activity: Activity
    learning_rate: float  # of the last step
    seconds: float  # spent on the training batches
    images_per_second: float
    judged: Score  # what the best epoch is chosen by: `validation`, or the same with every class counting alike

    @property
    def merit(self) -> tuple[float, float]:
        """What the best epoch has most of: the accuracy, and of equals the smallest loss."""
        return self.judged.accuracy, -self.judged.loss


@dataclass
class Tally:
    """What has been counted in the epoch under way; sums over its images, or over its steps."""

    steps: int = 0
    images: int = 0
    loss: float = 0.0
    correct: int = 0
    seconds: float = 0.0
    norms: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    measured: int = 0  # steps in which the ratios were


@dataclass
class State:
    """The optimiser's memory, the epochs that are done, and the counts of the one under way."""

    optimiser: Optimiser
    history: list[Epoch] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    @property
    def best(self) -> Epoch | None:
        """The best epoch so far, of equals the first."""
        return max(self.history, key=lambda epoch: epoch.merit, default=None)

    @property
    def epochs_since_best(self) -> int:
        """How many epochs brought nothing better."""
        return len(self.history) - (self.best.number if self.best else 0)
