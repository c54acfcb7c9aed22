"""The same network in PyTorch, and a good training script for it: the peer of benchmarks.end_to_end.

    python -m benchmarks.peer DATA EPOCHS each-epoch|once

each-epoch decodes the images in every epoch, in worker processes; once decodes them into memory first. The layers,
optimiser, batch size, normalisation and first weights' distribution are those of `cnncli train`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from cnncli.cores import available_cores
from cnncli.network.architecture import Architecture
from cnncli.network.chain import build_chain

BATCH = 32
RATE = 0.003


def network(architecture: Architecture) -> torch.nn.Sequential:
    """conv → relu → maxpool for each block, flatten, dense."""
    layers: list[torch.nn.Module] = []
    channels = architecture.channels
    for filters in architecture.filters:
        layers += [
            torch.nn.Conv2d(channels, filters, architecture.kernel, padding=architecture.padding),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(architecture.pool),
        ]
        channels = filters
    outputs, inputs = build_chain(architecture).parameter_shapes[f"w{len(architecture.filters) + 1}"]
    return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(inputs, outputs))


class Files(Dataset[tuple[torch.Tensor, int]]):
    """Gray images of class folders, decoded when asked for."""

    def __init__(self, folder: Path) -> None:
        self.classes = sorted(path.name for path in folder.iterdir())
        self.files = [(path, i) for i, name in enumerate(self.classes) for path in sorted((folder / name).iterdir())]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        path, label = self.files[index]
        with Image.open(path) as image:
            return torch.from_numpy(np.array(image.convert("L")))[None], label


def in_memory(files: Files) -> tuple[torch.Tensor, torch.Tensor]:
    """All images and labels, decoded by as many workers as there are cores."""
    loader = DataLoader(files, 1000, num_workers=available_cores())
    images, labels = zip(*loader, strict=True)
    return torch.cat(images), torch.cat(labels)


def train(data: Path, epochs: int, decode: str) -> float:
    """Train, and return the best epoch's accuracy on the validation images."""
    torch.manual_seed(0)
    training, validation = Files(data / "train"), in_memory(Files(data / "val"))
    kept = in_memory(training) if decode == "once" else None
    side = validation[0].shape[-1]
    model = network(Architecture(side, side, classes=len(training.classes))).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    cross_entropy = torch.nn.CrossEntropyLoss()
    workers = available_cores()
    loader = DataLoader(training, BATCH, shuffle=True, num_workers=workers, persistent_workers=True)
    mean, std = 0.286, 0.353  # Fashion-MNIST's own
    best = 0.0
    for _ in range(epochs):
        if kept is None:
            batches = iter(loader)
        else:
            images, labels = kept
            batches = iter([(images[i], labels[i]) for i in torch.randperm(len(images)).split(BATCH)])
        for pixels, label in batches:
            optimiser.zero_grad()
            cross_entropy(model((pixels / 255 - mean) / std), label).backward()
            optimiser.step()
        with torch.inference_mode():
            z = torch.cat([model((pixels / 255 - mean) / std) for pixels in validation[0].split(1000)])
        best = max(best, float((z.argmax(1) == validation[1]).float().mean()))
    return best


if __name__ == "__main__":
    folder, number, way = sys.argv[1:]
    print(json.dumps({"accuracy": train(Path(folder), int(number), way)}))  # noqa: T201
