"""Fashion-MNIST by its official split, from PNG files: what networks of one and of two blocks reach, beside PyTorch.

    python -m benchmarks.accuracy [--network NAME,…] [--seeds 0,1,2] [--images N] [--epochs N] [--peer] [--trial]
                                  [--write PATH]

Trained is on the 60,000 training images, but for 60 of each class that a run keeps for its validation; the 10,000 test
images are looked at once, at the end, with the weights of the last epoch. PyTorch (--peer) has the same network, batch
size, schedule, decay, smoothing and augmentation, and random numbers of its own. --trial is for choosing: it keeps a
sixth of the training images for validation and looks at no test image.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import cnncli
from benchmarks.datasets import read_fashion
from benchmarks.measure import markdown
from cnncli.training.checkpoint import LAST, read_checkpoint
from cnncli.training.schedules import learning_rate_share

CLASSES = 10
COMMON: dict[str, Any] = {
    "optimizer": "adamw",
    "learning_rate": 0.003,
    "weight_decay": 0.02,
    "schedule": "one-cycle",
    "label_smoothing": 0.05,
    "augment": ("flip", "shift=1"),
    "batch_size": 64,
    "validation_fraction": 0.01,
}
NETWORKS: dict[str, dict[str, Any]] = {
    "one": {"filters": (64,), "kernel": 5, "pool": 3, "epochs": 20},
    "two": {"filters": (40, 84), "kernel": 5, "epochs": 30},
    "two-3x3": {"filters": (48, 128), "epochs": 30},
}
DEFAULT = "one,two"
TRIAL = 1 / 6  # of the training images


def write_images(folder: Path, most: int | None) -> None:
    """Write train/0 … train/9 and test/0 … test/9, of each split the first `most` images."""
    for split, prefix in (("train", "train"), ("test", "t10k")):
        for number, (image, label) in enumerate(zip(*(part[:most] for part in read_fashion(prefix)), strict=True)):
            path = folder / split / str(label)
            path.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path / f"{number:05}.png")


def train(data: Path, run: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """One training with cnncli, and the test images answered by the weights of its last epoch."""
    start = time.perf_counter()
    summary = cnncli.train(data / "train", out=run, **settings)
    seconds = time.perf_counter() - start
    last = read_checkpoint(run / LAST)
    trial = settings["validation_fraction"] == TRIAL
    return {
        "test": float("nan") if trial else cnncli.evaluate(data / "test", last.model).accuracy,
        "validation": last.state.history[-1].validation.accuracy,
        "parameters": last.model.chain.parameter_count,
        "seconds": seconds,
        "epochs": summary.epochs,
    }


def train_peer(data: Path, run: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """The same with PyTorch, on the images that the run in `run` trained on."""
    import csv

    import torch
    from torch.nn import functional

    from benchmarks.peer import network

    torch.manual_seed(settings["seed"])
    last = read_checkpoint(run / LAST)
    with (run / "split.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    X, y = (torch.from_numpy(a) for a in _read([(data / "train" / row["file"], int(row["class"])) for row in rows]))
    tests = [(path, int(path.parent.name)) for path in sorted((data / "test").rglob("*.png"))]
    X_test, y_test = (torch.from_numpy(a) for a in _read(tests))
    mean, std = last.model.normalisation.mean[0], last.model.normalisation.std[0]
    start = time.perf_counter()
    model = network(last.model.architecture).to(memory_format=torch.channels_last)
    for layer in model:
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            torch.nn.init.zeros_(layer.bias)
    optimiser = torch.optim.AdamW(model.parameters(), settings["learning_rate"], weight_decay=settings["weight_decay"])
    size, epochs = settings["batch_size"], settings["epochs"]
    steps, step = epochs * -(-len(X) // size), 0
    for _ in range(epochs):
        for chosen in torch.randperm(len(X)).split(size):
            share = learning_rate_share(settings["schedule"], step, steps, 0.3)
            optimiser.param_groups[0]["lr"] = settings["learning_rate"] * share
            images = (X[chosen].float() / 255 - mean) / std
            images = torch.where((torch.rand(len(chosen)) < 0.5)[:, None, None, None], images.flip(3), images)
            wide = functional.pad(images, (1, 1, 1, 1), mode="reflect")
            down, right = torch.randint(0, 3, (2, len(chosen)))
            rows_of = (down[:, None] + torch.arange(28))[:, :, None]
            images = wide[
                torch.arange(len(chosen))[:, None, None], 0, rows_of, (right[:, None] + torch.arange(28))[:, None]
            ]
            optimiser.zero_grad()
            logits = model(images[:, None].contiguous(memory_format=torch.channels_last))
            functional.cross_entropy(logits, y[chosen], label_smoothing=settings["label_smoothing"]).backward()
            optimiser.step()
            step += 1
    seconds = time.perf_counter() - start
    with torch.inference_mode():
        z = torch.cat([model((part.float() / 255 - mean) / std) for part in X_test.split(500)])
    return {"test": float((z.argmax(1) == y_test).float().mean()), "seconds": seconds}


def _read(files: list[tuple[Path, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 1, 28, 28) and labels."""
    images = []
    for path, _ in files:
        with Image.open(path) as image:
            images.append(np.array(image))
    return np.stack(images)[:, None], np.array([label for _, label in files])


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    """The results as Markdown: means over the seeds."""
    rows = []
    for name, runs in results.items():
        accuracies = [run["test"] for run in runs]
        spread = statistics.stdev(accuracies) if len(runs) > 1 else 0.0
        rows.append(
            (
                name,
                f"{runs[0]['parameters']:,}" if "parameters" in runs[0] else "the same",
                f"{statistics.mean(accuracies):.2%}",
                f"{100 * spread:.2f}",
                ", ".join(f"{accuracy:.2%}" for accuracy in accuracies),
                f"{statistics.mean(run['seconds'] for run in runs):.0f} s",
            )
        )
    return markdown(("network", "parameters", "test accuracy", "±", "each seed", "time of one training"), rows)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Fashion-MNIST by its official split.")
    parser.add_argument("--network", default=DEFAULT, help=f"names with commas between, of {'; '.join(NETWORKS)}")
    parser.add_argument("--trial", action="store_true", help="look at no test image")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--images", type=int, help="so many of each split, for a trial")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--peer", action="store_true", help="PyTorch too")
    parser.add_argument("--write", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary, "data")
        write_images(data, options.images)
        for name in [name for name in NETWORKS if name in options.network.split(",")]:
            for seed in map(int, options.seeds.split(",")):
                settings = {**COMMON, **NETWORKS[name], "seed": seed}
                settings |= {"epochs": options.epochs} if options.epochs else {}
                settings |= {"validation_fraction": TRIAL} if options.trial else {}
                run = Path(temporary, f"{name} {seed}")
                contenders = {"": train, ", PyTorch": train_peer} if options.peer else {"": train}
                for suffix, contender in contenders.items():
                    label = f"{len(settings['filters'])} block, filters {settings['filters']}{suffix}"
                    results.setdefault(label, []).append(contender(data, run, settings))
                    print(json.dumps({label: results[label][-1]}), flush=True)  # noqa: T201
                if options.write:
                    options.write.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(table(results))  # noqa: T201


if __name__ == "__main__":
    main()
