"""`cnncli info`."""

from typing import Annotated, Literal

import typer

from cnncli.cli.options import TABLE_OR_JSON, ModelPath


def info(
    model: ModelPath,
    format: Annotated[Literal["table", "json"], typer.Option(help=TABLE_OR_JSON)] = "table",  # noqa: A002
) -> None:
    """Show what a model is: layers, shapes, parameters, classes, preprocessing."""
    from cnncli.model import load_model
    from cnncli.reports.console import print_json
    from cnncli.reports.info import model_document, print_model

    network = load_model(model)
    if format == "json":
        print_json(model_document(network))
    else:
        print_model(network)
