"""Models of every kind of network, with weights that make a difference, and image files of every kind."""

from pathlib import Path

import numpy as np
from PIL import Image

from cnncli.data.normalisation import Normalisation
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.initialisation import he_normal

ARCHITECTURES = {
    "one block, sigmoid": Architecture(9, 8, filters=(3,)),
    "two blocks, softmax, RGB": Architecture(14, 17, 3, filters=(4, 5), classes=4),
    "padding, average pooling": Architecture(10, 11, 3, filters=(3, 2), kernel=3, padding=1, pooling="average"),
    "wide padding, pool 3, gray": Architecture(13, 12, filters=(2,), kernel=4, padding=2, pool=3, classes=3),
    "stride and dilation": Architecture(17, 15, filters=(3,), kernel=3, padding=2, stride=2, dilation=2, classes=3),
    "overlapping windows": Architecture(12, 13, 3, filters=(2, 3), padding=1, pool=3, pool_stride=2, classes=3),
    "windows apart, average": Architecture(16, 15, filters=(3,), pool=2, pool_stride=3, stride=1, pooling="average"),
    "three blocks, kernel 1, pool 1": Architecture(6, 6, 3, filters=(2, 3, 4), kernel=1, pool=1, classes=5),
}


def make_model(architecture: Architecture, seed: int = 0) -> Model:
    """Random weights and biases, a mean and std of each channel, class names that need care."""
    random = np.random.default_rng(seed)
    parameters = {
        name: (value + random.normal(0, 0.1, value.shape)).astype(np.float32)
        for name, value in he_normal(architecture, seed).items()
    }
    channels = architecture.channels
    normalisation = Normalisation(
        tuple(random.uniform(0.2, 0.6, channels).tolist()), tuple(random.uniform(0.2, 0.5, channels).tolist())
    )
    names = ("a 'b' \"c\" \\", "</script><b>&amp;", "日本 😀", "$x ${y} {z}", "--> 5")
    return Model(architecture, names[: architecture.classes], normalisation, parameters)


def write_images(folder: Path) -> list[Path]:
    """One file of each mode, format and orientation that decodes without loss, of many sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    colour = random.integers(0, 256, (23, 31, 3), dtype=np.uint8)
    gray, clear = colour[..., 0], np.where(colour[..., 1] > 128, 255, 0).astype(np.uint8)
    rgba = Image.fromarray(np.dstack([colour, clear]))
    images = {
        "gray.png": Image.fromarray(gray),
        "colour.png": Image.fromarray(colour),
        "tall.png": Image.fromarray(colour[:, :3]),
        "wide.bmp": Image.fromarray(colour[:4]),
        "dot.png": Image.fromarray(colour[:1, :1]),
        "bits.png": Image.fromarray(gray > 99),
        "palette.png": Image.fromarray(colour).quantize(9),
        "picture.gif": Image.fromarray(colour).quantize(30),
        "clear.png": rgba,
        "clear-gray.png": rgba.convert("LA"),
    }
    paths = []
    for name, image in images.items():
        paths.append(folder / name)
        image.save(paths[-1])
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        paths.append(folder / f"turned-{orientation}.png")
        Image.fromarray(colour).save(paths[-1], exif=exif)
    return paths


def write_photos(folder: Path) -> list[Path]:
    """JPEG files much larger than any of the networks' inputs, lying and standing."""
    folder.mkdir(parents=True, exist_ok=True)
    i, j = np.mgrid[0:304, 0:400]
    waves = np.stack([np.sin(i / 30 + j / 50), np.cos(i / 17 - j / 23), np.sin(i * j / 4000)], axis=-1)
    photo = Image.fromarray((127 + 100 * waves).astype(np.uint8))
    turned = Image.Exif()
    turned[0x0112] = 6
    photo.save(folder / "photo.jpg")
    photo.save(folder / "turned.jpg", exif=turned)
    photo.convert("L").resize((40, 90)).save(folder / "gray.jpg")
    return [folder / "photo.jpg", folder / "turned.jpg", folder / "gray.jpg"]
