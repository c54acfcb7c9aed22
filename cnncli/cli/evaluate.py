"""`cnncli evaluate`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cnncli.cli.options import OUTPUT, UNCHECKED, Force, ModelPath

EXAMPLES = """\b
Examples:
  cnncli evaluate photos/test -m runs/photos
      the figures and the most confident mistakes
  cnncli evaluate photos --split val -m runs/photos -o report.html
      a page with curves, confusion matrix and images
"""
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
    Literal["table", "json", "csv", "html"] | None,
    typer.Option(
        "--format",
        rich_help_panel=OUTPUT,
        help="table: for people; json: everything; csv: the confusion matrix; html: one page, with images.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=OUTPUT,
        help="Write a file; its suffix, .html, .json, .csv or .txt, names the format.",
    ),
]


def evaluate(
    data: Data,
    model: ModelPath,
    split: Split = None,
    skip_bad: SkipBad = False,
    format: Format = None,  # noqa: A002
    output: Output = None,
    force: Force = False,
) -> None:
    """Tell how good a model is on images whose classes are known.

    Loss, accuracy with its 95 % interval, precision, recall and F1 of each class, the confusion matrix, the calibration
    error, the ROC AUC of two classes, and the most confident mistakes. Folders are matched to classes by name.
    """
    from cnncli.cli.destination import Destination

    to = Destination(format, output, force)
    chosen = to.resolve("table", "json", "csv", "html")

    from cnncli import api
    from cnncli.distributed.launch import world
    from cnncli.model import load_model
    from cnncli.reports.evaluation import confusion_csv, evaluation_document, print_evaluation
    from cnncli.reports.reading import ReadingBar
    from cnncli.reports.report.report import render_report
    from cnncli.reports.report.run import describe_run

    loaded = world().first(lambda: load_model(model))
    with ReadingBar() as bar:
        evaluation = api.evaluate(data, loaded, split=split, skip_bad=skip_bad, on_image=bar.move, communicator=world())
    if not world().leads:
        return
    if chosen == "json":
        to.deliver(evaluation_document(evaluation))
    elif chosen == "csv":
        to.deliver(confusion_csv(evaluation))
    elif chosen == "html":
        to.deliver(render_report(describe_run(loaded, evaluation, model)))
    else:
        to.draw(lambda console: print_evaluation(console, evaluation), chosen)
