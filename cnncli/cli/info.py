"""`cnncli info`."""

from cnncli.cli.options import ModelPath, TableOrJson


def info(model: ModelPath, format: TableOrJson = "table") -> None:  # noqa: A002
    """Show what a model is: layers, shapes, parameters, classes, preprocessing."""
    from cnncli.model import load_model
    from cnncli.reports.console import print_json
    from cnncli.reports.info import model_document, print_model

    network = load_model(model)
    if format == "json":
        print_json(model_document(network))
    else:
        print_model(network)
