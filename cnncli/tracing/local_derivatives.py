"""The links of the chain rule between single entries: what reads an entry, and how strongly.

A link d(reader)/d(read) is one local derivative, taken from the recorded values: a weight, an input, the gate of a
relu, the 1 of a window's winner. From any entry the links lead to L.
"""

from collections.abc import Iterator
from typing import NamedTuple

from cnncli.network.chain import Chain
from cnncli.network.terms import Entry, Values


class Link(NamedTuple):
    """One local derivative."""

    name: str  # "dz2/dF[1]"
    reader: Entry
    value: float
    reason: str  # what the value is


class LocalDerivatives:
    """The links of one image's pass."""

    def __init__(self, chain: Chain, values: Values) -> None:
        self._chain, self._values = chain, values
        output = self._chain.output
        self.readers = {name: step.output.name for name, step in self._chain.readers.items()}  # of every tensor
        if output.reads_at_once(self._values):
            self.readers[output.source.name] = output.loss.name
        else:
            self.readers |= {output.source.name: output.output.name, output.output.name: output.loss.name}

    def links(self, read: Entry) -> Iterator[Link]:
        """The links from one entry to all that read it; some are 0."""
        step = self._chain.readers.get(read.name, self._chain.output)
        for reader in step.readers(read.name, read.place, self._values):
            entry = Entry(self.readers[read.name], reader.place)
            yield Link(f"d{self._label(entry)}/d{self._label(read)}", entry, reader.derivative, reader.reason)

    def _label(self, entry: Entry) -> str:
        return entry.label(self._values[entry.name].shape)
