"""What a training is told, and its defaults. Nothing here imports NumPy, so that the help is quick."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from cnncli.data.settings import Channels
from cnncli.errors import UsageError
from cnncli.network.architecture import require_whole_numbers
from cnncli.network.engine_names import EngineName
from cnncli.subject.fresh import SEED

OptimiserName = Literal["adam", "adamw", "sgd"]
ScheduleName = Literal["constant", "cosine", "one-cycle"]
RecipeName = Literal["quick", "best"]
ClassWeights = Literal["none", "balanced"]

# What trains well on small image folders without a thought.
DEFAULT_LEARNING_RATE: dict[OptimiserName, float] = {"adam": 0.003, "adamw": 0.003, "sgd": 0.02}
DEFAULT_WARM_UP: dict[ScheduleName, float] = {"constant": 0.0, "cosine": 0.0, "one-cycle": 0.3}
VALIDATION_FRACTION = 0.2


class Augmenting(NamedTuple):
    """A way to change an image, and how much of it there may be."""

    help: str
    default: float = 1.0  # of shift: 0, which stands for a share of the side
    least: float = 1.0
    most: float = 1.0  # as the least where there is nothing to choose


AUGMENTATIONS = {
    "flip": Augmenting("mirror left and right, half of the images"),
    "updown": Augmenting("mirror top and bottom, half of the images"),
    "turn": Augmenting("0 to 3 quarter turns; for square images"),
    "shift": Augmenting("by up to N rows and columns; a sixteenth of the side if not given", 0, 0, 10_000),
    "rotate": Augmenting("by up to N degrees", 15, 0, 180),
    "crop": Augmenting("a part of at least this share of the sides, scaled up", 0.75, 0.1, 1),
    "light": Augmenting("contrast and brightness by up to this share", 0.2, 0, 1),
    "erase": Augmenting("a square of this share of the side, in half of the images", 0.25, 0, 1),
}

# What a number may be: the least, whether it may be that, and what is too much.
LIMITS: dict[str, tuple[float, bool, float]] = {
    "epochs": (1, True, inf),
    "batch_size": (1, True, inf),
    "learning_rate": (0, False, inf),
    "momentum": (0, True, 1),
    "weight_decay": (0, True, inf),
    "warm_up": (0, True, 1),
    "label_smoothing": (0, True, 1),
    "clip_norm": (0, False, inf),
    "early_stop": (1, True, inf),
    "checkpoint_minutes": (0, False, inf),
    "threads": (1, True, inf),
    "image_size": (1, True, 10_001),
    "validation_fraction": (0, False, 1),
    "seed": (0, True, inf),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "recipe": get_args(RecipeName),
    "optimizer": get_args(OptimiserName),
    "schedule": get_args(ScheduleName),
    "class_weights": get_args(ClassWeights),
    "channels": get_args(Channels),
    "engine": get_args(EngineName),
}
WHOLE = ("epochs", "batch_size", "early_stop", "threads", "image_size", "seed")


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training; None where the default depends on the data or on another setting, or for "no".

    `network` holds fields of Architecture under their names, and reaches it unchanged. `augment` holds names of
    AUGMENTATIONS, each with an amount where it is not the default: ("flip", "shift=1"). Raises UsageError for a value
    that is out of range.
    """

    data: Path
    out: Path | None = None
    recipe: RecipeName = "quick"
    epochs: int = 20
    batch_size: int = 32
    optimizer: OptimiserName = "adam"
    learning_rate: float | None = None
    momentum: float = 0.9  # of sgd
    weight_decay: float = 0.0
    schedule: ScheduleName = "constant"
    warm_up: float | None = None  # the share of the steps in which the learning rate rises
    augment: tuple[str, ...] = ()
    label_smoothing: float = 0.0
    class_weights: ClassWeights = "none"
    clip_norm: float | None = None
    early_stop: int | None = None  # epochs without a better one
    network: Mapping[str, Any] = field(default_factory=dict)
    image_size: int | None = None
    channels: Channels = "auto"
    validation_fraction: float | None = None
    seed: int = SEED
    init: Path | None = None
    threads: int | None = None
    engine: EngineName = "auto"
    skip_bad: bool = False
    force: bool = False
    resume: bool = False
    checkpoint_minutes: float | None = None

    def __post_init__(self) -> None:
        for name, (least, included, most) in LIMITS.items():
            value = getattr(self, name)
            if value is None:
                continue
            if type(value) is not int and (name in WHOLE or type(value) is not float):
                raise UsageError(f"is {value!r}, not a {'whole number' if name in WHOLE else 'number'}", argument=name)
            if not (least < value < most or (included and value == least)):
                raise UsageError(f"{value} is out of range: {_describe(least, included, most)}", argument=name)
        for name in ("skip_bad", "force", "resume"):
            if type(getattr(self, name)) is not bool:
                raise UsageError(f"is {getattr(self, name)!r}, not true or false", argument=name)
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"is {getattr(self, name)!r}: it is one of {', '.join(choices)}", argument=name)
        parse_augmentations(self.augment)
        require_whole_numbers(self.network)

    @property
    def balanced(self) -> bool:
        """Whether every class counts alike."""
        return self.class_weights == "balanced"

    @property
    def augmentations(self) -> dict[str, float]:
        """The amount of each augmentation, by its name."""
        return parse_augmentations(self.augment)


OF_THE_CALL = ("data", "out", "force", "resume", "threads", "skip_bad", "checkpoint_minutes")  # change no result


def parse_augmentations(names: tuple[str, ...]) -> dict[str, float]:
    """("flip", "shift=1") → {"flip": 1.0, "shift": 1.0}. Raises UsageError for what is unknown or out of range."""
    amounts = {}
    for text in names:
        name, equals, amount = str(text).partition("=")
        if name not in AUGMENTATIONS:
            raise UsageError(f"{text!r} is unknown: there are {', '.join(AUGMENTATIONS)}", argument="augment")
        kind = AUGMENTATIONS[name]
        try:
            amounts[name] = float(amount) if equals else kind.default
        except ValueError:
            raise UsageError(f"{text!r}: {amount!r} is no number", argument="augment") from None
        if not kind.least <= amounts[name] <= kind.most:
            takes = f"is {kind.least:g} to {kind.most:g}" if kind.least < kind.most else "takes no amount"
            raise UsageError(f"{text!r}: {name} {takes}", argument="augment")
    return amounts


def _describe(least: float, included: bool, most: float) -> str:
    lower = f"at least {least:g}" if included else f"above {least:g}"
    return lower if most == inf else f"{lower} and below {most:g}"
