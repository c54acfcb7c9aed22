"""Why a derivative is 0, for people and for other programs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cnncli.reports.look import Look
from cnncli.reports.trace.lines import Line
from cnncli.tracing.blockages import Blockage

MOST_BLOCKAGES = 8  # that are told


def blockage_documents(blockages: Iterable[Blockage]) -> list[dict[str, Any]]:
    """Each with the links that are 0 and the reason."""
    return [{"links": blockage.links, "reason": blockage.reason} for blockage in blockages]


def blockage_lines(blockages: Sequence[Blockage], look: Look) -> Iterator[Line]:
    """A line for each dead end, the first eight of them unless `full`."""
    shown = blockages if look.full else blockages[:MOST_BLOCKAGES]
    for blockage in shown:
        link = f"{blockage.links[0]} = 0: " if len(blockage.links) == 1 else ""
        yield Line("remark", (f"{link}{blockage.reason}",))
    if len(shown) < len(blockages):
        yield Line("folded", (f"… and {len(blockages) - len(shown):,} more ({look.written('full')} shows them)",))
