"""The recipes on small data sets of different kinds: accuracy on the training, validation and test images.

    python -m benchmarks.recipes [--seeds N] [--only NAME,…] [--write PATH] [--document]

Each training is the command's own, with no option but the recipe and the seed; the test images play no part in it. The
model is that of the best epoch on the validation images, and the test images tell what it is worth.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import cnncli
from benchmarks.datasets import DATASETS, write_folder
from benchmarks.measure import TRAINING_PAGE, markdown, write_section
from cnncli.training.recipes import RECIPES

SEEDS = 3


def measure(names: list[str], seeds: int) -> dict[str, Any]:
    """Each recipe on each data set, one after the other."""
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number, name in enumerate(names):
            data = Path(temporary, str(number))
            write_folder(data, name)
            for recipe in RECIPES:
                runs = [
                    train(data, Path(temporary, f"{number} {recipe} {seed}"), recipe, seed) for seed in range(seeds)
                ]
                results.setdefault(name, {})[recipe] = runs
                accuracies = [run["test"] for run in runs]
                print(f"{name}, {recipe}: {accuracies}", flush=True)  # noqa: T201
    return results


def train(data: Path, run: Path, recipe: str, seed: int) -> dict[str, float]:
    """One training; its processor time is that of the whole process."""
    start = time.process_time()
    summary = cnncli.train(data, out=run, recipe=recipe, seed=seed, threads=1)
    seconds = time.process_time() - start
    return {
        "train": summary.best.training.accuracy,
        "val": summary.best.validation.accuracy,
        "test": cnncli.evaluate(data, run, split="test").accuracy,
        "cpu_seconds": seconds,
    }


def table(results: dict[str, Any]) -> str:
    """The results as Markdown: means over the seeds, and the standard deviations over them in points."""
    rows = []
    for name, by_recipe in results.items():
        for recipe, runs in by_recipe.items():
            mean = {key: statistics.mean(run[key] for run in runs) for key in runs[0]}
            spread = {key: statistics.stdev(run[key] for run in runs) if len(runs) > 1 else 0.0 for key in runs[0]}
            rows.append(
                (
                    name,
                    recipe,
                    f"{mean['train']:.1%}",
                    *(f"{mean[split]:.1%} ± {100 * spread[split]:.1f}" for split in ("val", "test")),
                    f"{mean['cpu_seconds']:.0f} s",
                )
            )
    return markdown(("data set", "recipe", "training", "validation", "test", "CPU time"), rows)


def main() -> None:
    """Measure, and print the table; the figures go to a file too where one is named."""
    parser = argparse.ArgumentParser(description="The recipes on small data sets of different kinds.")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", help="words of the names of data sets, with commas")
    parser.add_argument("--write", type=Path, help="a JSON file for the figures")
    parser.add_argument("--document", action="store_true", help="write the table into docs/training.md")
    options = parser.parse_args()
    words = options.only.split(",") if options.only else [""]
    results = measure([name for name in DATASETS if any(word in name for word in words)], options.seeds)
    if options.write:
        options.write.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(table(results))  # noqa: T201
    if options.document:
        write_section(TRAINING_PAGE, "recipes", table(results))


if __name__ == "__main__":
    main()
