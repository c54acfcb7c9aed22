"""One image's pixels: the same for every command, whatever kind of file they come from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image, ImageOps

from cnncli.data import decoding
from cnncli.data.decoding import AnotherSize, Size, TooLarge, decode, image_size, to_channels
from cnncli.errors import ImageError

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 256, (6, 9), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (6, 9, 3), dtype=np.uint8)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "webp"])
def test_lossless_formats_give_the_pixels(tmp_path: Path, suffix: str) -> None:
    path = saved(
        Image.fromarray(GRAY), tmp_path / f"image.{suffix}", **({"lossless": True} if suffix == "webp" else {})
    )
    assert_array_equal(decode(path), GRAY[None])
    assert image_size(path) == Size(6, 9)


def test_colour_is_channel_first_and_gray_is_known_by_its_pixels(tmp_path: Path) -> None:
    colour = saved(Image.fromarray(COLOUR), tmp_path / "colour.png")
    assert_array_equal(decode(colour), np.moveaxis(COLOUR, 2, 0))
    gray_in_colour = saved(Image.fromarray(np.stack([GRAY] * 3, axis=2)), tmp_path / "gray.png")
    assert_array_equal(decode(gray_in_colour), GRAY[None])


def test_a_jpeg_is_near(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(0, 160, 10), np.arange(0, 64, 4)).astype(np.uint8)
    path = saved(Image.fromarray(smooth), tmp_path / "image.jpg", quality=95)
    assert np.abs(decode(path)[0].astype(int) - smooth).max() <= 4


def test_sixteen_bits_are_scaled_not_cut_off(tmp_path: Path) -> None:
    wide = (GRAY.astype(np.uint16)) * 257
    path = saved(Image.fromarray(wide), tmp_path / "wide.png")
    assert_array_equal(decode(path), GRAY[None])


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[..., 0] = 200
    pixels[..., 3] = [[0, 255], [255, 0]]
    path = saved(Image.fromarray(pixels), tmp_path / "clear.png")
    assert decode(path)[:, 0, 0].tolist() == [255, 255, 255]
    assert decode(path)[:, 0, 1].tolist() == [200, 0, 0]
    half = Image.new("LA", (2, 2), (0, 0))
    assert_array_equal(decode(saved(half, tmp_path / "half.png")), np.full((1, 2, 2), 255))


def test_a_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 90, 90, 90])
    image.putpixel((1, 0), 1)
    path = saved(image, tmp_path / "palette.png", transparency=1)
    assert decode(path)[:, 0].tolist() == [[10, 255], [20, 255], [30, 255]]


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (50, 200)]
    path = saved(frames[0], tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert_array_equal(decode(path), np.full((1, 4, 4), 50))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(Image.fromarray(GRAY), tmp_path / "turned.png", exif=exif)
    ways = {
        1: GRAY,
        2: GRAY[:, ::-1],
        3: GRAY[::-1, ::-1],
        4: GRAY[::-1],
        5: GRAY.T,
        6: np.rot90(GRAY, -1),
        7: GRAY[::-1, ::-1].T,
        8: np.rot90(GRAY),
    }
    assert_array_equal(decode(path), ways[orientation][None])
    assert image_size(path) == ways[orientation].shape


def test_fitting_keeps_the_proportions_and_crops_the_centre(tmp_path: Path) -> None:
    stripes = np.zeros((10, 30), np.uint8)
    stripes[:, 10:20] = 255  # the middle third is white: that is what is left
    path = saved(Image.fromarray(stripes), tmp_path / "wide.png")
    assert_array_equal(decode(path, Size(10, 10)), np.full((1, 10, 10), 255))
    assert decode(path, Size(5, 20)).shape == (1, 5, 20)
    assert_array_equal(decode(path, Size(10, 30)), stripes[None])


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_at_a_part_of_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orientation: int
) -> None:
    smooth = np.add.outer(np.arange(400) / 4, np.arange(640) / 5).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(Image.fromarray(smooth), tmp_path / "large.jpg", exif=exif, quality=95)
    decoded: list[tuple[int, int]] = []
    opaque = decoding._opaque

    def note(image: Image.Image) -> Image.Image:
        decoded.append(image.size)
        return opaque(image)

    monkeypatch.setattr(decoding, "_opaque", note)
    sizes = {}
    for target in (Size(200, 320), Size(100, 160), Size(50, 80), Size(25, 40), Size(10, 10), Size(99, 20)):
        target = target if orientation == 1 else Size(*target[::-1])
        pixels = decode(path, target)
        sizes[target] = decoded.pop()
        whole = Image.fromarray(smooth if orientation == 1 else np.rot90(smooth, -1))
        expected = np.asarray(ImageOps.fit(whole, target[::-1], Image.Resampling.BILINEAR))
        assert np.abs(pixels[0].astype(int) - expected).max() <= 3
    parts = [640 // max(size) for size in sizes.values()]
    assert parts == [1, 2, 4, 8, 8, 2]
    assert decode(path).shape[1:] == ((400, 640) if orientation == 1 else (640, 400))


def test_another_size_is_told_before_a_pixel_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Size(6, 9)
    path = saved(Image.fromarray(GRAY), tmp_path / "same.bmp")
    assert_array_equal(decode(path, expected, expected=expected), GRAY[None])
    monkeypatch.setattr(decoding, "_opaque", None)
    for name, pixels in (("turned", GRAY.T), ("larger", np.zeros((6, 10), np.uint8))):
        with pytest.raises(AnotherSize):
            decode(saved(Image.fromarray(pixels), tmp_path / f"{name}.bmp"), expected, expected=expected)
    with pytest.raises(TooLarge):
        decode(path, expected, most_pixels=53)


def test_channels() -> None:
    gray, colour = GRAY[None], np.moveaxis(COLOUR, 2, 0)
    assert_array_equal(to_channels(gray, 3), np.stack([GRAY] * 3))
    assert to_channels(colour, 3) is colour
    luminance = colour[0] * 0.299 + colour[1] * 0.587 + colour[2] * 0.114
    assert np.abs(to_channels(colour, 1)[0] - luminance).max() <= 1


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(Image.fromarray(GRAY), tmp_path / "large.bmp")  # no plain PNG file has so many pixels
    monkeypatch.setattr(decoding, "MAX_PIXELS", 53)
    for read in (decode, image_size):
        with pytest.raises(ImageError, match="9×6 pixels are more than the 53 that are allowed"):
            read(path)


def test_other_kinds_of_files_are_not_tried(tmp_path: Path) -> None:
    path = saved(Image.fromarray(GRAY), tmp_path / "image.tiff")
    with pytest.raises(ImageError, match="not an image of a kind that is read"):
        decode(path.rename(tmp_path / "image.png"))


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="a folder, not an image"):
        decode(tmp_path)
    with pytest.raises(ImageError, match="no such file"):
        decode(tmp_path / "nothing.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "webp"])
def test_no_damage_is_more_than_an_image_error(tmp_path: Path, suffix: str) -> None:
    path = saved(Image.fromarray(RANDOM.integers(0, 256, (40, 40, 3), dtype=np.uint8)), tmp_path / f"image.{suffix}")
    whole = path.read_bytes()
    random = np.random.default_rng(1)
    errors = []
    for _ in range(60):
        damaged = bytearray(whole)
        for place in random.integers(0, min(len(whole), 400), 3):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged[: random.integers(1, len(damaged) + 1)])
        try:
            decode(path)
        except ImageError as error:
            errors.append(str(error))
    assert errors
    assert all(error.startswith(f"{path}: ") for error in errors)


@pytest.mark.parametrize("mode", ["P", "LA", "RGBA", "I;16", "keyed"])
def test_an_image_converted_in_bands_is_the_same(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    colour = Image.fromarray(random.integers(0, 256, (9, 7, 3), dtype=np.uint8))
    transparent: dict[str, Any] = {"P": 3, "keyed": colour.getpixel((3, 4))}
    options = {"transparency": transparent[mode]} if mode in transparent else {}
    image = {
        "P": colour.quantize(8),
        "LA": Image.merge("LA", colour.split()[:2]),
        "RGBA": Image.fromarray(random.integers(0, 256, (9, 7, 4), dtype=np.uint8)),
        "I;16": Image.fromarray(random.integers(0, 65536, (9, 7), dtype=np.uint16)),
        "keyed": colour,
    }[mode]
    image.save(tmp_path / "x.png", **options)
    whole = decode(tmp_path / "x.png")
    monkeypatch.setattr("cnncli.data.decoding.BAND", 15)  # two rows
    np.testing.assert_array_equal(decode(tmp_path / "x.png"), whole)


@pytest.mark.parametrize(("suffix", "options", "most"), [(".webp", {}, 50), (".jpg", {"progressive": True}, 57)])
def test_what_a_decoder_needs_counts(suffix: str, options: Any, most: int, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cnncli.data.decoding.MAX_PIXELS", 100)
        for pixels, allowed in ((most, True), (most + 1, False)):
            path = tmp_path / f"{pixels}{suffix}"
            Image.new("RGB", (pixels, 1)).save(path, **options)
            if allowed:
                decode(path)
            else:
                with pytest.raises(ImageError, match=f"{pixels}×1 pixels are more than the {most} that are allowed"):
                    decode(path)
