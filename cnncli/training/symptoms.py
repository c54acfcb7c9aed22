"""What goes wrong in a training, told in plain words, each with what to try."""

import re
from collections.abc import Callable, Iterator, Sequence
from math import hypot, log
from typing import NamedTuple

import numpy as np

from cnncli.data.dataset import Dataset
from cnncli.data.fingerprint import are_gray, find_duplicates
from cnncli.network.tensors import Tensor
from cnncli.text import printable
from cnncli.training.state import Epoch

UNEQUAL = 5  # times as many images in the largest class as in the smallest
MOSTLY, HARDLY = 0.9, 0.1  # shares of gray images in two classes
RISEN = 1.25  # the validation loss beside its least
PATIENCE = 3  # epochs that it takes for that to count
FAINT = 1e-4  # the gradient of a weight beside the largest one
LEARNED = 0.9  # training accuracy above which small gradients are in order
WORSE, WORSE_AT_FIRST = 2, 10  # the loss beside that of guessing, after the first epoch and in it
JUMP = 10  # the gradients' norm beside the median of the epochs before


class Symptom(NamedTuple):
    """One warning. In `advice` an argument stands in braces: "{clip_norm} 1"."""

    kind: str  # "overfitting"
    what: str
    advice: str

    def phrase(self, written: Callable[[str], str] = str) -> str:
        """The whole sentence, each argument written as its reader writes it."""
        return f"{self.what}: {re.sub(r'{(.*?)}', lambda match: written(match[1]), self.advice)}"


def describe_symptoms(symptoms: Sequence[Symptom], written: Callable[[str], str]) -> list[dict[str, str]]:
    """Warnings for other programs; `written` tells how their reader writes an argument."""
    return [{"kind": symptom.kind, "text": symptom.phrase(written)} for symptom in symptoms]


def examine_data(
    training: Dataset,
    validation: Dataset,
    classes: Sequence[str],
    fingerprints: Sequence[Sequence[str]],
    *,
    balanced: bool,
) -> list[Symptom]:
    """What can be said before the first step; `fingerprints` are those of the training and the validation images.

    `balanced`: every class counts alike in the loss.
    """
    names = [printable(name) for name in classes]
    return [
        *(() if balanced else _unequal_classes(training, names)),
        *_duplicates(training, validation, *fingerprints),
        *_gray_classes(training, names),
    ]


def examine_epoch(history: Sequence[Epoch], parameters: Sequence[Tensor], classes: int) -> list[Symptom]:
    """What the last epoch of a history shows; a kind that an earlier epoch showed is not told again."""
    told = {symptom.kind for end in range(1, len(history)) for symptom in _examine(history[:end], parameters, classes)}
    return [symptom for symptom in _examine(history, parameters, classes) if symptom.kind not in told]


def examine_end(
    epoch: Epoch, training: Dataset, validation: Dataset, classes: Sequence[str], *, balanced: bool
) -> list[Symptom]:
    """What the best epoch shows once the training has ended; `balanced`: every class counted alike in the loss."""
    advice = "try another {learning_rate}, more {epochs} or {filters}, and look whether the folders hold what they say"
    if balanced:
        recall = epoch.judged.accuracy
        what = f"the mean recall of the classes is {recall:.1%} on the validation images, no more than by guessing"
        return [Symptom("learned nothing", what, advice)] if recall <= 1 / len(classes) else []
    for where, score, dataset in (
        ("training", epoch.training, training),
        ("validation", epoch.validation, validation),
    ):
        counts = np.bincount(dataset.labels, minlength=len(classes))
        share = counts.max() / len(dataset)
        if score.accuracy < share or (score.accuracy == share and dataset is training):
            name = printable(classes[int(counts.argmax())])
            what = f"of the {where} images {score.accuracy:.1%} are right, no more than by always answering {name}"
            return [Symptom("learned nothing", what, advice)]
    return []


def _examine(history: Sequence[Epoch], parameters: Sequence[Tensor], classes: int) -> list[Symptom]:
    latest = history[-1]
    return [
        *_silent_filters(latest),
        *_vanishing(latest, parameters),
        *_exploding(history, classes),
        *_overfitting(history),
    ]


def _unequal_classes(training: Dataset, classes: Sequence[str]) -> Iterator[Symptom]:
    counts = np.bincount(training.labels, minlength=len(classes))
    small, large = int(counts.argmin()), int(counts.argmax())
    if counts[large] >= UNEQUAL * counts[small]:
        yield Symptom(
            "classes out of balance",
            f"{classes[small]} has {counts[small]} training images, {classes[large]} {counts[large]}, so that the "
            "rare class is easily passed over",
            "try {class_weights} balanced, and look at its recall",
        )


