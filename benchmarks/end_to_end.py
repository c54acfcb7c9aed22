"""From 60,000 + 10,000 image files to a trained model, whole processes seen from the outside.

The images are Fashion-MNIST's, from Debian's package dataset-fashion-mnist, written as PNG files in class folders.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.measure import markdown, print_results, run

SOURCE = Path("/usr/share/datasets/fashion-mnist")
SPLITS = {"train": "train", "val": "t10k"}
EPOCHS = 5


def write_images(folder: Path) -> None:
    """Write train/0 … train/9 and val/0 … val/9."""
    for split, prefix in SPLITS.items():
        with gzip.open(SOURCE / f"{prefix}-images-idx3-ubyte.gz") as images:
            pixels = np.frombuffer(images.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(SOURCE / f"{prefix}-labels-idx1-ubyte.gz") as labels:
            classes = np.frombuffer(labels.read(), np.uint8, offset=8)
        for label in range(10):
            (folder / split / str(label)).mkdir(parents=True)
        for number, (image, label) in enumerate(zip(pixels, classes, strict=True)):
            Image.fromarray(image).save(folder / split / str(label) / f"{number:05}.png")


def measure() -> dict[str, Any]:
    """cnncli, and both variants of the PyTorch script, one after the other."""
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary, "data")
        write_images(data)
        peer = [sys.executable, "-m", "benchmarks.peer", str(data), str(EPOCHS)]
        ours = [sys.executable, "-m", "cnncli", "train", str(data), "--epochs", str(EPOCHS), "--format", "json", "-q"]
        commands = {
            "cnncli train": [*ours, "--out", str(Path(temporary, "run"))],
            "PyTorch, decoding each epoch": [*peer, "each-epoch"],
            "PyTorch, decoding once": [*peer, "once"],
        }
        rows = {}
        run([*commands["PyTorch, decoding once"][:-2], "1", "once"])  # brings all files into the system's cache
        for name, command in commands.items():
            done = run(command)
            answer = json.loads(done.output)
            accuracy = answer["accuracy"] if "accuracy" in answer else answer["val"]["accuracy"]
            rows[name] = {"seconds": done.seconds, "peak_megabytes": done.megabytes, "test_accuracy": accuracy}
    return {"epochs": EPOCHS, "end_to_end": rows}


def table(results: Any) -> str:
    """The results as Markdown."""
    rows = results["end_to_end"]
    ours = rows["cnncli train"]["seconds"]
    return markdown(
        ("60,000 + 10,000 PNG files, 5 epochs", "seconds", "times cnncli's", "peak memory of one process", "accuracy"),
        [
            (
                name,
                f"{row['seconds']:.1f}",
                f"{row['seconds'] / ours:.1f}",
                f"{row['peak_megabytes']:.0f} MB",
                f"{row['test_accuracy']:.1%}",
            )
            for name, row in rows.items()
        ],
    )


if __name__ == "__main__":
    print_results("From image files to a trained model, against PyTorch.", measure, table)
