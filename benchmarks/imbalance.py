"""150 images of one class of Fashion-MNIST and 8 of another: the recall of both without and with balanced weights.

    python -m benchmarks.imbalance [--seeds N] [--document]

Each training is the command's own, by the recipe quick; each seed has other images, and keeps a fifth of them for its
validation. The recall is that on 300 other images of each class.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import cnncli
from benchmarks.datasets import read_fashion
from benchmarks.measure import TRAINING_PAGE, markdown, write_section
from cnncli.training.settings import ClassWeights

COMMON, RARE, TESTED = 150, 8, 300  # images
SEEDS = 5
WARNING = "classes out of balance"
NAMES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
PAIRS = (  # common, rare: those that are taken for each other most
    ("T-shirt", "shirt"),
    ("pullover", "coat"),
    ("sneaker", "ankle boot"),
    ("coat", "shirt"),
    ("dress", "coat"),
    ("sandal", "sneaker"),
)
HEAD = ("common, rare", "recall without", "with balanced weights", "of the common class without", "with")

Recalls = tuple[float, float]  # of the common class and of the rare one


def write_folder(folder: Path, pair: tuple[str, str], seed: int) -> None:
    """150 images of the first class and 8 of the second in train, 300 of each in test."""
    images, labels = read_fashion("train")
    for number, (name, count) in enumerate(zip(pair, (COMMON, RARE), strict=True)):
        of_class = images[labels == NAMES.index(name)]
        parts = {"train": of_class[seed * count :][:count], "test": of_class[-TESTED:]}
        for split, chosen in parts.items():
            place = folder / split / f"{number} {name}"
            place.mkdir(parents=True)
            for index, image in enumerate(chosen):
                Image.fromarray(image).save(place / f"{index:03}.png")


def measure(pair: tuple[str, str], seed: int, weights: ClassWeights) -> Recalls:
    """The recall of both classes after one training."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_folder(folder, pair, seed)
        summary = cnncli.train(folder / "train", out=folder / "run", class_weights=weights, seed=seed, threads=1)
        assert any(symptom.kind == WARNING for symptom in summary.symptoms)  # noqa: S101
        common, rare = cnncli.evaluate(folder / "test", summary.run).per_class.values()
    return common.recall, rare.recall


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="A rare class, with and without balanced weights.")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--document", action="store_true", help="write the table into docs/training.md")
    options = parser.parse_args()
    rows = []
    for pair in PAIRS:
        plain, balanced = (
            np.mean([measure(pair, seed, weights) for seed in range(options.seeds)], axis=0)
            for weights in ("none", "balanced")
        )
        rows.append([plain[1], balanced[1], plain[0], balanced[0]])
    rows.append(np.mean(rows, axis=0))
    names = [*(", ".join(pair) for pair in PAIRS), "mean"]
    found = markdown(HEAD, [(name, *map("{:.0%}".format, row)) for name, row in zip(names, rows, strict=True)])
    print(found)  # noqa: T201
    if options.document:
        write_section(TRAINING_PAGE, "imbalance", found)


if __name__ == "__main__":
    main()
