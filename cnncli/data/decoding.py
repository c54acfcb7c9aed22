"""One image file's pixels: the one decoding that train, predict, trace and gradcheck share.

The rule, in this order: a JPEG that is much larger than the target is decoded at a half, a quarter or an eighth of its
size, the smallest that is at least twice the target's height and width; EXIF orientation applied; 16-bit brought to 8;
a palette or transparency laid on white; then, where the size differs, scaled with its proportions kept until it covers
the target, with antialiased bilinear sampling, and cropped at the centre. An image is gray where red, green and blue
are equal in every pixel.
"""

import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil, floor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from cnncli.data.plain_png import read_plain_pngs
from cnncli.errors import ImageError

Pixels = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")  # no other of Pillow's parsers is let near a file
MAX_PIXELS = 100_000_000  # what decodes to more is refused before it fills the memory
BYTES_OF_PIXEL = 8  # at most, while an image of the usual kinds is decoded: itself, and a copy in another mode
BYTES_OF_PIXEL_WEBP = 16  # the decoder keeps canvases of its own
BYTES_OF_PIXEL_PROGRESSIVE = 14  # the decoder keeps the coefficients of all channels
BAND = 1 << 20  # pixels that are brought to another mode at once where that takes more than one copy
BACKGROUND = (255, 255, 255)
TURNED = (5, 6, 7, 8)  # EXIF orientations that exchange width and height
SPARE = 2  # times the target's size: what a JPEG is decoded to at least, so that the scaling has pixels to average

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit is a warning first: ours is one clear refusal


class Size(NamedTuple):
    """Pixels, as in an array's shape: height first."""

    height: int
    width: int


class AnotherSize(Exception):
    """An image has another size than the one that all are expected to have."""


class TooLarge(Exception):
    """An image decodes to more pixels than are allowed here."""


def image_size(path: Path) -> Size:
    """The size of an image as it is looked at; its pixels are not checked. Raises ImageError."""
    with _open(path) as image:
        return _size_of(image)


def decode(
    path: Path, size: Size | None = None, *, expected: Size | None = None, most_pixels: int | None = None
) -> Pixels:
    """The pixels of an image, fitted to `size`: (1, H, W) where it is gray, else (3, H, W), uint8.

    Raises ImageError, with the reason, for whatever cannot be decoded to the last pixel; AnotherSize, before a pixel is
    decoded, where the size is not the one `expected`; and TooLarge for more than `most_pixels` before they are fitted.
    """
    (pixels,) = decode_plain([path], expected or size)
    if pixels is None:
        pixels = decode_any(path, size, expected=expected, most_pixels=most_pixels)
    return pixels


def decode_plain(paths: Sequence[str | Path], size: Size | None) -> list[Pixels | None]:
    """What `decode` answers for files that are read in the quick way, and None for the others, which have their own."""
    return [None if pixels is None else _lay_in_planes(pixels) for pixels in read_plain_pngs(paths, size)]


def decode_any(
    path: Path, size: Size | None = None, *, expected: Size | None = None, most_pixels: int | None = None
) -> Pixels:
    """As `decode`, in the usual way."""
    with _open(path) as image:
        if expected and _size_of(image) != expected:
            raise AnotherSize
        if size:
            _decode_smaller(image, size)
        if most_pixels is not None and image.width * image.height > most_pixels:
            raise TooLarge
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _lay_in_planes(np.array(_fit_size(_opaque(image), size)))


def _lay_in_planes(pixels: Pixels) -> Pixels:
    """(H, W) or (H, W, 3) → (1, H, W) where it is gray, else (3, H, W)."""
    if pixels.ndim == 2:
        return pixels[None]
    channels = np.moveaxis(pixels, 2, 0)  # (3, H, W)
    gray = (channels[0] == channels[1]).all() and (channels[0] == channels[2]).all()
    return np.ascontiguousarray(channels[:1] if gray else channels)


def to_channels(pixels: Pixels, channels: int) -> Pixels:
    """Gray to colour by repeating, colour to gray by luminance (ITU-R 601): (1 or 3, H, W) → (channels, H, W)."""
    if len(pixels) == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=0)
    return np.asarray(Image.fromarray(np.moveaxis(pixels, 0, 2)).convert("L"))[None]


