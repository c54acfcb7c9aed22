"""A whole backward pass that is right for another forward pass: a bias left out, a kernel turned, X changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cnncli.diagnosis.collect import measure_cancellation
from cnncli.diagnosis.evidence import close, is_lost
from cnncli.diagnosis.explanation import Explanation
from cnncli.network.arrays import Array
from cnncli.network.chain import build_chain
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook
from cnncli.subject.subject import Subject

Gradients = Mapping[str, Array]
Undo = Callable[[Array, Subject], Array]


@dataclass(frozen=True)
class _Change:
    """Another forward pass: the subject that it is that of, and what its gradients are then called."""

    words: str
    make: Callable[[Subject], Subject]
    undo: Mapping[str, Undo] = field(default_factory=dict)


def explain_forward(cases: Sequence[tuple[Subject, Record, Gradients]], eps: float) -> Explanation | None:
    """The forward pass whose right gradients are those that were found, in every case; None if there is none."""
    judged = [(case, eps * measure_cancellation(*case[:2])) for case in cases]
    judged = [(case, precision) for case, precision in judged if not is_lost(precision)]
    if all(_equals(record, gradients, precision) for (_, record, gradients), precision in judged):
        return None
    if any(len(subject.architecture.filters) > 1 for subject, _, _ in cases):
        return None  # w2 and b2 are then a block's
    fitting = [
        change.words
        for change in _CHANGES
        if all(_agrees(change, subject, gradients, precision) for (subject, _, gradients), precision in judged)
    ]
    if not fitting:
        return None
    certain = len(judged) > 1 and len(fitting) == 1
    return Explanation(f"the backward pass belongs to another forward pass: {' or '.join(fitting[:2])}", certain)


def _agrees(change: _Change, subject: Subject, gradients: Gradients, eps: float) -> bool:
    try:
        changed = change.make(subject)
        record = Textbook(changed.architecture).record(changed.parameters, changed.X, changed.y)
    except ValueError:
        return False
    right = {name: record[name] for name in gradients}
    for name, undo in change.undo.items():
        if name in right:
            right[name] = undo(right[name], subject)
    return _equals(right, gradients, eps)


def _equals(right: Gradients | Record, gradients: Gradients, eps: float) -> bool:
    return all(close(right[name], gradient, eps) for name, gradient in gradients.items())


def _set(name: str, change: Callable[[Array], Array]) -> Callable[[Subject], Subject]:
    return lambda subject: replace(subject, parameters={**subject.parameters, name: change(subject.parameters[name])})


def _read(change: Callable[[Array], Array]) -> Callable[[Subject], Subject]:
    return lambda subject: replace(subject, X=change(subject.X))


def _turn(w: Array) -> Array:
    return w[:, :, ::-1, ::-1]


def _swap(w: Array) -> Array:
    return w.swapaxes(2, 3)


def _order_filters_last(subject: Subject) -> Array:
    grid = build_chain(subject.architecture).makers["F"].source.shape
    return np.arange(int(np.prod(grid))).reshape(grid).transpose(1, 2, 0).ravel()


def _order_by_columns(subject: Subject) -> Array:
    grid = build_chain(subject.architecture).makers["F"].source.shape
    return np.arange(int(np.prod(grid))).reshape(grid).ravel(order="F")


def _flatten(words: str, find_order: Callable[[Subject], Array]) -> _Change:
    """Their F[d] is our F[order[d]], so that their w2 meets it in another order."""

    def make(subject: Subject) -> Subject:
        back = np.argsort(find_order(subject))
        return _set("w2", lambda w: w[:, back])(subject)

    return _Change(f"F is P {words}", make, {"dL/dw2": lambda dw, subject: dw[:, find_order(subject)]})


_CHANGES = (
    _Change("b1 is left out of Z1", _set("b1", np.zeros_like)),
    _Change("b2 is left out of z2", _set("b2", np.zeros_like)),
    _Change("w1 is turned by 180° for Z1", _set("w1", _turn), {"dL/dw1": lambda dw, _: _turn(dw)}),
    _Change("w1 is turned by 180° for Z1, and dL/dw1 is not turned back", _set("w1", _turn)),
    _Change("w1 is transposed for Z1", _set("w1", _swap), {"dL/dw1": lambda dw, _: _swap(dw)}),
    _Change("the windows are averaged", lambda s: replace(s, architecture=replace(s.architecture, pooling="average"))),
    _flatten("with the filters last", _order_filters_last),
    _flatten("in column-major order", _order_by_columns),
    _Change("X is divided by 255", _read(lambda X: X / 255)),
    _Change("X is taken less its mean", _read(lambda X: X - X.mean())),
    _Change("each image is taken less its mean", _read(lambda X: X - X.mean((1, 2, 3), keepdims=True))),
    _Change("X is divided by its largest number", _read(lambda X: X / np.abs(X).max())),
    _Change("X is standardised to mean 0 and deviation 1", _read(lambda X: (X - X.mean()) / X.std())),
    _Change("the channels of X are in reversed order", _read(lambda X: X[:, ::-1])),
    _Change("rows and columns of X are swapped", _read(lambda X: X.swapaxes(2, 3))),
    _Change("X is turned upside down", _read(lambda X: X[:, :, ::-1])),
    _Change("negative numbers of X are set to 0", _read(lambda X: np.maximum(X, 0))),
)
