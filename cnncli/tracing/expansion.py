"""Where one entry comes from: the formula that made it, with the recorded numbers that went into it.

Every entry is a sum of terms, most of a single one. A term is a small formula with a place {} for each recorded entry
that it reads, so that it can be written with their names or with their numbers. The values of the terms are worked out
here from those numbers alone; that they add up to what the network computed is what the tests hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from cnncli.network.pooling import winners
from cnncli.tracing.entries import Entry, Index
from cnncli.tracing.output_terms import sigmoid_rules, softmax_rules
from cnncli.tracing.terms import Factor, Made, Term, product_of
from cnncli.tracing.trace import Trace


class Window(NamedTuple):
    """A pooling window and its winner."""

    factors: tuple[Factor, ...]  # s² entries of A, row by row
    winner: int


@dataclass(frozen=True)
class Expansion:
    """One entry, explained."""

    entry: Entry
    label: str  # "dL/dw1[0,0,1,2]"
    value: float  # as recorded
    formula: str  # in symbols, for this entry
    terms: tuple[Term, ...]  # what is added up; none for what was given
    reason: str  # why, where the formula does not say it
    window: Window | None  # where the entry depends on the choice of a pooling window

    @property
    def total(self) -> float:
        """The sum of the terms."""
        return sum(term.value for term in self.terms)


class Expander:
    """Explains entries of a trace."""

    def __init__(self, trace: Trace) -> None:
        self._architecture = trace.subject.architecture
        self._values = {step.name: step.value for step in trace.steps}
        self._places = {
            i: winners(self._values[f"A{i}"][None], self._architecture.pool)[0]  # (N, p, q)
            for i in self._architecture.blocks
        }
        self._rules = self._all_rules()

    def expand(self, entry: Entry) -> Expansion:
        """The entry with the terms that it is the sum of."""
        made = self._rules[entry.name](entry.place)
        value = float(self._values[entry.name][entry.place])
        window = self._window_of(entry)
        return Expansion(entry, self._label(*entry), value, made.formula, tuple(made.terms), made.reason, window)

    def _all_rules(self) -> dict[str, Callable[[Index], Made]]:
        architecture = self._architecture
        rules: dict[str, Callable[[Index], Made]] = {
            name: partial(self._given, name) for name in ("X", "y", *architecture.parameter_shapes)
        }
        for i in architecture.blocks:
            rules |= self._block_rules(i)
        rules |= self._dense_rules(architecture.dense)
        ends = sigmoid_rules if architecture.outputs == 1 else softmax_rules
        return rules | ends(self._values, architecture.logit, architecture.probability)

    def _block_rules(self, i: int) -> dict[str, Callable[[Index], Made]]:
        return {
            f"Z{i}": partial(self._conv, i),
            f"A{i}": partial(self._relu, i),
            f"P{i}": partial(self._maxpool, i),
            f"dL/dA{i}": partial(self._maxpool_backward, i),
            f"dA{i}/dZ{i}": partial(self._gate, i),
            f"dL/dZ{i}": partial(self._relu_backward, i),
            f"dL/dw{i}": partial(self._conv_weight, i),
            f"dL/db{i}": partial(self._conv_bias, i),
            f"dL/d{self._architecture.block_input(i)}": partial(self._conv_input, i),
        }

    def _dense_rules(self, i: int) -> dict[str, Callable[[Index], Made]]:
        w, b, z, dz = f"w{i}", f"b{i}", f"z{i}", f"dL/dz{i}"
        P = f"P{i - 1}"
        shape = self._values[P].shape

        def flattened(index: Index) -> Index:
            return (int(np.ravel_multi_index(index, shape)),)

        def unflattened(index: Index) -> Index:
            return tuple(map(int, np.unravel_index(index[0], shape)))

        def dense(index: Index) -> Made:
            (k,) = index
            terms = [self._product((w, (k, d)), ("F", (d,))) for d in range(self._values["F"].size)]
            return Made(f"Σ_d {w}[{k},d]·F[d] + {self._label(b, (k,))}", [*terms, self._product((b, (k,)))])

        def dense_input(index: Index) -> Made:
            (d,) = index
            terms = [self._product((w, (k, d)), (dz, (k,))) for k in range(self._values[z].size)]
            return Made("" if len(terms) == 1 else f"Σ_k {w}[k,{d}]·{dz}[k]", terms)

        return {
            "F": lambda d: Made("", [self._product((P, unflattened(d)))], "flatten only moves it"),
            z: dense,
            f"dL/d{w}": lambda kd: Made("", [self._product((dz, kd[:1]), ("F", kd[1:]))]),
            f"dL/d{b}": lambda k: Made("", [self._product((dz, k))], f"d{z}/d{b} = 1"),
            f"d{z}/dF": lambda kd: Made("", [self._product((w, kd))], f"F is multiplied by {w}"),
            "dL/dF": dense_input,
            f"dL/d{P}": lambda p: Made("", [self._product(("dL/dF", flattened(p)))], "flatten only moved it"),
        }

    def _given(self, name: str, index: Index) -> Made:
        if name in ("X", "y"):
            return Made("", [], "given: " + ("the image" if name == "X" else "the true class"))
        return Made("", [], f"given: a parameter; what L thinks of it is {self._label(f'dL/d{name}', index)}")

    def _conv(self, i: int, index: Index) -> Made:
        n, r, s = index
        P, w, b = self._architecture.block_input(i), f"w{i}", f"b{i}"
        _, C, k, _ = self._values[w].shape
        terms = [
            self._product((P, (c, r + u, s + v)), (w, (n, c, u, v)))
            for c in range(C)
            for u in range(k)
            for v in range(k)
        ]
        sums, c = ("Σ_c Σ_u Σ_v", "c") if C > 1 else ("Σ_u Σ_v", "0")
        formula = f"{sums} {P}[{c},{_moved('u', r)},{_moved('v', s)}]·{w}[{n},{c},u,v] + {self._label(b, (n,))}"
        return Made(formula, [*terms, self._product((b, (n,)))])

    def _relu(self, i: int, index: Index) -> Made:
        Z = self._factor(f"Z{i}", index)
        reason = "it is positive: relu lets it through" if Z.value > 0 else "it is not positive: relu makes it 0"
        return Made("", [Term("max({}, 0)", (Z,), max(Z.value, 0.0))], reason)

    def _maxpool(self, i: int, index: Index) -> Made:
        factors, winner = self._window(i, index)
        equals = sum(factor.value == factors[winner].value for factor in factors)
        reason = f"the winner is {factors[winner].label}"
        if equals > 1:
            reason += f", the first of {equals} equal ones"
        template = "max(" + ", ".join("{}" for _ in factors) + ")"
        return Made("", [Term(template, factors, max(factor.value for factor in factors))], reason)

    def _maxpool_backward(self, i: int, index: Index) -> Made:
        A = self._factor(f"A{i}", index)
        window = self._window_of(Entry(f"dL/dA{i}", index))
        if window is None:
            return Made("", [Term("0", (), 0.0)], f"{A.label} lies in the rest that fills no window: nobody read it")
        winner = window.factors[window.winner]
        if winner.label == A.label:
            n, r, s = index
            P = (n, r // self._architecture.pool, s // self._architecture.pool)
            return Made("", [self._product((f"dL/dP{i}", P))], f"{A.label} is the maximum of its window")
        why = (
            f"equals the maximum of its window, but {winner.label} comes first and takes all"
            if winner.value == A.value
            else f"is not the maximum of its window, {winner.label} is"
        )
        return Made("", [Term("0", (), 0.0)], f"{A.label} {why}")

    def _gate(self, i: int, index: Index) -> Made:
        Z = self._factor(f"Z{i}", index)
        if Z.value > 0:
            return Made("", [Term("1, because {} > 0", (Z,), 1.0)])
        return Made("", [Term("0, because {} ≤ 0", (Z,), 0.0)])

    def _relu_backward(self, i: int, index: Index) -> Made:
        Z = self._factor(f"Z{i}", index)
        reason = f"the gate of {Z.label} is {'open: it is positive' if Z.value > 0 else 'shut: it is not positive'}"
        return Made("", [self._product((f"dL/dA{i}", index), (f"dA{i}/dZ{i}", index))], reason)

    def _conv_weight(self, i: int, index: Index) -> Made:
        n, c, u, v = index
        P, dZ = self._architecture.block_input(i), f"dL/dZ{i}"
        _, h, width = self._values[dZ].shape
        terms = [self._product((dZ, (n, r, s)), (P, (c, r + u, s + v))) for r in range(h) for s in range(width)]
        return Made(f"Σ_i Σ_j {dZ}[{n},i,j]·{P}[{c},{_moved('i', u)},{_moved('j', v)}]", terms)

    def _conv_bias(self, i: int, index: Index) -> Made:
        (n,) = index
        dZ = f"dL/dZ{i}"
        _, h, width = self._values[dZ].shape
        terms = [self._product((dZ, (n, r, s))) for r in range(h) for s in range(width)]
        return Made(f"Σ_i Σ_j {dZ}[{n},i,j]", terms, "every position added the bias once")

    def _conv_input(self, i: int, index: Index) -> Made:
        c, r, s = index
        dZ, w = f"dL/dZ{i}", f"w{i}"
        N, h, width = self._values[dZ].shape
        k = self._architecture.kernel
        terms = [
            self._product((dZ, (n, r - u, s - v)), (w, (n, c, u, v)))
            for n in range(N)
            for u in range(k)
            for v in range(k)
            if 0 <= r - u < h and 0 <= s - v < width
        ]
        sums, n = ("Σ_n Σ_u Σ_v", "n") if N > 1 else ("Σ_u Σ_v", "0")
        formula = f"{sums} {dZ}[{n},{r}−u,{s}−v]·{w}[{n},{c},u,v]"
        return Made(formula, terms, f"over the {len(terms)} products in which it was read")

    def _window_of(self, entry: Entry) -> Window | None:
        """The window that decides about an entry of P or dL/dA; none in the rest that fills no window."""
        s = self._architecture.pool
        for i in self._architecture.blocks:
            if entry.name == f"P{i}":
                return self._window(i, entry.place)
            if entry.name == f"dL/dA{i}":
                n, r, q = entry.place
                _, p, width = self._values[f"P{i}"].shape
                return self._window(i, (n, r // s, q // s)) if r < p * s and q < width * s else None
        return None

    def _window(self, i: int, place: Index) -> Window:
        n, r, q = place
        s = self._architecture.pool
        factors = tuple(self._factor(f"A{i}", (n, s * r + a, s * q + b)) for a in range(s) for b in range(s))
        return Window(factors, int(self._places[i][place]))

    def _product(self, *entries: tuple[str, Index]) -> Term:
        return product_of(self._factor(name, index) for name, index in entries)

    def _factor(self, name: str, index: Index) -> Factor:
        return Factor.of(self._values, name, index)

    def _label(self, name: str, index: Index) -> str:
        return Entry(name, index).label(self._architecture.shapes[name])


def _moved(letter: str, by: int) -> str:
    """The letter of an index, moved: "u", "u+1"."""
    return f"{letter}+{by}" if by else letter