def _duplicates(
    training: Dataset, validation: Dataset, of_training: Sequence[str], of_validation: Sequence[str]
) -> Iterator[Symptom]:
    if pairs := find_duplicates(of_training, of_validation):
        there, here = (
            printable(dataset.samples[number].path)
            for dataset, number in zip((training, validation), pairs[0], strict=True)
        )
        count = f"{len(pairs)} validation images are" if len(pairs) > 1 else "1 validation image is"
        yield Symptom(
            "duplicates",
            f"{count} among the training images too, pixel by pixel ({here} is {there}), so that the validation "
            "figures are too good",
            "remove one of each pair",
        )


def _gray_classes(training: Dataset, classes: Sequence[str]) -> Iterator[Symptom]:
    if training.images.shape[1] != 3:
        return
    gray = np.array(training.collect(are_gray(training.images).tolist()))  # (n,)
    shares = np.bincount(training.labels, gray, len(classes)) / np.bincount(training.labels, minlength=len(classes))
    most, least = int(shares.argmax()), int(shares.argmin())
    if shares[most] >= MOSTLY and shares[least] <= HARDLY:
        yield Symptom(
            "gray against colour",
            f"{shares[most]:.0%} of {classes[most]} are gray, {shares[least]:.0%} of {classes[least]}, so that the "
            "colour alone tells them apart",
            "try {channels} gray",
        )


def _silent_filters(epoch: Epoch) -> Iterator[Symptom]:
    silent = [f"{number + 1} of {name}" for name, filters in epoch.activity.silent.items() for number in filters]
    if silent:
        named = ", ".join(silent[:3]) + (" and others" if len(silent) > 3 else "")
        yield Symptom(
            "dead filter",
            f"{len(silent)} filter{'s are' if len(silent) > 1 else ' is'} 0 on every image looked at (number {named}) "
            "and will hardly learn again",
            "try a smaller {learning_rate}, or another {seed}",
        )


def _vanishing(epoch: Epoch, parameters: Sequence[Tensor]) -> Iterator[Symptom]:
    norms = {tensor.name: epoch.gradient_norms[tensor.name] for tensor in parameters if tensor.role == "weight"}
    least, most = min(norms, key=norms.__getitem__), max(norms, key=norms.__getitem__)
    if norms[least] < FAINT * norms[most] and epoch.training.accuracy < LEARNED:
        yield Symptom(
            "vanishing gradient",
            f"dL/d{least} is {norms[least]:.1g} beside {norms[most]:.1g} of dL/d{most}, so that {least} hardly learns",
            "try fewer blocks in {filters}, or a larger {learning_rate}",
        )


def _exploding(history: Sequence[Epoch], classes: int) -> Iterator[Symptom]:
    norms = [hypot(*epoch.gradient_norms.values()) for epoch in history]
    latest, chance = history[-1], log(classes)
    loss, advice = latest.training.loss, "try a smaller {learning_rate}, or {clip_norm} 1"
    if len(history) == 1:  # its own is a mean from the beginning on
        loss = max(loss, latest.validation.loss)
        worse = loss > WORSE_AT_FIRST * chance
    else:
        worse = loss > WORSE * chance
    if len(history) > 1 and norms[-1] > JUMP * float(np.median(norms[:-1])) and loss > history[-2].training.loss:
        yield Symptom("exploding gradient", f"the gradients have grown to a norm of {norms[-1]:.3g}", advice)
    elif worse:
        yield Symptom("exploding gradient", f"the loss is {loss:.4g}, that of guessing {chance:.4g}", advice)


def _overfitting(history: Sequence[Epoch]) -> Iterator[Symptom]:
    losses = [epoch.validation.loss for epoch in history]
    least = losses.index(min(losses))
    before, now = history[least], history[-1]
    if (
        now.number - before.number >= PATIENCE
        and now.validation.loss > RISEN * before.validation.loss
        and now.training.loss < before.training.loss
    ):
        yield Symptom(
            "overfitting",
            f"since epoch {before.number} the validation loss has risen from {before.validation.loss:.4g} to "
            f"{now.validation.loss:.4g} while the training loss fell to {now.training.loss:.4g}",
            "try {recipe} best, {augment}, {weight_decay} or more images; {early_stop} saves the time",
        )
