"""What tells one image's pixels from another's, and what follows from it."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from cnncli.data.decoding import Pixels

LETTERS = 32  # of a fingerprint: 128 bits
COUNTED_AT_ONCE = 1000  # images


def take_fingerprints(images: Pixels) -> list[str]:
    """A fingerprint of each image's pixels, (n, C, H, W) uint8: equal for equal pixels, and else not."""
    return [blake2b(image.tobytes(), digest_size=LETTERS // 2).hexdigest() for image in images]


def find_duplicates(training: Sequence[str], validation: Sequence[str]) -> list[tuple[int, int]]:
    """The validation images whose fingerprint a training image has too: (number there, number here)."""
    first = {fingerprint: number for number, fingerprint in reversed([*enumerate(training)])}
    return [(first[mark], number) for number, mark in enumerate(validation) if mark in first]


def are_gray(images: Pixels) -> NDArray[np.bool_]:
    """Whether red, green and blue are equal in every pixel of an image: (n, 3, H, W) → (n,)."""
    parts = [images[first : first + COUNTED_AT_ONCE] for first in range(0, len(images), COUNTED_AT_ONCE)]
    return np.concatenate([(part == part[:, :1]).all(axis=(1, 2, 3)) for part in parts])
