"""Run all benchmarks, or those named, and write their results into docs/performance.md, between its markers.

python -m benchmarks.document [--quick] [startup] [end_to_end] [step] [step_avx2] [scaling]

OpenBLAS chooses its kernels by the processor, as a user's would, whatever OPENBLAS_CORETYPE says here; but in step_avx2
it, PyTorch and our kernel are all held to AVX2.
"""

import json
import os
import sys

from benchmarks import end_to_end, scaling, startup, step
from benchmarks.measure import ROOT, machine_line, run, write_section

AVX2 = {
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "CNNCLI_KERNEL": "avx2",
}
PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Each benchmark in a process of its own."""
    free = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    quick = [name for name in sys.argv[1:] if name == "--quick"]
    benchmarks = {
        "startup": (startup, free),
        "end_to_end": (end_to_end, free),
        "step": (step, free),
        "step_avx2": (step, free | AVX2),
        "scaling": (scaling, free),
    }
    for name in [name for name in sys.argv[1:] if name not in quick] or benchmarks:
        benchmark, environment = benchmarks[name]
        done = run([sys.executable, "-m", benchmark.__name__, "--format", "json", *quick], environment=environment)
        results = json.loads(done.output)
        write_section(PAGE, name, f"{machine_line(results)}\n\n{benchmark.table(results)}")


if __name__ == "__main__":
    main()
