"""Build the wheels of a release, one for each platform, with zig's C compiler, and check them.

python tools/build_wheels.py [FOLDER]          dist/ if no folder is given; needs the extra `release`

Each wheel's libraries must be there, for its platform, and export what is called: the kernel and, but for Windows, the
reader of PNG files. The wheel for this machine is also installed where no compiler is on the path, and trains.
"""

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import ziglang

ROOT = Path(__file__).parent.parent


class Platform(NamedTuple):
    """Where a wheel runs."""

    tag: str  # of the wheel
    target: str  # zig's name
    variants: tuple[str, ...]
    magic: bytes  # how the library begins
    machine: tuple[int, bytes]  # what tells the processor, and where in the file

    @property
    def exports(self) -> dict[str, list[str]]:
        """The libraries of its wheel, and the functions in them."""
        kernel = {"_kernel": [f"complete_{variant}" for variant in self.variants]}
        return kernel if self.magic == PE else kernel | {"_png": ["read_pngs"]}


X86, ARM = ("avx512", "avx512half", "avx2", "plain"), ("neon", "plain")
ELF, MACH_O, PE = b"\x7fELF", b"\xcf\xfa\xed\xfe", b"MZ"
PLATFORMS = (
    Platform("manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17", X86, ELF, (18, b"\x3e\x00")),
    Platform("manylinux_2_17_aarch64", "aarch64-linux-gnu.2.17", ARM, ELF, (18, b"\xb7\x00")),
    Platform("macosx_10_13_x86_64", "x86_64-macos", X86, MACH_O, (4, b"\x07\x00\x00\x01")),
    Platform("macosx_11_0_arm64", "aarch64-macos", ARM, MACH_O, (4, b"\x0c\x00\x00\x01")),
    Platform("win_amd64", "x86_64-windows-gnu", X86, PE, (0, PE)),
)


def build(platform: Platform, folder: Path) -> Path:
    """The wheel of a platform."""
    # zig itself, for pip hides what is installed here from every Python that it starts for a build.
    zig = Path(ziglang.__file__).parent / ("zig.exe" if os.name == "nt" else "zig")
    compiler = shlex.join([str(zig), "cc", "-target", platform.target])
    environment = os.environ | {"CC": compiler, "CNNCLI_PLATFORM": platform.tag}
    before = set(folder.glob("*.whl"))
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(command, env=environment, check=True)  # noqa: S603
    (wheel,) = set(folder.glob("*.whl")) - before
    return wheel


def check(wheel: Path, platform: Platform) -> None:
    """Raise SystemExit where a wheel is not what its name says."""
    if not wheel.stem.endswith(f"-py3-none-{platform.tag}"):
        raise SystemExit(f"{wheel.name} is not for {platform.tag}: the kernel was not compiled")
    with zipfile.ZipFile(wheel) as archive:
        libraries = {Path(name).stem: archive.read(name) for name in archive.namelist()}
    at, expected = platform.machine
    for name, functions in platform.exports.items():
        library = libraries.get(name, b"")
        if not library.startswith(platform.magic) or library[at : at + len(expected)] != expected:
            raise SystemExit(f"{wheel.name}: {name} is not there, or not for {platform.target}")
        for function in functions:
            if function.encode() not in library:
                raise SystemExit(f"{wheel.name}: {name} has no {function}")


def try_here(wheel: Path) -> None:
    """Install a wheel in a fresh environment without a compiler, and train with the compiled engine."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        programs = Path(folder, "bin")
        environment = {"PATH": str(programs), "HOME": folder, "CC": "/bin/false"}
        train = ["train", str(ROOT / "sample_data" / "fashion"), "--epochs", "1", "--engine", "compiled"]
        for command in (["python", "-m", "pip", "install", "-q", str(wheel)], ["cnncli", *train]):
            program = str(programs / command[0])
            subprocess.run([program, *command[1:]], env=environment, cwd=folder, check=True)  # noqa: S603
        tell = "from cnncli.network.compiled.library import variants; print(*variants())"
        able = subprocess.check_output([programs / "python", "-c", tell], env=environment, cwd=folder, text=True)  # noqa: S603
        if " avx2 " in Path("/proc/cpuinfo").read_text(encoding="utf-8") and "avx2" not in able.split():
            raise SystemExit(f"{wheel.name}: this processor has AVX2, and the kernel does not see it: {able}")


def main() -> None:
    """Build and check all of them."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for platform in PLATFORMS:
        wheel = build(platform, folder)
        check(wheel, platform)
        sys.stdout.write(f"{wheel.name}: {wheel.stat().st_size / 1024:,.0f} kB\n")
        system, _, processor = sysconfig.get_platform().partition("-")
        if system == "linux" and platform.tag.startswith("manylinux") and platform.tag.endswith(processor):
            try_here(wheel)


if __name__ == "__main__":
    main()
