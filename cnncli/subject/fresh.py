"""A network that is made on the spot, and its defaults. Nothing here imports NumPy, so that the help is quick."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, get_args

from cnncli.data.settings import Channels
from cnncli.errors import UsageError
from cnncli.network.architecture import Architecture

IMAGE_SIZE = 12  # of random numbers
SEED = 0


@dataclass(frozen=True)
class FreshNetwork:
    """What was chosen of a network; the rest has defaults. None where nothing was chosen.

    `network` holds fields of Architecture under their names, and reaches it unchanged.
    """

    network: Mapping[str, Any] = field(default_factory=dict)
    image_size: int | None = None
    channels: Channels | None = None
    classes: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("image_size", 1), ("seed", 0)):
            number = getattr(self, name)
            if number is not None and (not isinstance(number, Integral) or number < least):
                raise UsageError(f"is {number!r}, not a whole number of at least {least}", argument=name)
        if self.channels not in (None, *get_args(Channels)):
            raise UsageError(f"is {self.channels!r}: it is one of {', '.join(get_args(Channels))}", argument="channels")

    @classmethod
    def of(cls, chosen: Mapping[str, Any]) -> "FreshNetwork":
        """The network of fields of Architecture and of this class, by name. Raises UsageError for any other name."""
        own = [name for name in cls.__dataclass_fields__ if name != "network"]
        fields = [name for name in Architecture.__dataclass_fields__ if name not in (*own, "height", "width")]
        if unknown := sorted(chosen.keys() - {*own, *fields}):
            raise UsageError(f"cannot be chosen of a network: there are {', '.join(fields + own)}", argument=unknown[0])
        return cls(
            {name: value for name, value in chosen.items() if name in fields},
            **{name: value for name, value in chosen.items() if name in own},
        )

    @property
    def given(self) -> list[str]:
        """The names of what was chosen."""
        others = ("image_size", "channels", "classes", "seed")
        return [*self.network, *(name for name in others if getattr(self, name) is not None)]

    @property
    def filters(self) -> tuple[int, ...] | None:
        """The filters of each block, where they were chosen."""
        return self.network.get("filters")

    def architecture(self, height: int, width: int, channels: int) -> Architecture:
        """The architecture for images of a size; what was not chosen is Architecture's default."""
        chosen = dict(self.network) if self.classes is None else {**self.network, "classes": self.classes}
        return Architecture(height, width, channels, **chosen)
