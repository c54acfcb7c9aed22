"""The links of the chain rule between single entries: what reads an entry, and how strongly.

A link d(reader)/d(read) is one local derivative, taken from the recorded values: a weight, an input, the gate of a
relu, the 1 of a window's winner. From any entry the links lead to L.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from cnncli.network.pooling import maxpool_backward
from cnncli.tracing.entries import Entry, Index
from cnncli.tracing.trace import Trace


@dataclass(frozen=True)
class Link:
    """One local derivative."""

    name: str  # "dz2/dF[1]"
    reader: Entry
    value: float
    reason: str  # what the value is


class Reading(NamedTuple):
    """The tensor that reads another, and the links from one entry to the entries of it."""

    reader: str
    links: Callable[[Index], Iterator[Link]]


class LocalDerivatives:
    """The links of a trace."""

    def __init__(self, trace: Trace) -> None:
        architecture = trace.subject.architecture
        self._pool = architecture.pool
        self._values = {step.name: step.value for step in trace.steps}
        self._won = {
            i: maxpool_backward(self._values[f"A{i}"][None], np.ones((1, *self._values[f"P{i}"].shape)), self._pool)[0]
            for i in architecture.blocks
        }  # 1 at each window's winner, else 0: (N, h, w)
        self.readings: dict[str, Reading] = {}
        for i in architecture.blocks:
            self.readings |= self._block(i, architecture.block_input(i))
        self.readings |= self._dense(architecture.dense)
        self.readings |= self._output(architecture.logit, architecture.probability)

    def _block(self, i: int, P: str) -> dict[str, Reading]:
        Z, A, w = f"Z{i}", f"A{i}", f"w{i}"
        return {
            P: Reading(Z, partial(self._convolved, P, i)),
            w: Reading(Z, partial(self._weighing, P, i)),
            f"b{i}": Reading(Z, partial(self._everywhere, i)),
            Z: Reading(A, lambda zij: self._one((Z, zij), (A, zij), (f"d{A}/d{Z}", zij), f"1 where {Z} > 0")),
            A: Reading(f"P{i}", partial(self._pooled, i)),
        }

    def _dense(self, i: int) -> dict[str, Reading]:
        P, w, b, z = f"P{i - 1}", f"w{i}", f"b{i}", f"z{i}"
        shape = self._values[P].shape

        def flattened(place: Index) -> Iterator[Link]:
            yield self._link(
                (P, place), ("F", (int(np.ravel_multi_index(place, shape)),)), 1.0, "flatten only moves it"
            )

        def read(d: Index) -> Iterator[Link]:
            for k in range(len(self._values[z])):
                yield from self._one(("F", d), (z, (k,)), (w, (k, *d)))

        return {
            P: Reading("F", flattened),
            "F": Reading(z, read),
            w: Reading(z, lambda kd: self._one((w, kd), (z, kd[:1]), ("F", kd[1:]))),
            b: Reading(z, lambda k: iter([self._link((b, k), (z, k), 1.0, "a bias is added")])),
        }

    def _output(self, z: str, A: str) -> dict[str, Reading]:
        dA_dz, dL_dA = self._values[f"d{A}/d{z}"], self._values[f"dL/d{A}"]
        if not np.isfinite(dL_dA).all() or not dA_dz.any():
            # σ saturates: 1/0 and 0, whose product is known in closed form.
            closed = "both links at once: A is 0 or 1 to the last bit"
            return {z: Reading("L", lambda k: self._one((z, k), ("L", ()), (f"dL/d{z}", k), closed))}
        jacobian = dA_dz.reshape(len(dL_dA), len(dL_dA))  # (K, K): the sigmoid's is one number

        def answers(k: Index) -> Iterator[Link]:
            for j in np.flatnonzero(dL_dA).tolist():
                reason = f"{A}·(1 − {A})" if len(dL_dA) == 1 else "from the softmax"
                yield self._link((z, k), (A, (j,)), float(jacobian[(j, *k)]), reason)

        return {
            z: Reading(A, answers),
            A: Reading("L", lambda j: self._one((A, j), ("L", ()), (f"dL/d{A}", j), "the cross-entropy")),
        }

    def _convolved(self, P: str, i: int, index: Index) -> Iterator[Link]:
        """An input reaches Z[n,r-u,s-v] through w[n,c,u,v]."""
        c, r, s = index
        _, h, width = self._values[f"Z{i}"].shape
        N, _, k, _ = self._values[f"w{i}"].shape
        for n, u, v in np.ndindex(N, k, k):
            if 0 <= r - u < h and 0 <= s - v < width:
                yield from self._one((P, index), (f"Z{i}", (n, r - u, s - v)), (f"w{i}", (n, c, u, v)))

    def _weighing(self, P: str, i: int, index: Index) -> Iterator[Link]:
        """A weight meets P[c,r+u,s+v] at every position (r, s) of its filter."""
        n, c, u, v = index
        for r, s in np.ndindex(self._values[f"Z{i}"].shape[1:]):
            yield from self._one((f"w{i}", index), (f"Z{i}", (n, r, s)), (P, (c, r + u, s + v)))

    def _everywhere(self, i: int, index: Index) -> Iterator[Link]:
        for place in np.ndindex(self._values[f"Z{i}"].shape[1:]):
            yield self._link((f"b{i}", index), (f"Z{i}", (*index, *place)), 1.0, "a bias is added")

    def _pooled(self, i: int, index: Index) -> Iterator[Link]:
        n, r, s = index
        if self._won[i][index]:
            window = (n, r // self._pool, s // self._pool)
            yield self._link((f"A{i}", index), (f"P{i}", window), 1.0, "the window's maximum")

    def _one(
        self, read: tuple[str, Index], reader: tuple[str, Index], source: tuple[str, Index], reason: str = ""
    ) -> Iterator[Link]:
        """A link with the value of a recorded entry, unless that is zero."""
        value = float(self._values[source[0]][source[1]])
        if value:
            yield self._link(read, reader, value, reason or self._label(*source))

    def _link(self, read: tuple[str, Index], reader: tuple[str, Index], value: float, reason: str) -> Link:
        return Link(f"d{self._label(*reader)}/d{self._label(*read)}", Entry(*reader), value, reason)

    def _label(self, name: str, index: Index) -> str:
        return Entry(name, index).label(self._values[name].shape)
