"""What a mistake is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from cnncli.network.chain import Chain


@dataclass(frozen=True)
class Mistake:
    """A wrong version of the backward function of one kind of step."""

    name: str  # a few words, for a table
    kind: str  # of step: "convolution"
    wrong: Literal["source", "weight", "bias"]  # whose gradient comes out wrong
    sentence: str  # what was done, and what is to be done
    function: Callable[..., Any]  # (step, gradient, source, *parameters) → as step.backward; (step, z, y) → as dL_dz
    convention: str = ""  # what it is called by those who declare it as theirs, if it is one on a kink alone

    def plant(self, chain: Chain) -> Chain:
        """A chain whose backward pass makes this mistake and no other."""
        return replace(chain, exchanged={self.kind: self.function})
