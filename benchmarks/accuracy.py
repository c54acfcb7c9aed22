"""Fashion-MNIST by its official split, from PNG files: what networks of one and of two blocks reach, beside PyTorch.

    python -m benchmarks.accuracy [--network NAME,…] [--seeds 0,1,2] [--images N] [--epochs N] [--peer] [--trial]
                                  [--time] [--folder PATH] [--document]

Trained is on the 60,000 training images, but for 60 of each class that a run keeps for its validation; the 10,000 test
images are looked at once, at the end, with the weights of the last epoch. PyTorch (--peer) has the same network, batch
size, schedule, decay, smoothing and augmentation, and random numbers of its own. --trial is for choosing: it keeps a
sixth of the training images for validation and looks at no test image.

With --folder the images, the runs and accuracy.json stay there: a benchmark that was stopped goes on with its runs, and
what has been measured is not measured again. --document writes the table into docs/training.md.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import cnncli
from benchmarks.datasets import read_fashion
from benchmarks.measure import TRAINING_PAGE, markdown, write_section
from cnncli.training.augmentation import Augmentation, Draws
from cnncli.training.checkpoint import LAST, read_checkpoint
from cnncli.training.schedules import learning_rate_share
from cnncli.training.settings import parse_augmentations

CLASSES = 10
COMMON: dict[str, Any] = {
    "optimizer": "adamw",
    "learning_rate": 0.003,
    "weight_decay": 0.02,
    "schedule": "one-cycle",
    "label_smoothing": 0.05,
    "batch_size": 64,
    "validation_fraction": 0.01,
}
NETWORKS: dict[str, dict[str, Any]] = {
    "one": {"filters": (64,), "kernel": 5, "pool": 3, "epochs": 20, "augment": ("flip", "shift=1")},
    "two": {"filters": (48, 96), "padding": 1, "epochs": 24, "augment": ("flip", "shift=1")},
}
TRIAL = 1 / 6  # of the training images

Results = dict[str, dict[str, dict[str, Any]]]  # of a network by contender by seed


def write_images(folder: Path, most: int | None) -> None:
    """Write train/0 … train/9 and test/0 … test/9, of each split the first `most` images."""
    for split, prefix in (("train", "train"), ("test", "t10k")):
        for number, (image, label) in enumerate(zip(*(part[:most] for part in read_fashion(prefix)), strict=True)):
            path = folder / split / str(label)
            path.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path / f"{number:05}.png")


def train(data: Path, run: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """One training with cnncli, gone on with where it was stopped, and the answers of its last epoch's weights."""
    summary = cnncli.train(data / "train", out=run, resume=True, checkpoint_minutes=1.0, **settings)
    last = read_checkpoint(run / LAST)
    trial = settings["validation_fraction"] == TRIAL
    return {
        "test": float("nan") if trial else cnncli.evaluate(data / "test", last.model).accuracy,
        "training": last.state.history[-1].training.accuracy,
        "validation": last.state.history[-1].validation.accuracy,
        "parameters": last.model.chain.parameter_count,
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
    model = network(last.model.architecture).to(memory_format=torch.channels_last)
    for layer in model:
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            torch.nn.init.zeros_(layer.bias)
    optimiser = torch.optim.AdamW(model.parameters(), settings["learning_rate"], weight_decay=settings["weight_decay"])
    size, epochs = settings["batch_size"], settings["epochs"]
    steps, step = epochs * -(-len(X) // size), 0
    augmentation = Augmentation(parse_augmentations(settings["augment"]))
    for _ in range(epochs):
        for chosen in torch.randperm(len(X)).split(size):
            share = learning_rate_share(settings["schedule"], step, steps, 0.3)
            optimiser.param_groups[0]["lr"] = settings["learning_rate"] * share
            images = (X[chosen].float() / 255 - mean) / std
            drawn = torch.rand(len(chosen), len(Draws._fields)).numpy()
            images = torch.from_numpy(augmentation.apply(images.numpy(), drawn))
            optimiser.zero_grad()
            logits = model(images.contiguous(memory_format=torch.channels_last))
            functional.cross_entropy(logits, y[chosen], label_smoothing=settings["label_smoothing"]).backward()
            optimiser.step()
            step += 1
    with torch.inference_mode():
        z = torch.cat([model((part.float() / 255 - mean) / std) for part in X_test.split(500)])
    return {"test": float((z.argmax(1) == y_test).float().mean())}


def _read(files: list[tuple[Path, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 1, 28, 28) and labels."""
    images = []
    for path, _ in files:
        with Image.open(path) as image:
            images.append(np.array(image))
    return np.stack(images)[:, None], np.array([label for _, label in files])


def estimate_seconds(data: Path, _run: Path, settings: dict[str, Any]) -> float:
    """Seconds of a whole training, from steps that are timed now."""
    return cnncli.rehearse(data / "train", **settings).seconds


CONTENDERS: dict[str, Callable[[Path, Path, dict[str, Any]], Any]] = {
    "cnncli": train,
    "PyTorch": train_peer,
    "seconds": estimate_seconds,
}


def measure(folder: Path, options: argparse.Namespace) -> Results:
    """What is measured already, and what was asked for; each figure is stored as soon as it is there."""
    data, kept = folder / "data", folder / "accuracy.json"
    if not data.exists():
        write_images(folder / "part", options.images)
        (folder / "part").rename(data)
    results: Results = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    chosen = ["cnncli", *(["PyTorch"] if options.peer else []), *(["seconds"] if options.time else [])]
    for name, seed, who in product(options.network.split(","), options.seeds.split(","), chosen):
        settings = {**COMMON, **NETWORKS[name], "seed": int(seed)}
        settings |= {"epochs": options.epochs} if options.epochs else {}
        settings |= {"validation_fraction": TRIAL} if options.trial else {}
        found = results.setdefault(name, {}).setdefault(who, {})
        if seed not in found:
            found[seed] = CONTENDERS[who](data, folder / f"{name} {seed}", settings)
            print(f"{name}, {who}, seed {seed}: {found[seed]}", flush=True)  # noqa: T201
            kept.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return results


def table(results: Results) -> str:
    """The results as Markdown: means over the seeds."""
    rows = []
    for name, by_contender in results.items():
        runs = by_contender["cnncli"]
        (parameters,) = {run["parameters"] for run in runs.values()}
        seconds = [f"{value:.0f} s" for value in by_contender.get("seconds", {}).values()]
        for who, time_ in (("cnncli", ", ".join(seconds)), ("PyTorch", "")):
            accuracies = [run["test"] for run in by_contender.get(who, {}).values()]
            if accuracies:
                spread = f"{100 * statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else ""
                each = ", ".join(f"{accuracy:.2%}" for accuracy in accuracies)
                rows.append((name, f"{parameters:,}", who, f"{statistics.mean(accuracies):.2%}", spread, each, time_))
    return markdown(("blocks", "parameters", "", "test accuracy", "±", "each seed", "time, estimated"), rows)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Fashion-MNIST by its official split.")
    parser.add_argument("--network", default=",".join(NETWORKS), help=f"with commas between, of {', '.join(NETWORKS)}")
    parser.add_argument("--trial", action="store_true", help="look at no test image")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--images", type=int, help="so many of each split, for a trial")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--peer", action="store_true", help="PyTorch too")
    parser.add_argument("--time", action="store_true", help="estimate the time of a training: keep the machine quiet")
    parser.add_argument("--folder", type=Path, help="where everything stays, so that a benchmark can be gone on with")
    parser.add_argument("--document", action="store_true", help="write the table into docs/training.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = table(measure(folder, options))
    print(found)  # noqa: T201
    if options.document:
        write_section(TRAINING_PAGE, "accuracy", found)


if __name__ == "__main__":
    main()
