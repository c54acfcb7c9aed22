"""A hand-written vector-Jacobian product against what the function itself does.

First random directions: ⟨vjp(g), d⟩ must be the derivative of ⟨g, f(x + t·d)⟩. Where they differ, halves of the
direction lead to the entries that are wrong. An entry FAILs only if differences in real numbers, with their error bar,
say so too; at a kink it must lie between the one-sided derivatives, and then nobody can tell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnncli.network.arrays import Array
from cnncli.vjp.calls import Function, Misbehaved, as_inputs, read_gradients
from cnncli.vjp.one_input import InputCheck
from cnncli.vjp.result import ON_KINK, Verdict, VjpCheck


def check_vjp(f: Callable[..., Any], vjp: Callable[..., Any], *inputs: Any, seed: int = 0) -> VjpCheck:
    """Check vjp(*inputs, g), the gradient of Σ g·f(*inputs) for each input, against what f does.

    `inputs` are arrays (or numbers) of floating point; those of whole numbers are handed on and not differentiated for.
    f returns one array of any shape, and g has that shape. vjp returns a gradient of the shape of its input, or a tuple
    of them; None stands for one that it does not compute. Raises UsageError for inputs that cannot be differentiated.
    """
    return _Run(Function(f), Function(vjp), as_inputs(inputs), seed).check()


def check_gradient(f: Callable[..., Any], gradient: Callable[..., Any], *inputs: Any, seed: int = 0) -> VjpCheck:
    """Check gradient(*inputs) of a function that returns one number; otherwise as check_vjp. Raises UsageError."""

    def vjp(*given: Array) -> Any:
        *arguments, g = given
        answer = gradient(*arguments)
        if isinstance(answer, tuple | list):
            return tuple(_multiply(part, g) for part in answer)
        return _multiply(answer, g)

    return _Run(Function(f), Function(vjp, named=gradient), as_inputs(inputs), seed).check()


def _multiply(part: Any, g: Array) -> Any:
    """A gradient times g; what is no array of numbers is left as it is."""
    is_number = isinstance(part, int | float | np.ndarray | np.generic) and np.asarray(part).dtype.kind in "fiubc"
    return g * part if is_number else part


@dataclass
class _Run:
    """One check."""

    f: Function
    vjp: Function
    inputs: list[Array]
    seed: int
    parts: list[InputCheck] = field(default_factory=list)

    def check(self) -> VjpCheck:
        try:
            raw, output, again = self.f.array(self.inputs), self.f.real(self.inputs), self.f.real(self.inputs)
        except Misbehaved as error:
            return self._tell("CANNOT TELL", f"nothing was checked: {error}")
        if output.shape != again.shape or not np.array_equal(output, again):
            name = self.f.name
            return self._tell(
                "CANNOT TELL", f"nothing was checked: {name} is random: two calls with the same inputs differ"
            )
        random = np.random.default_rng(self.seed)
        g = np.asarray(random.normal(size=output.shape), raw.dtype if raw.dtype.kind == "f" else np.float64)
        try:
            gradients = self._ask_vjp(g)
        except Misbehaved as error:
            return self._tell("FAIL", str(error))
        if output.size == 0 and any(gradient is not None and gradient.any() for gradient in gradients):
            return self._tell("FAIL", f"{self.f.name} gives nothing, but its gradient is not 0")
        for number, gradient in enumerate(gradients):
            if gradient is not None:
                self.parts.append(InputCheck(self.f, self.inputs, number, gradient, g.astype(np.float64)))
        return self._check_parts(random, empty=output.size == 0)

    def _ask_vjp(self, g: Array) -> list[Array | None]:
        """Its gradients, after a look at its behaviour: twice the same, linear in g. Raises Misbehaved."""
        name = self.vjp.name
        first, doubled, nothing, again = (
            read_gradients(self.vjp([*self.inputs, given]), name, self.inputs) for given in (g, 2 * g, 0 * g, g)
        )
        for number, parts in enumerate(zip(first, doubled, nothing, again, strict=True)):
            one, two, zero, other = (np.zeros(()) if part is None else part for part in parts)
            if not np.array_equal(one, other):
                raise Misbehaved(f"{name} is random or keeps a state: two equal calls differ for input {number}")
            if zero.any():
                raise Misbehaved(f"{name} gives input {number} a gradient where g is 0")
            eps = np.finfo(g.dtype).eps
            if not np.allclose(two, 2 * one, rtol=one.size * eps, atol=one.size * eps * np.abs(one).max(initial=0)):
                raise Misbehaved(f"{name} is not linear in g: twice g does not give twice as much, input {number}")
        return first

    def _check_parts(self, random: np.random.Generator, *, empty: bool) -> VjpCheck:
        failed = []
        for part in self.parts:
            if part.gradient.size and not empty:
                try:
                    part.check(random)
                except Misbehaved as error:
                    failed.append(f"near input {part.number} {error}")
        faulty = [part for part in self.parts if part.wrong or part.together]
        if faulty:
            together = [sentence for part in faulty for sentence in part.together]
            why = "wrong for " + " and ".join(f"input {part.number}" for part in faulty)
            diagnosis = [sentence for part in faulty if part.wrong and (sentence := part.diagnose())]
            return self._tell("FAIL", "; ".join([why, *together]), diagnosis)
        if not failed and any(part.kinks for part in self.parts):
            return self._tell("CANNOT TELL", ON_KINK)
        unclear = [*failed, *(sentence for part in self.parts for sentence in part.unclear)]
        return self._tell("CANNOT TELL", unclear[0]) if unclear else self._tell("PASS", "")

    def _tell(self, verdict: Verdict, why: str, diagnosis: Sequence[str] = ()) -> VjpCheck:
        wrong = [entry for part in self.parts for entry in part.wrong]
        checked = [part for part in self.parts if part.gradient.size]
        exact = checked and all(part.takes_complex for part in checked) if verdict == "PASS" else False
        return VjpCheck(
            verdict,
            why,
            self.vjp.name,
            tuple(f"{array.dtype} {array.shape}" for array in self.inputs),
            self.seed,
            "complex step" if exact else "differences",
            tuple(sorted(wrong, key=lambda entry: -abs(entry.got - entry.want))),
            tuple(kink for part in self.parts for kink in part.kinks),
            tuple(diagnosis),
            sum(part.gradient.size for part in self.parts),
            self.f.calls,
        )
