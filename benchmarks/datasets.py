"""Small image folders of different kinds, from what Debian and Python packages ship: each with train, val and test.

Textures and photos become classes by cutting squares out of them; those to train, to validate and to test on come from
parts of a photo that do not touch. Needs scikit-learn, scikit-image and Debian's dataset-fashion-mnist.
"""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FASHION = Path("/usr/share/datasets/fashion-mnist")
SPLITS = ("train", "val", "test")
STONES = ("brick", "grass", "gravel")
PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "ihc.png", "retina.jpg", "rocket.jpg")
GRAYS = ("camera.png", "cell.png", "coins.png", "moon.png", "page.png", "text.png", "grass.png", "gravel.png")

Pixels = NDArray[np.uint8]
Split = tuple[Pixels, NDArray[np.intp]]  # images (n, H, W) or (n, H, W, 3), labels (n,)


def write_folder(folder: Path, name: str) -> None:
    """Write train/0 … and so on, of the data set of that name."""
    for split, (images, labels) in zip(SPLITS, DATASETS[name](), strict=True):
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            path = folder / split / f"{label}"
            path.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path / f"{number:05}.png")


def read_fashion(prefix: str) -> Split:
    """Fashion-MNIST: "train" has 60,000 images, "t10k" 10,000."""
    with gzip.open(FASHION / f"{prefix}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(FASHION / f"{prefix}-labels-idx1-ubyte.gz") as file:
        return images, np.frombuffer(file.read(), np.uint8, offset=8).astype(np.intp)


def _fashion() -> list[Split]:
    """1,000 images to train on; no image of the official test set."""
    images, labels = read_fashion("train")
    return [(images[part], labels[part]) for part in (slice(0, 1000), slice(1000, 2000), slice(2000, 4000))]


def _shoes() -> list[Split]:
    """Sneakers and ankle boots, 100 of each to train on."""
    images, labels = read_fashion("train")
    chosen = [np.flatnonzero(labels == label) for label in (7, 9)]
    return [
        (np.concatenate([images[c[a:b]] for c in chosen]), np.repeat([0, 1], b - a))
        for a, b in ((0, 100), (100, 200), (200, 700))
    ]


def _digits() -> list[Split]:
    """Handwritten digits of 8×8."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = (digits.images * 15.9375).astype(np.uint8), digits.target.astype(np.intp)
    return [(images[part], labels[part]) for part in (slice(0, 600), slice(600, 1000), slice(1000, None))]


def _faces() -> list[Split]:
    """100 faces and 100 other parts of photos, 25×25."""
    images = np.load(_skimage() / "lfw_subset.npy")  # (200, 25, 25), faces first
    pixels = (255 * images).astype(np.uint8)
    order = np.random.default_rng(0).permutation(100)
    parts = (order[:40], order[40:70], order[70:])
    return [(np.concatenate([pixels[part], pixels[100 + part]]), np.repeat([0, 1], len(part))) for part in parts]


def _skimage() -> Path:
    import skimage

    return Path(skimage.__file__).parent / "data"


def _crops(names: tuple[str, ...], mode: str, side: int, counts: tuple[int, int, int]) -> list[Split]:
    """Squares of photos, one class for each photo; a split has a third of the width for itself."""
    random = np.random.default_rng(0)
    splits: list[list[Pixels]] = [[], [], []]
    for name in names:
        with Image.open(_skimage() / name) as image:
            photo = np.asarray(image.convert(mode))
        third = photo.shape[1] // 3
        for split, (images, count) in enumerate(zip(splits, counts, strict=True)):
            rows = random.integers(0, photo.shape[0] - side + 1, count)
            columns = split * third + random.integers(0, third - side + 1, count)
            images += [photo[y : y + side, x : x + side] for y, x in zip(rows, columns, strict=True)]
    labels = [np.repeat(np.arange(len(names)), count) for count in counts]
    return [(np.stack(images), y) for images, y in zip(splits, labels, strict=True)]


DATASETS: Mapping[str, Callable[[], list[Split]]] = {
    "shoes, gray 28×28": _shoes,
    "Fashion-MNIST, gray 28×28": _fashion,
    "digits, gray 8×8": _digits,
    "faces, gray photos 25×25": _faces,
    "stones, gray textures 32×32": lambda: _crops(tuple(f"{name}.png" for name in STONES), "L", 32, (40, 60, 100)),
    "photos, gray 32×32": lambda: _crops(GRAYS, "L", 32, (25, 40, 60)),
    "photos, colour 40×40": lambda: _crops(PHOTOS, "RGB", 40, (25, 40, 60)),
}
