"""Make tests/training/torch_optimisers.json: what PyTorch's optimisers and schedules do, in float64.

python tools/make_torch_optimisers.py
"""

import json
from pathlib import Path
from typing import Any

import torch

TARGET = Path(__file__).parent.parent / "tests" / "training" / "torch_optimisers.json"
START = [1.0, -2.0, 0.5]
GRADIENTS = [[0.3, -1.0, 0.0], [0.1, 2.0, -0.5], [-0.7, 0.4, 1e-3], [5.0, 0.0, -2.0], [0.2, 0.2, 0.2]]
RATES = [0.1, 0.2, 0.05, 0.1, 0.01]
OPTIMISERS: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, {}, {}),
    "adam with decay": (torch.optim.Adam, {"weight_decay": 0.1}, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.1}, {}),
    "sgd": (torch.optim.SGD, {}, {"momentum": 0.9}),
    "sgd with decay": (torch.optim.SGD, {"weight_decay": 0.1}, {"momentum": 0.8}),
}


def follow(make: Any, options: dict[str, Any]) -> list[list[float]]:
    """The parameters after each step."""
    parameter = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimiser = make([parameter], lr=1.0, **options)
    path = []
    for gradient, rate in zip(GRADIENTS, RATES, strict=True):
        optimiser.param_groups[0]["lr"] = rate
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
        path.append(parameter.tolist())
    return path


def rates(make: Any, steps: int) -> list[float]:
    """The learning rate of each step, of a largest rate of 1."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = make(optimiser)
    path = []
    for _ in range(steps):
        path.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step() if len(path) < steps else None
    return path


def main() -> None:
    """Write the file."""
    schedule = torch.optim.lr_scheduler
    values = {
        "torch": torch.__version__,
        "start": START,
        "gradients": GRADIENTS,
        "rates": RATES,
        "optimisers": {
            name: {"options": decay, "momentum": momentum.get("momentum", 0.9), "path": follow(make, decay | momentum)}
            for name, (make, decay, momentum) in OPTIMISERS.items()
        },
        "one-cycle": {
            str(warm_up): rates(
                lambda o, warm_up=warm_up: schedule.OneCycleLR(o, 1.0, total_steps=40, pct_start=warm_up), 40
            )
            for warm_up in (0.1, 0.3)
        },
        "cosine": {"0": rates(lambda o: schedule.CosineAnnealingLR(o, 40), 40)},
    }
    TARGET.write_text(json.dumps(values) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
