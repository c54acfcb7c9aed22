"""Many plain PNG files read at once, by threads: the function in png.c, and what Python does around it."""

import ctypes
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import numpy as np

from cnncli.data.plain_png import MOST_PIXELS, Pixels

FOLDER = Path(__file__).parent
STEM = "_png"  # of the library's file, which is made when the program is installed
MOST_THREADS = 4  # more would wait for what Python does with the images, which is a quarter of the work
MOST_IN_PART = 64  # files that a thread reads before it looks for more


@lru_cache
def load_reader() -> Any | None:
    """The function of this installation, if it has one that can be loaded."""
    for path in sorted(FOLDER.glob(f"{STEM}.*")):
        try:
            reader = ctypes.CDLL(str(path)).read_pngs
        except (OSError, AttributeError):  # damaged, of another machine, or of another version
            continue
        reader.argtypes = (ctypes.c_char_p, *[ctypes.c_int64] * 3, *[ctypes.c_void_p] * 2)
        reader.restype = None
        return reader
    return None


def read_pngs(paths: Sequence[str], size: tuple[int, int], threads: int) -> list[Pixels | None]:
    """The pixels of each plain PNG file of that size, (1, H, W) or (3, H, W) uint8, None for each other file."""
    reader = load_reader()
    height, width = size
    if reader is None or height * width > MOST_PIXELS:
        return [None] * len(paths)
    pixels = np.empty((len(paths), 3, height, width), np.uint8)
    channels = np.zeros(len(paths), np.uint8)
    threads = min(threads, MOST_THREADS)
    length = max(min(len(paths) // threads, MOST_IN_PART), 1)

    def read(first: int) -> None:
        of_part = slice(first, first + length)
        names = os.fsencode("\0".join((*paths[of_part], "")))
        if names.count(0) == len(paths[of_part]):  # else one has a null character, which no file has
            reader(names, names.count(0), height, width, pixels[of_part].ctypes.data, channels[of_part].ctypes.data)

    _share_out(read, range(0, len(paths), length), threads)
    return [image[:count] if count else None for image, count in zip(pixels, channels.tolist(), strict=True)]


def _share_out(work: Callable[[int], None], parts: Sequence[int], threads: int) -> None:
    """Have each part done, by this thread and by others beside it, as far as the system gives them."""
    waiting, done = SimpleQueue[int](), SimpleQueue[int]()
    for part in parts:
        waiting.put(part)

    def serve() -> None:
        with suppress(Empty):
            while True:
                part = waiting.get_nowait()
                with suppress(ValueError, MemoryError):  # a name that cannot be one, or no memory for it
                    work(part)
                done.put(part)

    with suppress(RuntimeError):
        for _ in range(min(threads, len(parts)) - 1):
            Thread(target=serve, daemon=True).start()
    serve()
    for _ in parts:
        done.get()
