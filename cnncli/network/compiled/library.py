"""The compiled kernel: where it is, whether it is there, and which of its variants this processor can run."""

import ctypes
import os
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent
STEM = "_kernel"  # of the library's file, which is made when the program is installed
VARIABLE = "CNNCLI_KERNEL"  # the variant to run, for whoever wants to compare them
MOST_BLOCKS = 16
REST = 1024  # numbers of a Net that Python does not look at; at least so many as there are
NO_LIBRARY = "this installation has no compiled kernel: install a C compiler, then cnncli again"

_int64, _pointer, _double = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double


class Net(ctypes.Structure):
    """A network, and what `plan` finds out about it."""

    _fields_ = (
        *((name, _int64) for name in ("channels", "height", "width", "kernel", "pool", "padding", "outputs", "blocks")),
        ("filters", _int64 * MOST_BLOCKS),
        *((name, _int64) for name in ("parameters", "packed", "sums", "room")),
        ("rest", _int64 * REST),
    )


class Job(ctypes.Structure):
    """A batch, and who works on it."""

    _fields_ = (
        *((name, _pointer) for name in ("parameters", "X", "y", "weights", "bounds")),
        ("images", _int64),
        ("lanes", _int64),
        ("m", _double),
        ("smoothing", _double),
        *((name, _pointer) for name in ("z", "losses", "gradients")),
        *((name, _pointer) for name in ("packed", "sums", "rooms")),
        *((name, _int64) for name in ("threads", "finite", "ticket", "done", "adding", "stop")),
    )


class Kernel:
    """The functions of one variant."""

    def __init__(self, library: ctypes.CDLL, variant: str) -> None:
        self.variant = variant
        self.plan, self.begin, self.complete, self.serve, self.unpack = (
            getattr(library, f"{function}_{variant}") for function in ("plan", "begin", "complete", "serve", "unpack")
        )
        for function in (self.begin, self.complete):
            function.restype = _int64
            function.argtypes = (_pointer, _pointer)
        self.serve.argtypes = (_pointer, _pointer, _int64)
        self.unpack.argtypes = (_pointer, _pointer, _pointer)


@lru_cache
def load_library() -> ctypes.CDLL | None:
    """The library of this installation, if it has one that can be loaded."""
    for path in sorted(FOLDER.glob(f"{STEM}.*")):
        try:
            library = ctypes.CDLL(str(path))
            library.supports.argtypes = (ctypes.c_char_p,)
            Kernel(library, "plain")
        except (OSError, AttributeError):  # damaged, of another machine, or of another version
            continue
        return library
    return None


def variants() -> list[str]:
    """The variants that this processor can run, the best first."""
    library = load_library()
    names = ("avx512", "avx512half", "avx2", "neon", "plain")
    return [name for name in names if library is not None and library.supports(name.encode())]


def choose_variant(filters: tuple[int, ...]) -> str:
    """The best variant, or the one that CNNCLI_KERNEL names.

    Filters fill registers: where those of AVX-512 would stay half empty, half of each is used.
    """
    able = variants()
    if os.environ.get(VARIABLE) in able:
        return os.environ[VARIABLE]
    return "avx512half" if able[0] == "avx512" and max(filters) <= 8 else able[0]


def load_kernel(variant: str) -> Kernel:
    """The functions of a variant, one of `variants`."""
    library = load_library()
    if library is None:
        raise OSError(NO_LIBRARY)
    return Kernel(library, variant)
