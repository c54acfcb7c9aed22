"""`cnncli predict`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cnncli.cli.modes import refuse
from cnncli.cli.options import OUTPUT, UNCHECKED, ModelPath, is_given

Images = Annotated[
    list[Path],
    typer.Argument(
        **UNCHECKED,
        metavar="IMAGE…",
        help="Image files, and folders of them (recursively).",
    ),
]
TopK = Annotated[
    int | None,
    typer.Option(min=1, rich_help_panel=OUTPUT, help="Show the N most probable classes; 1 in a table, all in JSON."),
]
Format = Annotated[
    Literal["table", "json", "csv"],
    typer.Option("--format", rich_help_panel=OUTPUT, help="table: for people; json, csv: for other programs."),
]


def predict(
    *,
    context: typer.Context,
    images: Images,
    model: ModelPath,
    top_k: TopK = None,
    format: Format = "table",  # noqa: A002
) -> None:
    """Tell the class of images, a row for each in the order given.

    An image that cannot be read gets its reason in its row, and the exit code is 3.
    """
    if format == "csv" and is_given(context, "top_k"):
        refuse("--format csv", ["--top-k"])

    from cnncli.model import load_model
    from cnncli.prediction import Unreadable
    from cnncli.prediction import predict as classify
    from cnncli.reports.console import print_json
    from cnncli.reports.predictions import prediction_documents, prediction_table, print_prediction_csv

    network = load_model(model)
    answers = list(classify(images, network))
    if format == "json":
        print_json(prediction_documents(answers, top_k or len(network.classes)))
    elif format == "csv":
        print_prediction_csv(answers, network.classes)
    else:
        prediction_table(answers, top_k or 1)
    if any(isinstance(answer, Unreadable) for answer in answers):
        raise typer.Exit(3)
