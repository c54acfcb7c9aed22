"""`cnncli info`."""

from pathlib import Path
from typing import Annotated

import typer

from cnncli.cli.options import OptionalModelPath, TableOrJson
from cnncli.errors import UsageError

PathArgument = Annotated[
    Path | None, typer.Argument(metavar="MODEL", help="A model file, or a run folder that holds one; as --model.")
]


def info(path: PathArgument = None, model: OptionalModelPath = None, format: TableOrJson = "table") -> None:  # noqa: A002
    """Show what a model is: layers, shapes, parameters, classes, preprocessing."""
    named = [each for each in (path, model) if each is not None]
    if len(named) != 1:
        raise UsageError("info shows one model: name a model file or a run folder")
    from cnncli.cores import available_cores
    from cnncli.distributed.launch import world
    from cnncli.model import load_model
    from cnncli.reports.console import print_json
    from cnncli.reports.info import model_document, print_model

    network = load_model(named[0])
    ranks = world().gather((world().host, available_cores())) if world().size > 1 else []
    if format == "json":
        print_json(model_document(network, ranks))
    else:
        print_model(network, ranks)
