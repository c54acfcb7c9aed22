"""Why a derivative is 0: the entries behind which every way to L is shut, each with the reason.

From an entry whose derivative is exactly 0, all ways along links that are not 0 end before L: at the shut gate of a
relu, at a number that is not its window's maximum, in a rest that no window reads, or at a weight that is 0.
"""

from collections.abc import Iterator
from typing import NamedTuple

from cnncli.network.chain import Chain
from cnncli.network.steps.step import KinkedStep
from cnncli.network.terms import Entry, Values
from cnncli.tracing.local_derivatives import Link, LocalDerivatives


class Blockage(NamedTuple):
    """A place where the way from an entry to L ends."""

    links: tuple[str, ...]  # those that are 0, without which nothing reads the entry: "dA1[0,0,0]/dZ1[0,0,0]"
    reason: str


def find_blockages(chain: Chain, values: Values, entry: Entry) -> Iterator[Blockage]:
    """Every dead end of the ways from the entry, of X, a parameter or a value before L, to L; the nearest first."""
    derivatives = LocalDerivatives(chain, values)
    ahead, seen = [entry], {entry}
    for here in ahead:
        if here.name == chain.output.loss.name:
            continue
        links = list(derivatives.links(here))
        readers = [link.reader for link in links if link.value != 0]
        if not readers:
            yield Blockage(tuple(link.name for link in links), _reason(chain, values, here, links))
        ahead += [reader for reader in readers if reader not in seen]
        seen.update(readers)


def _reason(chain: Chain, values: Values, here: Entry, links: list[Link]) -> str:
    """What shuts the way behind an entry: the choice of a kinked step, or factors that are 0."""
    step = chain.readers.get(here.name)
    if isinstance(step, KinkedStep) or (step and not links):
        return step.explain_gradient(here.name, here.place, [], values).reason
    factors = list(dict.fromkeys(link.reason for link in links))
    named = ", ".join(factors[:3]) + (f" and {len(factors) - 3} more" if factors[3:] else "")
    return f"{named} {'are' if factors[1:] else 'is'} 0"
