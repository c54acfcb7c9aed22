"""Make sample_data/fashion and sample_data/loose from the four files of Fashion-MNIST.

    python tools/make_sample_data.py [FOLDER WITH THE *-ubyte.gz FILES]

The default folder is where Debian's package dataset-fashion-mnist puts them. Of each class the images are taken evenly
spaced over the file, in its order; training images from the training file, all others from the test file.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SOURCE = Path("/usr/share/datasets/fashion-mnist")
TARGET = Path(__file__).parent.parent / "sample_data"
CLASSES = {"sneaker": 7, "ankle-boot": 9}  # the labels of Fashion-MNIST
TRAINING, VALIDATION, LOOSE = 200, 50, 3  # images of each class


def main(source: Path) -> None:
    """Write the PNG files."""
    training, test = read(source, "train"), read(source, "t10k")
    loose = []
    for name, label in CLASSES.items():
        write(training, spaced(training, label, TRAINING), TARGET / "fashion" / "train" / name)
        chosen = spaced(test, label, VALIDATION + LOOSE)
        write(test, chosen[:VALIDATION], TARGET / "fashion" / "val" / name)
        loose += chosen[VALIDATION:]
    write(test, sorted(loose), TARGET / "loose")


def read(source: Path, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (n, 28, 28) and labels (n,) of one of the two files."""
    with gzip.open(source / f"{name}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(source / f"{name}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images, labels


def spaced(data: tuple[NDArray[np.uint8], NDArray[np.uint8]], label: int, count: int) -> list[int]:
    """The places of `count` images of a class, evenly spaced over the file."""
    places = np.flatnonzero(data[1] == label)
    return [int(place) for place in places[np.arange(count) * len(places) // count]]


def write(data: tuple[NDArray[np.uint8], NDArray[np.uint8]], places: list[int], folder: Path) -> None:
    """Write the images, each named after its place in the file."""
    folder.mkdir(parents=True, exist_ok=True)
    for place in places:
        Image.fromarray(data[0][place]).save(folder / f"{place:05}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE)
