"""Make tests/training/sklearn_values.json: what scikit-learn says of some answers.

    pip install scikit-learn numpy
    python tools/make_sklearn_values.py

The tests hold `cnncli evaluate` against this file, so they need no scikit-learn. Nothing here imports cnncli.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import sklearn  # type: ignore[import-not-found, import-untyped, unused-ignore]
from sklearn import metrics  # type: ignore[import-not-found, import-untyped, unused-ignore]

TARGET = Path(__file__).parent.parent / "tests" / "training" / "sklearn_values.json"


def main() -> None:
    """Write the file."""
    cases = [describe(np.random.default_rng(seed), classes, n) for seed, (classes, n) in enumerate(((2, 60), (4, 90)))]
    cases.append(describe(np.random.default_rng(9), 3, 40, absent=1))
    TARGET.write_text(json.dumps({"sklearn": sklearn.__version__, "cases": cases}, separators=(",", ":")) + "\n")


def describe(random: np.random.Generator, classes: int, n: int, absent: int | None = None) -> dict[str, Any]:
    """Random labels and probabilities, rounded so that some are equal, and scikit-learn's figures."""
    y = random.integers(0, classes, n)
    if absent is not None:
        y[y == absent] = 0
    raw = random.random((n, classes)) + 0.7 * np.eye(classes)[y]
    probabilities = np.maximum((raw / raw.sum(axis=1, keepdims=True)).round(2), 0.01)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    answers, labels = probabilities.argmax(axis=1), list(range(classes))
    precision, recall, f1, images = metrics.precision_recall_fscore_support(
        y, answers, labels=labels, zero_division=np.nan
    )
    return {
        "y": y.tolist(),
        "probabilities": probabilities.tolist(),
        "accuracy": metrics.accuracy_score(y, answers),
        "loss": metrics.log_loss(y, probabilities, labels=labels),
        "confusion": metrics.confusion_matrix(y, answers, labels=labels).tolist(),
        "per_class": [
            [None if number != number else float(number) for number in row]
            for row in zip(precision, recall, f1, images, strict=True)
        ],
        "roc_auc": metrics.roc_auc_score(y, probabilities[:, 1]) if classes == 2 else None,
    }


if __name__ == "__main__":
    main()
