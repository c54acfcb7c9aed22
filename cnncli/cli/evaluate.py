"""`cnncli evaluate`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cnncli.cli.options import OUTPUT, UNCHECKED, ModelPath

Data = Annotated[
    Path,
    typer.Argument(
        **UNCHECKED, metavar="DATA", help="A folder with one folder of images for each class, or with splits of such."
    ),
]
Split = Annotated[
    Literal["train", "val", "test"] | None,
    typer.Option(help="Which split of DATA; test where DATA has one, else DATA itself."),
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out images that cannot be read.")]
Format = Annotated[
    Literal["table", "json", "csv"],
    typer.Option(
        "--format", rich_help_panel=OUTPUT, help="table: for people; json: everything; csv: the confusion matrix."
    ),
]


def evaluate(
    data: Data,
    model: ModelPath,
    split: Split = None,
    skip_bad: SkipBad = False,
    format: Format = "table",  # noqa: A002
) -> None:
    """Tell how good a model is on images whose classes are known.

    Loss, accuracy with its 95 % interval, precision, recall and F1 of each class, the confusion matrix, the calibration
    error, the ROC AUC of two classes, and the most confident mistakes. Folders are matched to classes by name.
    """
    from cnncli import api
    from cnncli.reports.console import print_json, write_text
    from cnncli.reports.evaluation import confusion_csv, evaluation_document, print_evaluation

    evaluation = api.evaluate(data, model, split=split, skip_bad=skip_bad)
    if format == "json":
        print_json(evaluation_document(evaluation))
    elif format == "csv":
        write_text(confusion_csv(evaluation))
    else:
        print_evaluation(evaluation)
