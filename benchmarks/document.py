"""Run all benchmarks, or those named, and write their results into docs/performance.md, between its markers.

python -m benchmarks.document [startup] [end_to_end] [step] [step_avx2]

OpenBLAS chooses its kernels by the processor, as a user's would, whatever OPENBLAS_CORETYPE says here; but in step_avx2
it is held to those for AVX2.
"""

import json
import os
import re
import sys

from benchmarks import end_to_end, startup, step
from benchmarks.measure import ROOT, machine_line, run

PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Each benchmark in a process of its own."""
    text = PAGE.read_text(encoding="utf-8")
    free = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    benchmarks = {
        "startup": (startup, free),
        "end_to_end": (end_to_end, free),
        "step": (step, free),
        "step_avx2": (step, free | {"OPENBLAS_CORETYPE": "Haswell"}),
    }
    for name in sys.argv[1:] or benchmarks:
        benchmark, environment = benchmarks[name]
        done = run([sys.executable, "-m", benchmark.__name__, "--format", "json"], environment=environment)
        results = json.loads(done.output)
        section = f"<!-- {name} -->\n{machine_line(results)}\n\n{benchmark.table(results)}\n<!-- end -->"
        text, found = re.subn(rf"<!-- {name} -->.*?<!-- end -->", section.replace("\\", r"\\"), text, flags=re.DOTALL)
        assert found == 1, f"{PAGE} has no place for {name}"  # noqa: S101
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
