"""The forward pass with one entry of one tensor changed: many changed copies in one pass."""

from collections.abc import Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from cnncli.network.arrays import Array, Labels
from cnncli.network.record import Record
from cnncli.network.textbook import Link, Textbook, run

NUMBERS_AT_ONCE = 2_000_000  # that the copies of one pass may hold: bounds the memory to some 100 MB


class Probe:
    """Reruns the chain from one tensor of a record on; everything before it stays as recorded."""

    def __init__(self, textbook: Textbook, record: Record, name: str) -> None:
        """`name` is a parameter, X, or a value of the forward pass up to the logit."""
        self._textbook = textbook
        self._record = record
        self._name = name
        self._m = len(record["y"])
        links = textbook.links
        readers = [index for index, link in enumerate(links) if name in link.parameters]
        self._layer = links[readers[0]] if readers else None
        start = self._layer.output if self._layer else name
        self._rest = (
            links[[link.source for link in links].index(start) :] if start != textbook.architecture.logit else []
        )

    def chunks(self) -> Iterator[Labels]:
        """All flat indices of the tensor, in portions of a bounded size."""
        shapes = self._textbook.architecture.forward_shapes
        images = self._m if self._layer else 1
        numbers = self._record[self._name][0].size + images * sum(prod(shape) for shape in shapes.values())
        size = max(NUMBERS_AT_ONCE // numbers, 1)
        every = np.arange(self._record[self._name].size)
        return (every[first : first + size] for first in range(0, len(every), size))

    def losses(self, entries: Labels, change: complex | Array) -> Array:
        """L after adding `change` to each of `entries` alone: (E,) → (E,).

        For a tensor of the forward pass it is the share of L of the entry's own image: no other image's can change.
        """
        value, image = self._changed(entries, change)
        z = run(self._rest, self._parameters, value)
        losses = self._textbook.output.losses(z, self._record["y"][image])
        shares: Array = losses.reshape(len(entries), -1).sum(axis=1) / self._m
        return shares

    def crosses(self, entries: Labels, change: complex | Array) -> NDArray[np.bool_]:
        """Whether any relu or pooling window chooses otherwise after the change: (E,) → (E,)."""
        value, image = self._changed(entries, change)
        crossed = np.zeros(len(entries), bool)
        for link in self._rest:
            if link.piece:
                before = link.piece(self._record[link.source])
                crossed |= (link.piece(value) != before[image]).reshape(len(entries), -1).any(axis=1)
            value = run([link], self._parameters, value)
        return crossed

    @property
    def _parameters(self) -> dict[str, Array]:
        return {name: self._record[name] for name in self._textbook.architecture.parameter_shapes}

    def _changed(self, entries: Labels, change: complex | Array) -> tuple[Array, Labels]:
        """The value with which the rest of the chain starts, for every copy, and the image that each row belongs to."""
        if self._layer:
            return self._through_layer(self._layer, entries, change), np.tile(np.arange(self._m), len(entries))
        value = self._record[self._name]  # (m, …)
        image, place = np.divmod(entries, value[0].size)
        return _one_changed(value[image], place, change), image

    def _through_layer(self, layer: Link, entries: Labels, change: complex | Array) -> Array:
        """Run a layer with E changed copies of a parameter, as one layer with E times as many outputs: (E·m, N, …)."""
        stacked = []
        for name in layer.parameters:
            value = self._record[name]  # (N, …)
            copies = np.broadcast_to(value, (len(entries), *value.shape))
            if name == self._name:
                copies = _one_changed(copies, entries, change)
            stacked.append(copies.reshape(-1, *value.shape[1:]))  # (E·N, …)
        output = layer.function(self._record[layer.source], *stacked)  # (m, E·N, …)
        outputs = output.reshape(self._m, len(entries), -1, *output.shape[2:]).swapaxes(0, 1)  # (E, m, N, …)
        return outputs.reshape(-1, *outputs.shape[2:])


def _one_changed(copies: Array, places: Labels, change: complex | Array) -> Array:
    """Copies (E, …) with `change` added to one flat place in each."""
    changed = copies.astype(np.result_type(copies, change))
    changed.reshape(len(places), -1)[np.arange(len(places)), places] += change
    return changed
