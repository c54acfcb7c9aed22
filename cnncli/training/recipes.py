"""Recipes: settings that go together, chosen by the experiments in docs/training.md."""

from collections.abc import Mapping
from typing import Any

from cnncli.training.settings import RecipeName

RECIPES: dict[RecipeName, Mapping[str, Any]] = {
    "quick": {},  # the defaults: a first answer in seconds
    "best": {
        "filters": (16, 32, 64),
        "padding": 1,
        "epochs": 60,
        "optimizer": "adamw",
        "weight_decay": 0.02,
        "schedule": "one-cycle",
        "label_smoothing": 0.05,
        "augment": ("shift", "crop", "light"),
    },
}
