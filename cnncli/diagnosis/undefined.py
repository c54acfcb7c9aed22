"""Answers with entries that are no finite numbers: which entries they are, in words."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from cnncli.diagnosis.evidence import Evidence, close
from cnncli.diagnosis.explanation import Explanation
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.diagnosis.places import Flags, Place, list_places, spread_over_windows
from cnncli.network.arrays import Array
from cnncli.network.steps.step import KinkedStep

TINY = np.finfo(np.float64).tiny  # what is smaller may be 0 to another program
LARGE = 30.0  # from where on σ(z) is 1 to rounding, or nearly
NUMBERS: dict[str, Callable[[Array], Flags]] = {
    "where {} is 0": lambda x: np.abs(x) < TINY,
    "where {} is 1": lambda x: x == 1,
    "where {} is 0 or 1": lambda x: (np.abs(x) < TINY) | (x == 1),
    "where {} < 0": lambda x: x < 0,
    "where {} ≤ 0": lambda x: x <= 0,
    "where {} > 0": lambda x: x > 0,
    "where {} is large": lambda x: x > LARGE,
    "where {} is far below 0": lambda x: x < -LARGE,
    "where |{}| is large": lambda x: np.abs(x) > LARGE,
}


def explain_overflow(cases: Sequence[Evidence]) -> Explanation | None:
    """Another expression that gives what was found in every case, NaN where it was found and there alone."""
    for words in cases[0].instead:
        hypothesis = Hypothesis(f"{{}} is {words}", partial(_take_instead, words))
        if all(_is_same(hypothesis, case) for case in cases):
            sentence = hypothesis.words.format(cases[0].name)
            return Explanation(sentence, True, hypothesis=hypothesis, factor=lambda _: 1.0)
    return None


def _take_instead(words: str, evidence: Evidence) -> Array:
    return evidence.instead[words]


def _is_same(hypothesis: Hypothesis, case: Evidence) -> bool:
    predicted = hypothesis.predict(case)
    if predicted is None or not case.has_right_shape:
        return False
    for one, other in zip(predicted, case.found, strict=True):
        odd = ~np.isfinite(one)
        if (odd != ~np.isfinite(other)).any() or not close(one[~odd], other[~odd], case.eps):
            return False
    return True


def is_defined(evidence: Evidence) -> bool:
    """Whether all that was found are finite numbers."""
    return all(np.isfinite(part).all() for part in evidence.found)


def explain_undefined(evidences: Sequence[Evidence]) -> tuple[str, bool]:
    """Which entries are no finite numbers, and whether that is exactly so in every case."""
    odd = np.concatenate([part[~np.isfinite(part)] for e in evidences for part in e.found])
    kind = "NaN" if np.isnan(odd).all() else "infinite" if np.isinf(odd).all() else "NaN or infinite"
    seen = [(e, ~np.isfinite(e.found[0])) for e in evidences if e.is_direct]
    if len(seen) < len(evidences) or all(flags.all() or not flags.any() for _, flags in seen):
        return f"{{}} is {kind}", True
    fitting = [place.words for place in _list_all_places(seen[0][0]) if _is_where(place, seen)]
    if not fitting:
        return f"{{}} is {kind} in some entries", True
    return f"{{}} is {kind} {' or '.join(fitting[:2])}", len(fitting) == 1


def _is_where(place: Place, seen: Sequence[tuple[Evidence, Flags]]) -> bool:
    try:
        return all(bool((place.find(evidence) == flags).all()) for evidence, flags in seen)
    except LookupError:
        return False


def _list_all_places(evidence: Evidence) -> Iterator[Place]:
    for name, tensor in evidence.tensors.items():
        for words, condition in NUMBERS.items() if tensor.shape == evidence.products.shape else ():
            yield Place(words.format(name), partial(_find_numbers, name, condition))
    if isinstance(evidence.step, KinkedStep) and evidence.step.selects:
        yield Place("in windows with nothing but 0", partial(spread_over_windows, _are_dead))
        yield Place("at the maxima of windows with nothing but 0", _find_first_of_dead)
    yield from list_places(evidence)


def _find_numbers(name: str, condition: Callable[[Array], Flags], evidence: Evidence) -> Flags:
    return condition(evidence.tensors[name])


def _are_dead(values: Array) -> Flags:
    return np.asarray(~values.any(-1, keepdims=True))


def _find_first_of_dead(evidence: Evidence) -> Flags:
    def choose(values: Array) -> Flags:
        return np.asarray((np.arange(values.shape[-1]) == 0) & _are_dead(values))

    return spread_over_windows(choose, evidence)
