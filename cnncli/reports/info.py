"""What a model is."""

from dataclasses import asdict
from math import prod
from typing import Any

from rich.table import Table

from cnncli.model import Model
from cnncli.reports.console import print_table, stdout


def model_document(model: Model) -> dict[str, Any]:
    """The model for other programs."""
    return {
        "architecture": asdict(model.architecture),
        "classes": model.classes,
        "normalisation": asdict(model.normalisation),
        "parameters": model.architecture.parameter_count,
        "shapes": {name: model.architecture.shapes[name] for name in ("X", *_values(model))},
    }


def print_model(model: Model) -> None:
    """The model for people: the layers as a table, then classes and preprocessing."""
    architecture = model.architecture
    shapes, k, s = architecture.shapes, architecture.kernel, architecture.pool
    table = Table("value", "made by", "shape")
    table.add_column("parameters", justify="right")
    table.add_row("X", "the image", _shape(shapes["X"]), "")
    made_by = {"Z": f"conv {k}×{k} + bias", "A": "relu", "P": f"maxpool {s}×{s}", "F": "flatten"}
    for name in _values(model):
        number = name[1:]
        if name == architecture.logit:
            maker = "dense + bias"
        elif name == architecture.probability:
            maker = "sigmoid" if architecture.outputs == 1 else "softmax"
        else:
            maker = made_by[name[0]]
        own = [f"{letter}{number}" for letter in "wb"] if name[0] in "Zz" else []
        count = sum(prod(shapes[parameter]) for parameter in own)
        named = " + ".join(f"{parameter} {_shape(shapes[parameter])}" for parameter in own)
        table.add_row(name, maker, _shape(shapes[name]), f"{named} = {count:,}" if own else "")
    print_table(table)
    channels = "gray" if architecture.channels == 1 else "RGB"
    lines = [
        f"{architecture.parameter_count:,} parameters",
        f"classes: {', '.join(model.classes)}",
        f"preprocessing: {architecture.height}×{architecture.width} {channels}, proportions kept, "
        "cropped at the centre; X = (pixel/255 − mean)/std",
        f"mean: {_numbers(model.normalisation.mean)}; std: {_numbers(model.normalisation.std)}",
    ]
    stdout().print("\n".join(lines), soft_wrap=True)


def _values(model: Model) -> list[str]:
    return [name for name in model.architecture.forward_shapes if name != "L"]


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)
