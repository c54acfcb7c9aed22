"""Run all benchmarks, or those named, and write their results into docs/performance.md, between its markers.

python -m benchmarks.document [startup] [end_to_end] [step]
"""

import json
import re
import sys

from benchmarks import end_to_end, startup, step
from benchmarks.measure import ROOT, machine_line, run

PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Each benchmark in a process of its own."""
    text = PAGE.read_text(encoding="utf-8")
    benchmarks = {"startup": startup.table, "end_to_end": end_to_end.table, "step": step.table}
    for name in sys.argv[1:] or benchmarks:
        results = json.loads(run([sys.executable, "-m", f"benchmarks.{name}", "--format", "json"]).output)
        section = f"<!-- {name} -->\n{machine_line(results)}\n\n{benchmarks[name](results)}\n<!-- end -->"
        text, found = re.subn(rf"<!-- {name} -->.*?<!-- end -->", lambda _, new=section: new, text, flags=re.DOTALL)
        assert found == 1, f"{PAGE} has no place for {name}"  # noqa: S101
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
