"""What an exported model.py is made of: its functions, each copied into it as it stands here.

Nothing here may use anything of cnncli. The constants have the values of some model, so that it can be imported.
"""

from base64 import b64decode
from math import ceil, floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

Array = NDArray[np.float32]

CHANNELS, HEIGHT, WIDTH = 1, 28, 28
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
MAX_PIXELS = 100_000_000
BACKGROUND = (255, 255, 255)
SPARE = 2


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """The pixels of an image file as the network reads them: (C, H, W)."""
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{image.width}×{image.height} pixels are more than the {MAX_PIXELS:,} that are allowed")
        if (
            image.format == "JPEG"
        ):  # decoded at a half, a quarter or an eighth, where this is still SPARE times the size
            turned = image.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
            width, height = (HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT)
            image.draft(None, (SPARE * width, SPARE * height))
        ImageOps.exif_transpose(image, in_place=True)
        fitted = fit(lay_on_background(image))
    pixels = np.asarray(fitted.convert("L" if CHANNELS == 1 else "RGB"))  # (H, W) or (H, W, 3)
    return pixels.reshape(HEIGHT, WIDTH, CHANNELS).transpose(2, 0, 1)


def lay_on_background(image: Image.Image) -> Image.Image:
    """Eight bits of gray, or of red, green and blue, without transparency."""
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits
        wide = np.clip(np.asarray(image, dtype=np.float64), 0, 65535)
        image = Image.fromarray(np.rint(wide / 257).astype(np.uint8))
    if image.mode in ("P", "PA", "LA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (*BACKGROUND, 255)), image)
    return image if image.mode == "L" else image.convert("RGB")


def fit(image: Image.Image) -> Image.Image:
    """The image scaled, its proportions kept, until it covers WIDTH×HEIGHT, and cropped at the centre."""
    if image.size == (WIDTH, HEIGHT):
        return image
    width, height = image.size
    ratio = WIDTH / HEIGHT
    wide, high = min(width, ratio * height), min(height, width / ratio)  # what is left of the image
    left, top = (width - wide) / 2, (height - high) / 2
    reach = max(high / HEIGHT, 1) + 1
    first, last = max(floor(top - reach), 0), min(ceil(top + high + reach), height)  # the rows that are read
    rows = image.resize((WIDTH, last - first), Image.Resampling.BILINEAR, (left, first, left + wide, last))
    return rows.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, (0, top - first, WIDTH, top - first + high))


def conv(X: Array, w: Array, b: Array, padding: int = 0, stride: int = 1, dilation: int = 1) -> Array:
    """Z[n,i,j] = b[n] + Σ_c Σ_u Σ_v X[c,t·i+d·u-p,t·j+d·v-p]·w[n,c,u,v]: X (C, H, W), w (N, C, k, k) → Z (N, h, w)."""
    X = np.pad(X, ((0, 0), (padding, padding), (padding, padding)))
    reach = dilation * (w.shape[-1] - 1) + 1
    patches = np.lib.stride_tricks.sliding_window_view(X, (reach, reach), axis=(1, 2))  # (C, H, W, reach, reach)
    patches = patches[:, ::stride, ::stride, ::dilation, ::dilation]  # (C, h, w, k, k)
    Z: Array = np.tensordot(w, patches, axes=([1, 2, 3], [0, 3, 4])) + b[:, None, None]  # (N, h, w)
    return Z


def relu(Z: Array) -> Array:
    """A = max(Z, 0)."""
    return np.maximum(Z, 0)


def maxpool(A: Array, s: int, stride: int) -> Array:
    """The largest number of every s×s window: A (N, h, w) → P (N, p, q)."""
    P: Array = windows(A, s, stride).max(axis=(3, 4))
    return P


def avgpool(A: Array, s: int, stride: int) -> Array:
    """The mean of every s×s window: A (N, h, w) → P (N, p, q)."""
    P: Array = windows(A, s, stride).mean(axis=(3, 4))
    return P


def windows(A: Array, s: int, stride: int) -> Array:
    """Every s×s window; a rest that fills none is dropped: A (N, h, w) → (N, p, q, s, s)."""
    return np.lib.stride_tricks.sliding_window_view(A, (s, s), axis=(1, 2))[:, ::stride, ::stride]


def sigmoid(z: Array) -> Array:
    """1/(1 + e^(-z)), without overflow."""
    A: Array = np.exp(-np.logaddexp(np.float32(0), -z))
    return A


def softmax(z: Array) -> Array:
    """e^z[k] / Σ_j e^z[j], without overflow: z (K,) → A (K,)."""
    e = np.exp(z - z.max())
    A: Array = e / e.sum()
    return A


def parameter(shape: tuple[int, ...], text: str) -> Array:
    """The numbers of a parameter, which the text holds in base64: float32, little-endian, row by row."""
    return np.frombuffer(b64decode(text), "<f4").astype(np.float32).reshape(shape)
