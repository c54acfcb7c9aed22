"""Something that a function kept from an earlier call, in the place of what it is given in this one."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from cnncli.diagnosis.evidence import Evidence
from cnncli.diagnosis.hypothesis import Hypothesis
from cnncli.network.arrays import Array

Choose = Callable[[Sequence[Array], Array], Array]  # from those of the earlier calls, and that of this one


def _take_first(earlier: Sequence[Array], own: Array) -> Array:
    return next((array for array in earlier if array.shape == own.shape), own)


def _take_last(earlier: Sequence[Array], own: Array) -> Array:
    return _take_first(earlier[::-1], own)


def _take_before(earlier: Sequence[Array], own: Array) -> Array:
    return _take_first(earlier[-1:], own)


KEPT: dict[str, Choose] = {
    "the first call with one of its shape (a cache that is not renewed?)": _take_first,
    "the call before, where its shape is the same (a stale cache?)": _take_before,
    "the last call with one of its shape (a stale cache?)": _take_last,
}


def list_stale(evidence: Evidence) -> Iterator[Hypothesis]:
    """All of a link."""
    if evidence.step is None or not evidence.is_direct:
        return
    for words, choose in KEPT.items():
        for which, tensor in enumerate(evidence.step.reads):
            if tensor.role != "bias":
                yield Hypothesis(f"{{}} is made with the {tensor.name} of {words}", partial(_read, which, choose))
        yield Hypothesis(f"{{}} is made with the {evidence.products.names[0]} of {words}", partial(_given, choose))


def _read(which: int, choose: Choose, evidence: Evidence) -> Array:
    read = list(evidence.read)
    read[which] = choose([each.read[which] for each in evidence.earlier], read[which])
    return evidence.answer(evidence.given, read)


def _given(choose: Choose, evidence: Evidence) -> Array:
    return evidence.answer(choose([each.given for each in evidence.earlier], evidence.given), evidence.read)
