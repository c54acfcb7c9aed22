"""Compiles what is in C when the program is built or installed; without a compiler it goes on without it.

What is compiled, and how, stands in SOURCES and KINDS. The environment may name the compiler (CC, a command) and the
platform tag of a wheel for another machine (CNNCLI_PLATFORM): tools/build_wheels.py does.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KERNEL = Path("cnncli", "network", "compiled", "kernel.c")
READER = Path("cnncli", "data", "compiled", "png.c")  # needs POSIX
SOURCES = {KERNEL: "training will use NumPy", READER: "images will be read by Pillow"}  # and what is without it
FLAGS = ("-O2", "-std=gnu11", "-ffp-contract=off", "-fvisibility=hidden")
AVX512 = ("-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mavx2", "-mfma")
# Of each family of processors the variants of the kernel: floats in a register, and flags. The last tells which a
# processor can run.
KINDS = {
    "x86_64": {
        "avx512": (16, AVX512),
        "avx512half": (8, AVX512),
        "avx2": (8, ("-mavx2", "-mfma")),
        "plain": (4, ("-DDETECT",)),
    },
    "arm64": {"neon": (4, ()), "plain": (4, ("-DDETECT",))},
    "other": {"plain": (4, ("-DDETECT",))},
}
SECONDS = 300  # that a compiler may take


class KernelHook(BuildHookInterface[Any]):
    """Puts each library beside its source: into the wheel, or into the tree where an installation is editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is put together."""
        tag = os.environ.get("CNNCLI_PLATFORM") or sysconfig.get_platform()
        root = Path(self.root)
        in_tree = version == "editable"
        self._temporary = tempfile.TemporaryDirectory()
        for source, without in SOURCES.items():
            if source == READER and tag.startswith("win"):
                continue
            library = source.with_name(f"_{source.stem}.{_suffix(tag)}")
            made = root / library if in_tree else Path(self._temporary.name, library.name)
            if not (in_tree and "CC" not in os.environ and _is_newer(made, root / source, Path(__file__))):
                made.unlink(missing_ok=True)
                if problem := build(root / source, made, find_variants(source, tag), tag):
                    self.app.display_warning(f"{source.name} is not compiled: {problem}; {without} and take longer")
                    continue
            if not in_tree:
                build_data["force_include"][str(made)] = str(library)
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{tag.replace('-', '_').replace('.', '_')}"

    def finalize(self, *_: object) -> None:
        """Called when the wheel is there."""
        self._temporary.cleanup()


def find_variants(source: Path, tag: str) -> list[tuple[str, ...]]:
    """The flags with which a source is compiled, once with each."""
    if source == READER:
        return [()]
    kinds = KINDS[_family(tag)].items()
    return [(f"-DVARIANT={name}", f"-DLANES={lanes}", *flags) for name, (lanes, flags) in kinds]


def build(source: Path, library: Path, variants: list[tuple[str, ...]], tag: str) -> str:
    """Compile all variants of a source into one library; what went wrong, if anything."""
    compiler = find_compiler()
    if not compiler:
        return "there is no C compiler (cc, gcc or clang)"
    with tempfile.TemporaryDirectory() as folder:
        shared = () if tag.startswith("win") else ("-fPIC",)
        common = [*compiler, *FLAGS, *shared, "-c", str(source)]
        commands = [[*common, *flags, "-o", str(Path(folder, f"{number}.o"))] for number, flags in enumerate(variants)]
        made = Path(folder, library.name)
        objects = [command[-1] for command in commands]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = [problem for problem in pool.map(_run, commands) if problem]
        problem = problems[0] if problems else _run([*compiler, "-shared", "-o", str(made), *objects])
        if not problem:
            shutil.copy(made, library)
        return problem


def find_compiler() -> list[str]:
    """The command of the C compiler."""
    if named := os.environ.get("CC"):
        return shlex.split(named)
    return next(([path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), [])


def _suffix(tag: str) -> str:
    """Of a library."""
    return "dll" if tag.startswith("win") else "dylib" if tag.startswith("macos") else "so"


def _family(tag: str) -> str:
    """Of processors."""
    machine = tag if "CNNCLI_PLATFORM" in os.environ else platform.machine().lower()
    known = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
    is_64_bit = sys.maxsize > 2**32
    return next((family for name, family in known.items() if machine.endswith(name) and is_64_bit), "other")


def _run(command: list[str]) -> str:
    """Run a compiler; what it complains about."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, errors="replace")  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"{command[0]} failed").splitlines()[0]


def _is_newer(library: Path, *sources: Path) -> bool:
    """Whether a library is younger than all that it is made of."""
    return library.exists() and all(library.stat().st_mtime > source.stat().st_mtime for source in sources)
