"""A process that decodes image files for its parent (decoders.py)."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnncli.children import read_message, write_message
from cnncli.data.decoding import AnotherSize, Pixels, Size, TooLarge, decode_any, decode_plain
from cnncli.errors import ImageError

READY = b"ready"

# What became of an image: the shape of its pixels, the reason why it cannot be read, or one of these.
ANOTHER_SIZE = 0  # it has not the expected size
YOURS = 1  # it takes more memory than one of several processes should: the parent decodes it

Answer = tuple[list[Any], list[Pixels]]


def main(most_pixels: str) -> None:
    """Answer each task, paths and a Wanted, with what became of each image, and with all pixels in a row."""
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    write_message(answers, READY)
    while (task := read_message(tasks)) is not None:
        paths, size, expected, sifted = json.loads(task)
        size, expected = _as_size(size), _as_size(expected)
        plain = [None] * len(paths) if sifted else decode_plain(paths, expected or size)
        outcomes, pixels = _decode_all(paths, plain, size, expected, int(most_pixels))
        write_message(answers, json.dumps(outcomes).encode())
        write_message(answers, b"".join(image.tobytes() for image in pixels))


def _decode_all(
    paths: Sequence[str], plain: Sequence[Pixels | None], size: Size | None, expected: Size | None, most_pixels: int
) -> Answer:
    outcomes: list[Any] = []
    decoded = []
    for path, pixels in zip(paths, plain, strict=True):
        try:
            if pixels is None:
                pixels = decode_any(Path(path), size, expected=expected, most_pixels=most_pixels)
        except ImageError as error:
            outcomes.append(error.reason)
        except AnotherSize:
            outcomes.append(ANOTHER_SIZE)
        except (TooLarge, MemoryError):
            outcomes.append(YOURS)
        else:
            outcomes.append(pixels.shape)
            decoded.append(pixels)
    return outcomes, decoded


def _as_size(size: Sequence[int] | None) -> Size | None:
    return Size(*size) if size else None


def read_answer(paths: Sequence[str], outcomes: bytes, pixels: bytes) -> list[Pixels | ImageError | int]:
    """The other end: each image's pixels, its ImageError, or ANOTHER_SIZE or YOURS."""
    results: list[Pixels | ImageError | int] = []
    place = 0
    for path, outcome in zip(paths, json.loads(outcomes), strict=True):
        if isinstance(outcome, str):
            results.append(ImageError(Path(path), outcome))
        elif isinstance(outcome, int):
            results.append(outcome)
        else:
            count = outcome[0] * outcome[1] * outcome[2]
            results.append(np.frombuffer(pixels, np.uint8, count, place).reshape(outcome))
            place += count
    return results
