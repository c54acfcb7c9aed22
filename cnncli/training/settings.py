"""What a training is told, and its defaults. Nothing here imports NumPy, so that the help is quick."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cnncli.data.settings import Channels
from cnncli.network.engine_names import EngineName
from cnncli.subject.fresh import SEED

OptimiserName = Literal["adam", "sgd"]

# What trains well on small image folders without a thought.
DEFAULT_LEARNING_RATE: dict[OptimiserName, float] = {"adam": 0.003, "sgd": 0.02}
VALIDATION_FRACTION = 0.2


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training; None where the default depends on the data or on another setting.

    `network` holds fields of Architecture under their names, and reaches it unchanged.
    """

    data: Path
    out: Path | None = None
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float | None = None
    optimizer: OptimiserName = "adam"
    network: Mapping[str, Any] = field(default_factory=dict)
    image_size: int | None = None
    channels: Channels = "auto"
    validation_fraction: float | None = None
    seed: int = SEED
    threads: int | None = None
    engine: EngineName = "auto"
    skip_bad: bool = False
    force: bool = False
