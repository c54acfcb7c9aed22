"""Training and validation images: stratified, and a pure function of the seed and the paths."""

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cnncli.data.folder import Sample, names_below
from cnncli.errors import DataError


def split_stratified(
    samples: Sequence[Sample], root: Path, fraction: float, seed: int
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """Take `fraction` of every class for validation, at least one image, and leave at least one for training.

    The images are drawn in the order of a hash of seed and path (relative to `root`), so that the split is the same on
    every machine and one more image moves no other. Raises DataError for a class of a single image.
    """
    by_class: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_class[sample.label].append(sample)
    validation: set[Sample] = set()
    for members in by_class.values():
        if len(members) == 1:
            raise DataError(
                f"{members[0].path} is the only image of its class: one is needed to train, one to validate"
            )
        drawn = sorted(zip((_draw(name, seed) for name in names_below(root, members)), members, strict=True))
        count = min(max(round(fraction * len(members)), 1), len(members) - 1)
        validation.update(sample for _, sample in drawn[:count])
    return (
        tuple(sample for sample in samples if sample not in validation),
        tuple(sample for sample in samples if sample in validation),
    )


def _draw(name: str, seed: int) -> str:
    return sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).hexdigest()
