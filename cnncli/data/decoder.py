"""Many image files decoded, in order; by one process for each core where there are enough of them to pay."""

import os
import signal
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cnncli.data.decoding import Pixels, Size, decode
from cnncli.errors import ImageError

WORTH_PROCESSES = 4000  # images: the start of the processes, 0.3 s, is then a small part
PER_TASK = 256  # images that a process decodes before it hands them over

Result = Pixels | ImageError


def decode_many(
    paths: Sequence[Path], size: Size | None, processes: int | None = None
) -> Generator[Result, None, None]:
    """The pixels of each image, fitted to `size`, or its ImageError; in the order given."""
    processes = processes or os.cpu_count() or 1
    if processes == 1 or len(paths) < WORTH_PROCESSES:
        for path in paths:
            yield _decode_one_file(path, size)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context  # both load much that the small data sets never need

    tasks = [paths[first : first + PER_TASK] for first in range(0, len(paths), PER_TASK)]
    # Processes, not threads: a small image is mostly Python's own work. Spawned, for there are threads already.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_leave_signals_to_the_parent)
    try:
        for paths_of_task, results in zip(tasks, pool.map(partial(_decode_task, size=size), tasks), strict=True):
            for path, result in zip(paths_of_task, results, strict=True):
                yield ImageError(path, result) if isinstance(result, str) else result
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_signals_to_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal; the one that the person started answers for all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _decode_task(paths: Sequence[Path], size: Size | None) -> list[Pixels | str] | Pixels:
    """Each image's pixels or the reason why there are none: an exception of two arguments does not travel."""
    decoded = [_decode_one_file(path, size) for path in paths]
    results = [result.reason if isinstance(result, ImageError) else result for result in decoded]
    shapes = {None if isinstance(result, str) else result.shape for result in results}
    return results if None in shapes or len(shapes) > 1 else np.stack(results)  # one array travels faster than many


def _decode_one_file(path: Path, size: Size | None) -> Result:
    try:
        return decode(path, size)
    except ImageError as error:
        return error
