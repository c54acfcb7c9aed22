"""What a model is."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import prod
from typing import Any

from rich.table import Table

from cnncli.model import Model
from cnncli.network.chain import Chain
from cnncli.network.tensors import Tensor
from cnncli.reports.console import print_table, stdout

Rank = tuple[str, int]  # its host, and its threads


def model_document(model: Model, ranks: Sequence[Rank] = ()) -> dict[str, Any]:
    """The model for other programs, and the ranks that would work with it, where there are several."""
    together = {"ranks": [{"host": host, "threads": threads} for host, threads in ranks]} if ranks else {}
    return {
        "architecture": asdict(model.architecture),
        "classes": model.classes,
        "normalisation": asdict(model.normalisation),
        "parameters": model.chain.parameter_count,
        "engine": model.engine.description,
        "shapes": {tensor.name: tensor.shape for tensor, _, _ in _rows(model.chain)},
        **together,
    }


def print_model(model: Model, ranks: Sequence[Rank] = ()) -> None:
    """The model for people: the layers as a table, then classes and preprocessing, and the ranks."""
    architecture = model.architecture
    table = Table("value", "made by", "shape")
    table.add_column("parameters", justify="right")
    for tensor, maker, parameters in _rows(model.chain):
        count = sum(prod(parameter.shape) for parameter in parameters)
        named = " + ".join(f"{parameter.name} {_shape(parameter.shape)}" for parameter in parameters)
        table.add_row(tensor.name, maker, _shape(tensor.shape), f"{named} = {count:,}" if parameters else "")
    print_table(table)
    channels = "gray" if architecture.channels == 1 else "RGB"
    lines = [
        f"{model.chain.parameter_count:,} parameters",
        f"classes: {', '.join(model.classes)}",
        f"preprocessing: {architecture.height}×{architecture.width} {channels}, proportions kept, "
        "cropped at the centre; X = (pixel/255 − mean)/std",
        f"mean: {_numbers(model.normalisation.mean)}; std: {_numbers(model.normalisation.std)}",
        f"engine: {model.engine.description}",
        *(f"rank {rank} on {host}: {_threads(count)}" for rank, (host, count) in enumerate(ranks)),
    ]
    stdout().print("\n".join(lines), soft_wrap=True)


def _rows(chain: Chain) -> Iterator[tuple[Tensor, str, tuple[Tensor, ...]]]:
    """Every value before L, what makes it, and the parameters that this reads."""
    yield chain.image, "the image", ()
    for step in chain.steps:
        yield step.output, step.description, step.parameters
    yield chain.output.output, chain.output.description, ()


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)
