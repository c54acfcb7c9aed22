"""Throw mutated inputs at cnncli and report what breaks.

python tools/hammer.py images|models|numbers|folders|kills|options [--count N] [--first N] [--seed S] [--jobs J]
    [--only SEED:CASE]

The exit code is 1 if anything failed or was not tried; each failure comes with the line that repeats it.
"""

import argparse
import signal
import sys
import time
from contextlib import closing
from pathlib import Path

sys.path[0] = str(Path(__file__).parent.parent)  # instead of this folder

from tools.hammering.pool import run_cases  # noqa: E402
from tools.hammering.report import Report  # noqa: E402
from tools.hammering.subjects import SUBJECTS  # noqa: E402


def main() -> int:
    """Run one subject; 1 if anything failed, or if not everything was tried."""
    parser = argparse.ArgumentParser(description="Throw mutated inputs at cnncli and report what breaks.")
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--count", type=int, default=1000, help="how many cases (1000)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first (0)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (0)")
    parser.add_argument("--jobs", type=int, default=2, help="cases at once (2)")
    parser.add_argument("--only", metavar="SEED:CASE", help="repeat one case")
    options = parser.parse_args()
    seed, numbers = options.seed, range(options.first, options.first + options.count)
    if options.only:
        seed, number = map(int, options.only.split(":"))
        numbers = range(number, number + 1)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # ended by anything, it still reports
    report, start = Report(options.subject, seed), time.monotonic()
    with closing(run_cases(options.subject, seed, numbers, options.jobs)) as cases:
        try:
            for number, outcome in cases:
                report.add(number, outcome)
        except KeyboardInterrupt:
            print("stopped: so far")  # noqa: T201
    print(report.text(time.monotonic() - start))  # noqa: T201
    return 1 if report.failures or report.tried < len(numbers) else 0


if __name__ == "__main__":
    sys.exit(main())
