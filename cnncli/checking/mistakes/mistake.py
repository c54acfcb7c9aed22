"""What a mistake is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cnncli.network.textbook import BackwardFunctions


@dataclass(frozen=True)
class Mistake:
    """A wrong version of one backward function."""

    name: str  # a few words, for a table
    function_name: str  # "conv_backward"
    tensor: str  # the derivative that comes out wrong, with i for the number of the block: "dL/dwi"
    sentence: str  # what was done, and what is to be done
    function: Callable[..., Any]

    @property
    def planted(self) -> BackwardFunctions:
        """The functions of a backward pass that makes this mistake and no other."""
        return replace(BackwardFunctions(), **{self.function_name: self.function})
