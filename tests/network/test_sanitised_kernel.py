"""The kernel on small networks of all kernels and pooling windows, watched by the compiler's sanitisers."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cnncli.network.compiled.library import FOLDER, variants

AVX512 = ("-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma")
FLAGS = {
    "avx512": ("-DLANES=16", *AVX512),
    "avx512half": ("-DLANES=8", *AVX512),
    "avx2": ("-DLANES=8", "-mavx2", "-mfma"),
    "neon": ("-DLANES=4",),
    "plain": ("-DLANES=4",),
}
SANITISERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g", "-O1")
DRIVER = Path(__file__).parent / "sanitised_kernel.c"


def compile_with_sanitisers(source: Path, program: Path, *flags: str) -> bool:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return False
    command = [compiler, "-std=gnu11", "-ffp-contract=off", *SANITISERS, *flags, f"-I{FOLDER}", str(source)]
    return subprocess.run([*command, "-o", str(program), "-pthread"], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("variant", FLAGS)
def test_the_sanitisers_have_nothing_to_report(variant: str, tmp_path: Path) -> None:
    (tmp_path / "empty.c").write_text("int main(void) { return 0; }\n")
    if not compile_with_sanitisers(tmp_path / "empty.c", tmp_path / "empty"):
        pytest.skip("there is no C compiler with sanitisers")
    if variant not in variants():
        pytest.skip(f"this processor, or this installation, cannot run {variant}")
    assert compile_with_sanitisers(DRIVER, tmp_path / "run", f"-DVARIANT={variant}", *FLAGS[variant])
    done = subprocess.run([tmp_path / "run"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "280 networks\n"
