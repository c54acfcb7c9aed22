"""Somebody else's functions, called with care: what they raise, change or return is told in a sentence."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.exceptions import ComplexWarning

from cnncli.errors import UsageError
from cnncli.network.arrays import Array
from cnncli.text import count, printable

OURS = str(Path(__file__).parents[1])
NOTHING = "returns nothing (None): is a return missing?"


class Misbehaved(Exception):
    """A call that gave nothing that could be checked; the text says what it did."""


def as_inputs(inputs: Sequence[Any]) -> list[Array]:
    """The inputs as NumPy arrays. Raises UsageError for what no derivative is taken of."""
    arrays = [np.asarray(value) for value in inputs]
    if not arrays:
        raise UsageError("there is no input: give at least one array")
    for number, array in enumerate(arrays):
        if array.dtype.kind == "c":
            raise UsageError(f"input {number} is {array.dtype}: give its real and imaginary parts as two real inputs")
        if array.dtype.kind not in "fiub":
            raise UsageError(f"input {number} is {array.dtype}: give an array of numbers")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise UsageError(f"input {number} holds NaN or infinity: there is no derivative there")
    if not any(array.dtype.kind == "f" for array in arrays):
        raise UsageError("no input is of floating point: there is nothing to differentiate for")
    return arrays


class Function:
    """f, called with copies: an array of the user's is never written to."""

    def __init__(self, f: Callable[..., Any], *, named: Callable[..., Any] | None = None) -> None:
        self._f, self.calls = f, 0
        self.name = _name(named or f)

    def __call__(self, arguments: Sequence[Array]) -> Any:
        """What it returns. Raises Misbehaved where it raises, or writes into an argument."""
        given = [array.copy() for array in arguments]
        self.calls += 1
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore", ComplexWarning)  # what drops an imaginary part is found by its result
                answer = self._f(*given)
        except Exception as error:  # noqa: BLE001  whatever a person's code raises is reported
            text = f": {printable(error)}" if str(error) else ""
            raise Misbehaved(f"{self.name} raises {type(error).__name__}{_locate(error)}{text}") from None
        for number, (now, before) in enumerate(zip(given, arguments, strict=True)):
            if now.shape != before.shape or not np.array_equal(now, before, equal_nan=before.dtype.kind in "fc"):
                raise Misbehaved(f"{self.name} writes into its argument {number}: work on a copy")
        return answer

    def array(self, arguments: Sequence[Array]) -> Array:
        """What it returns, as an array of real or complex numbers. Raises Misbehaved for anything else."""
        answer = self(arguments)
        if answer is None:
            raise Misbehaved(f"{self.name} {NOTHING}")
        try:
            array = np.array(answer)  # a copy: it may be a buffer that is used again
        except Exception:  # noqa: BLE001
            raise Misbehaved(f"{self.name} returns a {type(answer).__name__} instead of an array") from None
        if array.dtype.kind not in "fciub":
            raise Misbehaved(f"{self.name} returns {_describe(answer)} instead of an array of numbers")
        return array

    def real(self, arguments: Sequence[Array]) -> Array:
        """What it returns, in float64. Raises Misbehaved for complex numbers, and for what is not finite."""
        array = self.array(arguments)
        if array.dtype.kind == "c":
            raise Misbehaved(f"{self.name} returns complex numbers for real inputs")
        if not np.isfinite(array).all():
            raise Misbehaved(f"{self.name} returns NaN or infinity")
        return array.astype(np.float64)


def read_gradients(answer: Any, name: str, inputs: Sequence[Array]) -> list[Array | None]:
    """One gradient of each input; None for those of whole numbers, and where the vjp gives None.

    Raises Misbehaved for a wrong number of gradients, a wrong shape, complex numbers, and what is not finite.
    """
    if answer is None:
        raise Misbehaved(f"{name} {NOTHING}")
    parts = list(answer) if isinstance(answer, tuple | list) else [answer]
    floating = [number for number, array in enumerate(inputs) if array.dtype.kind == "f"]
    if len(parts) == len(inputs):
        places = list(range(len(inputs)))
    elif len(parts) == len(floating):
        places = floating
    else:
        given, wanted = count(len(parts), "gradient", "gradients"), count(len(inputs), "input", "inputs")
        raise Misbehaved(f"{name} returns {given} for {wanted}")
    gradients: list[Array | None] = [None] * len(inputs)
    for number, part in zip(places, parts, strict=True):
        if number in floating and part is not None:
            gradients[number] = _read_gradient(part, name, number, inputs[number].shape)
    if all(gradient is None for gradient in gradients):
        raise Misbehaved(f"{name} returns no gradient")
    return gradients


def _read_gradient(part: Any, name: str, number: int, shape: tuple[int, ...]) -> Array:
    try:
        gradient = np.array(part)
    except Exception:  # noqa: BLE001
        raise Misbehaved(f"{name} returns a {type(part).__name__} for input {number}") from None
    if gradient.dtype.kind not in "fiub":
        raise Misbehaved(f"{name} returns {_describe(part)} for input {number}, instead of real numbers")
    if gradient.shape != shape:
        raise Misbehaved(f"{name} returns the shape {gradient.shape} for input {number}, which has the shape {shape}")
    odd = ~np.isfinite(gradient)
    if odd.any():
        index = tuple(int(i) for i in np.argwhere(odd)[0])
        raise Misbehaved(f"{name} returns {gradient[index]} for input {number} at {list(index)}")
    return gradient.astype(np.float64)


def _name(f: Callable[..., Any]) -> str:
    name = str(getattr(f, "__qualname__", type(f).__name__)).rpartition("<locals>.")[2]
    return "the function" if name == "<lambda>" else name


def _describe(answer: Any) -> str:
    dtype = getattr(answer, "dtype", None)
    return str(dtype) if dtype is not None else f"a {type(answer).__name__}"


def _locate(error: BaseException) -> str:
    """The line of the person's own code that raised."""
    where, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(OURS) and "site-packages" not in code.co_filename:
            where = f" in line {trace.tb_lineno} of {code.co_name}"
        trace = trace.tb_next
    return where
