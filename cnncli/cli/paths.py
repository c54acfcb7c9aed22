"""Paths that come on stdin."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

AT_ONCE = 1 << 16  # bytes


def read_paths() -> Iterator[list[Path]]:
    """The paths on stdin, one a line: each time those that have come since the last, without waiting for more."""
    if sys.stdin is None:  # the caller closed it
        return
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), AT_ONCE):
        *lines, rest = (rest + chunk).split(b"\n")
        yield _to_paths(lines)
    yield _to_paths([rest])


def _to_paths(lines: list[bytes]) -> list[Path]:
    return [Path(os.fsdecode(line)) for line in lines if line]
