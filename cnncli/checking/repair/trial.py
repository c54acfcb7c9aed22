"""The process in which edited versions of somebody's functions are tried: what each gives, held against what is right.

A version that computes for too long, or takes too much memory, is wrong like any other.
"""

import __future__

import contextlib
import copy
import io
import pickle
import time
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from cnncli.checking.user_code.child import TooLong, limit_computing, load_file, take_apart, take_pipes
from cnncli.checking.user_code.harmless import limit_memory, refuse_effects
from cnncli.children import read_message, write_message

CLOSE = 1e-9  # of the largest entry: what rounding may make of a right gradient; the full check comes after
FIRST = 2  # wrong cases after which a version that made nothing better is given up

Wanted = Mapping[str, Any]  # the right gradients by the names under which they are returned: "dw1"


def main(file: str) -> None:
    """Load the file, take the cases, then try the versions that are asked for until stdin ends."""
    asked, answers = take_pipes()
    setup = pickle.loads(read_message(asked) or b"")  # noqa: S301  the parent's own
    refuse_effects()
    with contextlib.redirect_stdout(_Nowhere()), np.errstate(all="ignore"):
        try:
            module = load_file(file)
        except BaseException:  # noqa: BLE001  it did not bear to be watched
            return
        write_message(answers, b"loaded")
        limit_memory()
        trials = _Trials(module, *setup)
        while (message := read_message(asked)) is not None:
            shares = trials.try_version(pickle.loads(message))  # noqa: S301
            write_message(answers, repr((shares, time.process_time())).encode())


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


class _Trials:
    """The cases, and how good the function as it stands is in each."""

    def __init__(self, module: ModuleType, name: str, cases: Sequence[tuple[Any, Any, Wanted]], seconds: float) -> None:
        self._module, self._name, self._cases, self._seconds = module, name, cases, seconds
        self._features = _find_features(module)
        self._state = dict(_copy_state(module))
        self._before: list[dict[str, float]] = []
        self._before = self._run_all()

    def try_version(self, statements: Sequence[str]) -> list[dict[str, float]]:
        """The share of right entries of each gradient in each case, as far as it got; [] asks for the file as it is."""
        if not statements:
            return self._before
        kept = dict(vars(self._module))
        try:
            self._begin_anew()
            with limit_computing(self._seconds):
                for statement in statements:
                    exec(compile(statement, "<edited>", "exec", self._features), vars(self._module))  # noqa: S102
            return self._run_all()
        except (Exception, TooLong):  # noqa: BLE001  a version that does not even begin
            return []
        finally:
            vars(self._module).clear()
            vars(self._module).update(kept)

    def _begin_anew(self) -> None:
        """Give the file's own containers back what they held when it was loaded."""
        vars(self._module).update(copy.deepcopy(self._state))

    def _run_all(self) -> list[dict[str, float]]:
        shares: list[dict[str, float]] = []
        wrong, better = 0, False
        for number, case in enumerate(self._cases):
            shares.append(self._run(*case))
            if self._before:
                before = self._before[number]
                wrong += any(share < 1 for share in before.values())
                better = better or any(share > before[name] for name, share in shares[-1].items())
                if not better and wrong >= FIRST:
                    break
        return shares

    def _run(self, arguments: Sequence[Any], options: Mapping[str, Any], wanted: Wanted) -> dict[str, float]:
        try:
            with limit_computing(self._seconds):
                answer = getattr(self._module, self._name)(*copy.deepcopy(arguments), **options)
            arrays, shape = take_apart(answer)
        except (Exception, TooLong):  # noqa: BLE001
            return dict.fromkeys(wanted, 0.0)
        keys = [key for key, _, shape in shape["parts"] if shape is not None]
        given = dict(zip(keys, arrays, strict=True))
        named = given if shape["dict"] else {n: given[str(i)] for i, n in enumerate(wanted) if str(i) in given}
        return {name: _compare(named.get(name), right) for name, right in wanted.items()}


def _find_features(module: ModuleType) -> int:
    """Of its lines "from __future__ import …", as compile takes them."""
    features = (getattr(__future__, name) for name in __future__.all_feature_names)
    return sum(feature.compiler_flag for feature in features if feature in vars(module).values())


def _copy_state(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The file's own containers, but for those that hold what cannot be copied."""
    for name, value in vars(module).items():
        if isinstance(value, dict | list | set | np.ndarray) and not name.startswith("__"):
            with contextlib.suppress(Exception):
                yield name, copy.deepcopy(value)


def _compare(got: Any, right: Any) -> float:
    """The share of entries that are right; 0 of another shape or kind."""
    if right is None:
        return 1.0
    if got is None or got.shape != right.shape or got.dtype != right.dtype:
        return 0.0
    size = np.abs(right).max(initial=0)
    return float(np.mean(np.abs(got - right) <= CLOSE * size)) if right.size else 1.0
