"""Real inputs, which are then damaged: images of every kind that is read, and a model."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from cnncli.data.normalisation import Normalisation
from cnncli.model import Model
from cnncli.network.architecture import Architecture
from cnncli.network.initialisation import he_normal

CLASSES = ("dark", "light")


def real_images() -> dict[str, bytes]:
    """Small images by a name that tells their kind; the suffix is that of the file."""
    random = np.random.default_rng(0)
    gray = Image.fromarray(random.integers(0, 256, (13, 11), dtype=np.uint8))
    colour = Image.fromarray(random.integers(0, 256, (13, 11, 3), dtype=np.uint8))
    clear = Image.fromarray(random.integers(0, 256, (13, 11, 4), dtype=np.uint8))
    wide = Image.fromarray(random.integers(0, 65536, (13, 11), dtype=np.uint16))
    large = Image.fromarray(np.add.outer(np.arange(300), np.arange(200)).astype(np.uint8))
    palette = colour.quantize(16)
    turned = Image.Exif()
    turned[0x0112] = 6
    frames = [clear.convert("RGBA"), clear.rotate(90).resize(clear.size)]
    return {
        "gray.png": _bytes(gray, "png"),
        "colour.png": _bytes(colour, "png"),
        "clear.png": _bytes(clear, "png"),
        "wide.png": _bytes(wide, "png"),
        "bits.png": _bytes(gray.convert("1"), "png"),
        "palette.png": _bytes(palette, "png", transparency=3),
        "gray and alpha.png": _bytes(gray.convert("LA"), "png"),
        "keyed.png": _bytes(colour, "png", transparency=(1, 2, 3)),
        "interlaced text.png": _bytes(large, "png", exif=turned),
        "moving.png": _bytes(frames[0], "png", save_all=True, append_images=frames[1:]),
        "baseline.jpg": _bytes(colour, "jpeg", exif=turned),
        "progressive.jpg": _bytes(large.convert("RGB"), "jpeg", progressive=True),
        "gray.jpg": _bytes(gray, "jpeg"),
        "cmyk.jpg": _bytes(colour.convert("CMYK"), "jpeg"),
        "colour.bmp": _bytes(colour, "bmp"),
        "palette.bmp": _bytes(palette, "bmp"),
        "bits.bmp": _bytes(gray.convert("1"), "bmp"),
        "palette.gif": _bytes(palette, "gif"),
        "moving.gif": _bytes(frames[0], "gif", save_all=True, append_images=frames[1:]),
        "lossy.webp": _bytes(colour, "webp"),
        "lossless.webp": _bytes(clear, "webp", lossless=True, exif=turned),
        "moving.webp": _bytes(frames[0], "webp", save_all=True, append_images=frames[1:]),
    }


def write_model(path: Path, *, channels: int = 1, filters: tuple[int, ...] = (2,), size: int = 8) -> Path:
    """An untrained model of the two classes."""
    architecture = Architecture(size, size, channels, filters=filters)
    Model(architecture, CLASSES, Normalisation.none(channels), he_normal(architecture, 0)).save(path)
    return path


def _bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()