@contextmanager
def _open(path: Path) -> Iterator[Image.Image]:
    """An image whose header has been read; whatever goes wrong with it becomes an ImageError."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR):  # a pipe or a device would never end
            raise ImageError(path, "not a regular file")
        with path.open("rb") as file, Image.open(file, formats=FORMATS) as image:
            most = MAX_PIXELS * BYTES_OF_PIXEL // _bytes_of_pixel(image)
            if image.width * image.height > most:
                size = f"{image.width}×{image.height}"
                raise ImageError(path, f"{size} pixels are more than the {most:,} that are allowed")
            yield image
    except (ImageError, AnotherSize, TooLarge, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  a damaged file can raise anything in a parser
        raise ImageError(path, _reason(path, error)) from None


def _bytes_of_pixel(image: Image.Image) -> int:
    if image.format == "WEBP":
        return BYTES_OF_PIXEL_WEBP
    return BYTES_OF_PIXEL_PROGRESSIVE if "progressive" in image.info else BYTES_OF_PIXEL


def _size_of(image: Image.Image) -> Size:
    """Height and width once the orientation is applied; PngImageFile.getexif would decode the pixels first."""
    return Size(*(image.size if _is_turned(image) else image.size[::-1]))


def _is_turned(image: Image.Image) -> bool:
    """Whether the orientation, as far as it stands before the pixels, exchanges width and height."""
    return Image.Image.getexif(image).get(ExifTags.Base.Orientation) in TURNED


def _decode_smaller(image: Image.Image, size: Size) -> None:
    """Have a JPEG decoded at a part of its size, if that is still SPARE times the target; others stay as they are."""
    if image.format == "JPEG":
        width, height = size if _is_turned(image) else size[::-1]
        image.draft(None, (SPARE * width, SPARE * height))


def _opaque(image: Image.Image) -> Image.Image:
    """Eight bits of gray, or of red, green and blue, with whatever is transparent laid on the background."""
    if image.mode.startswith("I") or image.mode == "F":
        return _convert_in_bands(image, "L", _narrow)
    if image.mode in ("P", "PA", "LA", "RGBA") or "transparency" in image.info:
        return _convert_in_bands(image, "RGB", _lay_on_background)
    return image if image.mode == "L" else image.convert("RGB")


def _convert_in_bands(image: Image.Image, mode: str, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The image in another mode, some rows at a time, so that what `convert` needs on its way is never the whole."""
    rows = max(BAND // image.width, 1)
    if rows >= image.height:
        return convert(image)
    converted = Image.new(mode, image.size)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        converted.paste(convert(band), (0, top))
    return converted


def _narrow(image: Image.Image) -> Image.Image:
    """16 bits to 8."""
    wide = np.clip(np.asarray(image, dtype=np.float64), 0, 65535)  # Pillow's own conversion would cut off at 255
    return Image.fromarray(np.rint(wide / 257).astype(np.uint8))


def _lay_on_background(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    background = Image.new("RGBA", image.size, (*BACKGROUND, 255))
    return Image.alpha_composite(background, image).convert("RGB")


def _fit_size(image: Image.Image, size: Size | None) -> Image.Image:
    """The image scaled until it covers the size, and cropped at the centre.

    In two steps, rows first: Pillow chooses the order itself from version 13 on, and another order rounds otherwise.
    """
    if size is None or image.size == (size.width, size.height):
        return image
    width, height = image.size
    ratio = size.width / size.height
    wide, high = min(width, ratio * height), min(height, width / ratio)  # what is left of the image
    left, top = (width - wide) / 2, (height - high) / 2
    reach = max(high / size.height, 1) + 1  # how far the second step looks beyond
    first, last = max(floor(top - reach), 0), min(ceil(top + high + reach), height)
    rows = image.resize((size.width, last - first), Image.Resampling.BILINEAR, (left, first, left + wide, last))
    box = (0, top - first, size.width, top - first + high)
    return rows.resize((size.width, size.height), Image.Resampling.BILINEAR, box)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, not an image"
    if isinstance(error, PermissionError):
        return "not allowed to read it"
    if isinstance(error, UnidentifiedImageError):
        if path.stat().st_size == 0:
            return "the file is empty"
        return "not an image of a kind that is read (PNG, JPEG, BMP, GIF, WebP)"
    if "truncated" in str(error).lower():
        return "the image is cut off: the file ends too early"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"the image is damaged ({error})"
