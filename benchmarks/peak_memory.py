"""`cnncli train`, each rank of which also writes how much memory it has.

    python -m benchmarks.peak_memory FOLDER train DATA …

FOLDER gets a file of JSON for each rank: bytes of pixels, resident before the images are read, and resident at most.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

from cnncli.cli import main
from cnncli.distributed.launch import world
from cnncli.training import preparation, run

read, found = preparation.read_data, {}


def resident() -> int:
    """The bytes of memory that this process has had at most."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def noted(*arguments: Any) -> preparation.Data:
    """The data of a training."""
    found["start"] = resident()
    data = read(*arguments)
    found["pixels"] = data.training.images.nbytes + data.validation.images.nbytes
    return data


if __name__ == "__main__":
    folder = Path(sys.argv.pop(1))
    run.read_data = noted  # type: ignore[assignment]
    try:
        main()
    finally:
        (folder / f"{world().rank}.json").write_text(json.dumps({**found, "peak": resident()}))
